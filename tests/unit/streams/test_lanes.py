"""Which lane of a sink a record takes, and that no lane brings back what was cancelled."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from schemas.event import Event, Record
from schemas.wire import BACKFILL, Writer
from streams.lanes import BURST, WINDOW_US, Lane, Lanes, Urgency
from streams.process import Addressed, process
from tests.unit.streams.orders_made_by_hand import Known, event, line, operation, order, plan, report

SECOND = 1_000_000
FAST, BULK = "sink.plant-a", "sink.plant-a.bulk"


def burst(urgency: Urgency = Urgency.NEW, destination: str = "plant-a", at: int = 0) -> Lanes:
    """Lanes that have just seen as many records as are no burst yet."""
    lanes = Lanes()
    assert {lanes.choose(destination, urgency, at) for _ in range(BURST)} == {Lane.FAST}
    return lanes


def test_what_is_part_of_a_burst_goes_to_the_bulk_lane_until_the_burst_is_over() -> None:
    lanes = burst()
    assert lanes.choose("plant-a", Urgency.NEW, SECOND) is Lane.BULK
    assert lanes.choose("plant-a", Urgency.NEW, WINDOW_US + SECOND) is Lane.FAST


def test_an_urgent_record_takes_the_fast_lane_in_every_burst_and_backfill() -> None:
    lanes = burst(Urgency.CHANGE)
    assert {lanes.choose("plant-a", Urgency.URGENT, 0, backfill=True) for _ in range(5 * BURST)} == {Lane.FAST}


def test_a_burst_of_changes_does_not_keep_a_new_order_waiting_nor_that_of_one_plant_another() -> None:
    lanes = burst(Urgency.CHANGE)
    assert lanes.choose("plant-a", Urgency.CHANGE, 1) is Lane.BULK
    assert lanes.choose("plant-a", Urgency.NEW, 1) is Lane.FAST
    assert lanes.choose("plant-b", Urgency.CHANGE, 1) is Lane.FAST


def test_a_backfill_takes_the_bulk_lane_from_its_first_record() -> None:
    assert Lanes().choose("plant-a", Urgency.NEW, 0, backfill=True) is Lane.BULK


@given(st.lists(st.integers(0, WINDOW_US // BURST), max_size=6 * BURST))
def test_never_more_than_a_bursts_worth_waits_in_the_fast_lane_per_window(gaps: list[int]) -> None:
    lanes, now, fast = Lanes(), 0, []
    for gap in gaps:
        now += gap
        if lanes.choose("plant-a", Urgency.CHANGE, now) is Lane.FAST:
            fast.append(now)
    assert all(later - earlier >= WINDOW_US for earlier, later in zip(fast, fast[BURST:], strict=False))


def sent(events: Sequence[Event], lanes: Lanes) -> list[Addressed]:
    """What the pipeline sends to the plant for these events about one order."""
    state: Record | None = None
    found: list[Addressed] = []
    for number, each in enumerate(events):
        result = process(each, state, SECOND + number, plan(), Known(), lanes)
        state, found = result.state or state, [*found, *result.events]
        if state is not None:
            Writer("OrderState")(state)
    return [each for each in found if each.topic in (FAST, BULK)]


PLACED = event("SalesOrder", 1, order())
CHANGED = event("SalesOrder", 2, order(line(quantity=7)))
CANCELLED = event("SalesOrder", 3, order(line(quantity=7), cancelled=True))
REPORTED = event("JobResponse", 2, report(operation(good=1)))


def test_an_urgent_order_and_its_status_take_the_fast_lanes_though_both_see_a_burst() -> None:
    lanes = burst(at=SECOND)
    for _ in range(BURST):
        lanes.choose("crm", Urgency.NEW, SECOND)
    urgent = process(event("SalesOrder", 1, order(priority="urgent")), None, SECOND, plan(), Known(), lanes)
    assert [each.topic for each in urgent.events] == [FAST, "order.status", "sink.crm"]
    other = process(PLACED, None, SECOND, plan(), Known(), lanes)
    assert [each.topic for each in other.events] == [BULK, "order.status", "sink.crm.bulk"]


def test_what_a_sources_backfill_read_takes_the_bulk_lane() -> None:
    read = Event(**{**vars(PLACED), "headers": {**PLACED.headers, BACKFILL: "true"}})
    assert [each.topic for each in sent([read], Lanes())] == [BULK]


def test_a_cancellation_that_may_overtake_its_creation_goes_both_ways_with_one_version() -> None:
    made, changed, *cancelled = sent([PLACED, CHANGED, CANCELLED], burst(at=SECOND))
    assert (made.topic, changed.topic) == (BULK, FAST)
    assert [each.topic for each in cancelled] == [FAST, BULK]
    assert len({(each.event.id, each.event.version) for each in cancelled}) == 1
    assert cancelled[0].event.version > changed.event.version > made.event.version


def test_a_cancellation_in_a_burst_never_goes_only_where_it_may_overtake_what_waits_in_the_fast_lane() -> None:
    """The fast lane may stand still, as while its batch is read again, and the bulk lane flows."""
    changing = burst(Urgency.CHANGE, at=SECOND)
    made, *cancelled = sent([PLACED, CANCELLED], changing)
    assert (made.topic, [each.topic for each in cancelled]) == (FAST, [FAST])
    made, changed, *cancelled = sent([PLACED, CHANGED, CANCELLED], changing)
    assert (made.topic, changed.topic, [each.topic for each in cancelled]) == (FAST, BULK, [FAST, BULK])
    assert [each.topic for each in sent([PLACED, REPORTED, CANCELLED], changing)] == [FAST, BULK]


def test_a_cancellation_of_what_production_has_reported_or_never_waited_goes_one_way() -> None:
    assert [each.topic for each in sent([PLACED, REPORTED, CANCELLED], burst(at=SECOND))] == [BULK, FAST]
    assert [each.topic for each in sent([PLACED, CANCELLED], Lanes())] == [FAST, FAST]
