"""The processor: one event and the state give the next state and what follows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import MappingFailed, compile_plan, shipped
from schemas.codec import CodecError
from schemas.event import Event, Record
from schemas.wire import Writer
from streams.outcome import NoMapping
from streams.process import Result, process
from tests.unit.streams.orders_made_by_hand import ONE, TRACE, Known, event, line, operation, order, plan, report

NOW = 1_000


def after(*events: Event, now: int = NOW) -> tuple[Record | None, list[Any]]:
    """The state after all events and what was sent, in order."""
    state: Record | None = None
    sent: list[Any] = []
    for each in events:
        result = process(each, state, now, plan(), Known())
        state, sent = result.state or state, [*sent, *result.events]
    return state, sent


def topics(sent: list[Any]) -> list[str]:
    return [each.topic for each in sent]


PLACED = event("SalesOrder", 1, order())
DONE = event("JobResponse", 2, report(operation(good=5), state="completed"))
CLOSED = event("JobResponse", 3, report(operation(good=5), state="closed", changed_at=3))


def test_a_released_order_gives_a_job_order_and_its_status_to_everyone_and_to_the_crm() -> None:
    state, sent = after(PLACED)
    assert topics(sent) == ["sink.plant-a", "order.status", "sink.crm"]
    job, status, _ = (each.event for each in sent)
    assert (job.subject, job.value["desired"], job.value["quantity"]) == ("crm:1/L1", "released", 5 * ONE)
    assert (status.subject, status.value["state"]) == ("crm:1", "planned")
    assert state is not None
    Writer("OrderState")(state)


@pytest.mark.parametrize("again", [PLACED, DONE], ids=["order", "report"])
def test_the_same_input_twice_gives_nothing(again: Event) -> None:
    state, _ = after(PLACED, DONE)
    result = process(again, state, NOW + 1, plan(), Known())
    assert result == Result(None)


def test_the_same_content_under_a_newer_revision_moves_the_revision_and_tells_nothing() -> None:
    state, _ = after(PLACED)
    result = process(event("SalesOrder", 9, order()), state, NOW, plan(), Known())
    assert result.events == ()
    assert result.state is not None
    assert str(result.state["revision"]).startswith(f"{9:017d}")


def test_a_status_of_which_only_the_stamp_is_new_is_not_told_again() -> None:
    """Where a trigger stamps every row that is written, the status among them, it would otherwise echo for ever."""
    stamped = event("SalesOrder", 2, order(changed_at=2))
    state, sent = after(PLACED, stamped)
    assert topics(sent).count("sink.crm") == 1
    assert state is not None
    assert str(state["revision"]).startswith(f"{2:017d}")


def test_a_line_whose_destination_has_no_mapping_waits_for_the_administrator() -> None:
    routes_alone = compile_plan([each for each in shipped() if each.name == "orders"], {})
    with pytest.raises(NoMapping, match="no live mapping makes a JobOrder for 'plant-a'"):
        process(PLACED, None, NOW, routes_alone, Known())


def test_a_job_order_goes_out_again_only_where_its_content_differs() -> None:
    other = event("SalesOrder", 2, order(reference=None, changed_at=2))
    bigger = event("SalesOrder", 3, order(line(quantity=7), changed_at=2))
    assert topics(after(PLACED, other)[1]).count("sink.plant-a") == 1
    assert topics(after(PLACED, other, bigger)[1]).count("sink.plant-a") == 2


def test_versions_grow_though_the_clock_stands_still_or_goes_back() -> None:
    state: Record | None = None
    versions: list[int] = []
    for at, now in ((1, 1_000), (2, 1_000), (3, 10)):
        result = process(event("SalesOrder", at, order(line(quantity=at))), state, now, plan(), Known())
        state = result.state
        versions += [each.event.version for each in result.events if each.topic == "sink.plant-a"]
    assert versions == [1_000, 1_001, 1_002]


def test_ids_follow_from_the_input_and_carry_its_trace_and_the_definition() -> None:
    first, second = after(PLACED)[1], after(PLACED, now=NOW + 77)[1]
    assert [each.event.id for each in first] == [each.event.id for each in second]
    assert first[0].event.id == f"{PLACED.id}/pipeline/JobOrder/crm:1/L1/{plan().id}"
    assert {each.event.headers["traceparent"] for each in first} == {TRACE}
    assert {each.event.headers["ce_definition"] for each in first} == {plan().id}


def test_a_lower_revision_of_an_order_is_ignored() -> None:
    newer = event("SalesOrder", 5, order(line(quantity=7)))
    state, _ = after(newer)
    assert process(PLACED, state, NOW, plan(), Known()) == Result(None)


@pytest.mark.parametrize("record", ["SalesOrder", "JobResponse"])
def test_an_event_without_a_revision_is_no_event_of_a_source(record: str) -> None:
    value = order() if record == "SalesOrder" else report()
    bare = Event(record, "crm:1", "crm:1", "id", "far", 1, 1, value)
    with pytest.raises(CodecError, match="ce_revision"):
        process(bare, None, NOW, plan(), Known())


def test_a_report_before_its_order_is_kept_and_told_with_the_order() -> None:
    _, sent = after(DONE, PLACED)
    assert [each.event.value["state"] for each in sent if each.topic == "order.status"] == ["completed"]


def test_a_closed_order_shrinks_to_a_stub() -> None:
    state, sent = after(PLACED, DONE, CLOSED)
    assert state is not None
    assert (state["closed"], state["order"]) == (True, None)
    assert [each.event.value["state"] for each in sent if each.topic == "order.status"] == [
        "planned",
        "completed",
        "closed",
    ]


@pytest.mark.parametrize(
    "change",
    [
        order(),
        order(line(quantity=9)),
        order(line(), line("L2")),
        order(released=False),
        order(cancelled=True),
        order(customer_name="renamed"),
    ],
    ids=["resync", "quantity", "another line", "unreleased", "cancelled", "mass edit"],
)
def test_a_closed_order_stays_closed_whatever_the_crm_says_of_it(change: Record) -> None:
    state, _ = after(PLACED, DONE, CLOSED)
    result = process(event("SalesOrder", 9, change), state, NOW, plan(), Known())
    assert result.events == ()
    assert result.state is not None
    assert result.state["closed"]


def test_a_late_repeat_changes_nothing_of_a_closed_order() -> None:
    state, _ = after(PLACED, DONE, CLOSED)
    for each in (DONE, CLOSED):
        assert process(each, state, NOW, plan(), Known()) == Result(None)


def test_a_correction_of_one_job_leaves_the_figures_of_the_other() -> None:
    two = event("SalesOrder", 1, order(line(), line("L2")))
    first, second = (report(operation(good=5), line_id=each, state="closed", changed_at=2) for each in ("L1", "L2"))
    correction = report(operation(good=4), line_id="L1", state="closed", changed_at=3)
    _, sent = after(
        two, *(event("JobResponse", 2, each) for each in (first, second)), event("JobResponse", 3, correction)
    )
    last = [each.event.value for each in sent if each.topic == "order.status"][-1]
    assert [each["good"] for each in last["lines"]] == [4 * ONE, 5 * ONE]


def test_an_order_that_reopens_is_told_and_kept_whole_again() -> None:
    running = event("JobResponse", 4, report(operation(good=5), state="running", changed_at=4))
    state, sent = after(PLACED, DONE, CLOSED, running)
    assert state is not None
    assert not state["closed"]
    assert sent[-1].event.value["state"] == "running"


def test_a_line_set_to_zero_is_cancelled_once_and_parks_no_later_change() -> None:
    zero = event("SalesOrder", 2, order(line(quantity=0), line("L2")))
    later = event("SalesOrder", 3, order(line(quantity=0), line("L2"), customer_name="renamed"))
    _, sent = after(event("SalesOrder", 1, order(line(), line("L2"))), zero, later)
    of_line = [each.event.value["desired"] for each in sent if each.event.subject == "crm:1/L1"]
    assert of_line == ["released", "cancelled"]


def test_a_failed_mapping_is_raised_and_leaves_the_state_alone() -> None:
    with pytest.raises(MappingFailed):
        process(event("SalesOrder", 1, order(line(item="P-9"))), None, NOW, plan(), Known())


@given(st.permutations([(1, 1), (2, 3), (3, 5), (3, 5), (2, 3)]))
def test_reports_in_any_order_end_in_one_state(arrival: list[tuple[int, int]]) -> None:
    reports = [event("JobResponse", at, report(operation(good=good), changed_at=at)) for at, good in arrival]
    state, sent = after(PLACED, *reports)
    expected, _ = after(PLACED, event("JobResponse", 3, report(operation(good=5), changed_at=3)))
    assert state is not None
    assert expected is not None
    assert {**state, "status_version": 0} == {**expected, "status_version": 0}
    told = [each.event.version for each in sent if each.topic == "order.status"]
    assert told == sorted(set(told))
