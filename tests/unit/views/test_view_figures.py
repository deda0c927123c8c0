"""What is kept of an order and what is computed from it, without Kafka."""

from __future__ import annotations

import random
from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.event import Event
from streams.views.facts import MOST_SALES, MOST_TOLD, OrderFacts, Stamped, fold
from streams.views.kpi import latency, released_after, report, told_after
from tests.view_events import SECOND, START, job, life, sale, status, without_trace


def folded(*events: Event) -> OrderFacts:
    return reduce(fold, events, OrderFacts())


def everything(index: int) -> list[Event]:
    each = life(index)
    return [*each.orders, *each.jobs, *each.statuses]


@given(st.permutations(everything(3)), st.lists(st.sampled_from(everything(3)), max_size=8))
def test_facts_are_the_same_in_any_order_and_with_any_repetition(events: list[Event], again: list[Event]) -> None:
    assert folded(*events, *again) == folded(*again, *events) == folded(*everything(3))


@settings(max_examples=5)
@given(st.integers())
def test_what_is_kept_of_an_order_is_bounded_and_does_not_depend_on_arrival(seed: int) -> None:
    versions = list(range(MOST_TOLD + 30))
    random.Random(seed).shuffle(versions)
    events = [status("1", version, version, "x") for version in versions]
    facts = folded(*events)
    assert len(facts.told) == MOST_TOLD
    assert [each.version_us for each in facts.told] == list(range(MOST_TOLD))


def test_facts_survive_their_store_form() -> None:
    for facts in (OrderFacts(), folded(*everything(1)), folded(job("1", 5, "a"))):
        assert OrderFacts.from_json(facts.to_json()) == facts


def test_the_first_instants_of_an_order_count() -> None:
    facts = folded(
        sale("1", 9, 8, "b", placed=3),
        sale("1", 5, 4, "a", placed=2),
        job("1", 20, "b"),
        job("1", 10, "a"),
        status("1", 40, 31, "d", "completed", 30),
        status("1", 45, 36, "e", "completed", 35),
    )
    assert facts.job is not None
    assert (facts.placed_us, facts.job.version_us, facts.completed_us) == (2, 10, 30)


def test_a_completion_without_any_end_counts_when_the_mes_reported_it() -> None:
    assert folded(status("1", 50, 40, "a", "completed")).completed_us == 40
    assert folded(status("1", 50, 40, "a", "running", 39)).completed_us is None


def test_the_way_to_the_mes_takes_from_the_change_that_released_to_the_first_job_order() -> None:
    facts = folded(sale("1", 1100, 1000, "placed"), sale("1", 5100, 5000, "released"), job("1", 5500, "released"))
    assert list(released_after(facts)) == [(5500, 500)]


def test_a_job_order_whose_cause_is_unknown_is_counted_but_not_measured() -> None:
    for facts in (
        folded(job("1", 5, "a")),
        folded(without_trace(job("1", 5, "a")), without_trace(sale("1", 4, 3, "a"))),
    ):
        assert list(released_after(facts)) == []
        assert report([facts], 60)["totals"]["released"] == 1


def test_only_what_the_mes_reported_is_measured_on_the_way_back() -> None:
    facts = folded(
        sale("1", 1100, 1000, "a"),
        status("1", 1200, 1000, "a", "planned"),
        status("1", 2900, 2000, "report"),
        sale("1", 3100, 1500, "late edit"),
        status("1", 3200, 2000, "late edit"),
        status("1", 3300, 1500, "older report"),
        without_trace(status("1", 3400, 3300, "unknown")),
    )
    assert list(told_after(facts)) == [(2900, 900)]


def test_an_order_edited_too_often_is_no_longer_measured_rather_than_wrongly() -> None:
    edits = [sale("1", version, version, f"e{version}") for version in range(10, 10 + 2 * MOST_SALES, 2)]
    facts = folded(*edits, status("1", 101, 91, "report"), status("1", 9_000, 8_000, "anything"))
    assert list(told_after(facts)) == [(101, 10)]


def test_an_instant_on_the_edge_belongs_to_the_window_that_begins_there() -> None:
    edge = START // (60 * SECOND) * 60 * SECOND
    found = report([folded(sale("1", edge, edge - 1, "a")), folded(sale("2", edge, edge, "b"))], 60)
    assert [(each["start"], each["placed"]) for each in found["windows"]] == [
        ("2026-09-21T14:12:00.000000Z", 1),
        ("2026-09-21T14:13:00.000000Z", 1),
    ]


def test_the_windows_add_up_to_the_totals() -> None:
    found = report([folded(*everything(index)) for index in range(30)], 60)
    for name in ("placed", "released", "completed"):
        assert sum(each[name] for each in found["windows"]) == found["totals"][name] > 0


def test_no_orders_make_an_empty_report() -> None:
    nothing = {"count": 0, "p50_s": None, "p95_s": None, "max_s": None}
    counts = {"placed": 0, "released": 0, "completed": 0, "crm_to_mes": nothing, "mes_to_crm": nothing}
    assert report([], 60) == {"window_s": 60, "windows": [], "totals": counts}


@given(st.lists(st.integers(-(10**9), 10**12), min_size=1, max_size=60))
def test_percentiles_are_measured_values_that_so_many_do_not_exceed(measured: list[int]) -> None:
    found = latency(measured)
    for share, value in ((50, found["p50_s"]), (95, found["p95_s"]), (100, found["max_s"])):
        assert value in [each / SECOND for each in measured]
        assert value is not None
        assert sum(each / SECOND <= value for each in measured) * 100 >= share * len(measured)
        assert sum(each / SECOND < value for each in measured) * 100 < share * len(measured)


def test_stamped_events_sort_by_version() -> None:
    assert sorted([Stamped(2, 1, "a"), Stamped(1, 9, "z")])[0].version_us == 1
