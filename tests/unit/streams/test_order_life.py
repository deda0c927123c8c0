"""The reducer of an order's life: any order, any repetition, one result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.event import Record
from streams.newer import Reading
from streams.order_life import empty_state, public_status, reported_jobs, stub, totals, with_report
from tests.unit.streams.orders_made_by_hand import ONE, line, operation, order, report, stamped

Stamped = tuple[str, Record]

QUANTITIES = st.integers(0, 9)
TIMES = st.none() | st.integers(1, 5)
OPERATIONS = st.builds(
    lambda name, good, scrap, rework, start, end: operation(
        name, good, scrap, rework, started_at=start, ended_at=end
    ),
    st.sampled_from(["Turning", "Milling"]),
    QUANTITIES,
    QUANTITIES,
    QUANTITIES,
    TIMES,
    TIMES,
)
STATES = st.sampled_from(["planned", "released", "running", "held", "completed", "closed", "aborted"])
REPORTS = st.builds(
    lambda operations, line_id, state, at: (at, report(*operations, line_id=line_id, state=state, changed_at=at)),
    st.lists(OPERATIONS, max_size=3),
    st.sampled_from(["L1", "L2", "L3"]),
    STATES,
    st.integers(1, 4),
).map(lambda pair: (stamped(*pair), pair[1]))


def pushed(revision: str) -> Reading:
    return Reading(revision, as_of_us=1)


def job(line_id: str) -> Record:
    memory: dict[str, Any] = {"destination": "plant-a", "desired": "released", "content_hash": "h", "version": 1}
    return {"job_order_id": f"crm:1/{line_id}", "line_id": line_id, **memory}


def state_of(reports: Sequence[Stamped], lines: Sequence[str] = ("L1", "L2", "L3"), **changes: Any) -> dict[str, Any]:
    progress: list[Record] = []
    for revision, response in reports:
        progress = with_report(progress, pushed(revision), response)
    known = {"order": order(*(line(each) for each in lines)), "jobs": [job(each) for each in lines]}
    return {**empty_state("crm:1"), **known, "progress": progress, **changes}


@given(st.lists(REPORTS, min_size=1, max_size=6).flatmap(lambda some: st.tuples(st.just(some), shuffled(some))))
def test_reports_in_any_order_and_any_repetition_give_one_progress_and_one_status(
    both: tuple[list[Stamped], list[Stamped]],
) -> None:
    once, mixed = (state_of(each) for each in both)
    assert once["progress"] == mixed["progress"]
    assert public_status(once) == public_status(mixed)


def shuffled(some: list[Stamped]) -> st.SearchStrategy[list[Stamped]]:
    """Every report at least once, some twice, in any order."""
    return st.lists(st.sampled_from(some), max_size=4).flatmap(lambda again: st.permutations([*some, *again]))


@given(st.lists(REPORTS, min_size=1, max_size=5), st.data())
def test_a_closed_order_keeps_its_figures_and_no_late_repeat_changes_them(
    reports: list[Stamped], data: st.DataObject
) -> None:
    whole = state_of(reports)
    whole = {**whole, "status": public_status(whole)}
    closed = stub(whole)
    again = closed["progress"]
    for revision, response in data.draw(st.permutations(reports)):
        again = with_report(again, pushed(revision), response)  # type: ignore[arg-type]
    assert again == closed["progress"]
    kept, before = public_status(closed), whole["status"]
    assert kept is not None
    assert {**kept, "changed_at": None} == {**before, "changed_at": None}


def test_what_was_made_stays_told_when_the_crm_takes_the_line_or_the_whole_order_away() -> None:
    made = report(operation(good=34, scrap=2, rework=1), state="completed")
    gone = {**order(cancelled=True), "lines": []}
    status = public_status(state_of([(stamped(1, made), made)], ["L1"], order=gone))
    assert status is not None
    assert (status["good"], status["scrap"], status["rework"]) == (34 * ONE, 2 * ONE, ONE)


def test_an_older_report_never_wins() -> None:
    new, old = report(operation(good=5), changed_at=2), report(operation(good=9), changed_at=1)
    progress = with_report(with_report([], pushed(stamped(2, new)), new), pushed(stamped(1, old)), old)
    assert [each["response"] for each in progress] == [new]


def test_within_one_stamp_the_report_that_says_more_wins() -> None:
    less, more = report(operation(good=2)), report(operation(good=3))
    for first, second in ((less, more), (more, less)):
        progress = with_report(with_report([], pushed(stamped(1, first)), first), pushed(stamped(1, second)), second)
        assert [each["response"] for each in progress] == [more]


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([], (0, 0, 0)),
        ([operation(good=4, scrap=1, rework=2)], (4, 1, 2)),
        ([operation("a", 5, 1, ended_at=9), operation("b", 3, 2, ended_at=8)], (5, 3, 0)),
        ([operation("a", 5, ended_at=8), operation("b", 3, ended_at=8)], (3, 0, 0)),
        ([operation("a", 5, ended_at=8), operation("b", 3)], (5, 0, 0)),
        ([operation("a", 5), operation("b", 3)], (3, 0, 0)),
        ([operation("a", 5, rework=1), operation("b", 3, rework=2)], (3, 0, 3)),
    ],
)
def test_good_is_what_the_operation_that_ended_last_made_and_the_later_row_wins_a_tie(
    operations: list[Record], expected: tuple[int, int, int]
) -> None:
    assert totals(report(*operations)) == tuple(each * ONE for each in expected)


def told(lines: Sequence[str], *states: str, **changes: Any) -> tuple[Any, Any]:
    reports = [report(line_id=f"L{n + 1}", state=each) for n, each in enumerate(states)]
    state = state_of([(stamped(1, each), each) for each in reports], lines)
    status = public_status({**state, "order": {**state["order"], **changes}})
    assert status is not None
    return status["state"], status["reason"]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((), "planned"),
        (("planned",), "planned"),
        (("released",), "released"),
        (("released", "planned"), "planned"),
        (("running",), "running"),
        (("running", "released"), "running"),
        (("held",), "held"),
        (("held", "running"), "held"),
        (("held", "completed"), "held"),
        (("completed",), "completed"),
        (("completed", "running"), "running"),
        (("completed", "planned"), "running"),
        (("completed", "closed"), "completed"),
        (("closed",), "closed"),
        (("closed", "closed"), "closed"),
        (("aborted",), "aborted"),
        (("aborted", "completed"), "completed"),
        (("aborted", "closed"), "closed"),
        (("aborted", "running"), "running"),
    ],
)
def test_an_orders_state_follows_from_its_jobs(states: tuple[str, ...], expected: str) -> None:
    lines = [f"L{n + 1}" for n in range(max(1, len(states)))]
    assert told(lines, *states)[0] == expected


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((), ("aborted", "cancelled in the CRM")),
        (("planned",), ("aborted", "cancelled in the CRM")),
        (("aborted",), ("aborted", "cancelled in the CRM")),
        (("running",), ("running", "cancellation asked for; production has not answered yet")),
        (("held",), ("held", "cancellation asked for; production has not answered yet")),
        (("completed",), ("completed", None)),
        (("closed",), ("closed", None)),
        (("aborted", "running"), ("running", "cancellation asked for; production has not answered yet")),
        (("aborted", "completed"), ("completed", None)),
    ],
)
def test_a_cancellation_is_a_request_and_production_answers_it(
    states: tuple[str, ...], expected: tuple[str, str | None]
) -> None:
    lines = [f"L{n + 1}" for n in range(max(1, len(states)))]
    assert told(lines, *states, cancelled=True) == expected


def test_an_order_without_a_job_waits_for_its_release_or_is_placed() -> None:
    assert told((), released=False) == ("waiting", "waits for release in the CRM")
    assert told((), released=True) == ("placed", None)


def test_nothing_is_told_before_the_crm_has_said_anything() -> None:
    assert public_status({**state_of([("", report())]), "order": None}) is None


@pytest.mark.parametrize(
    ("goods", "percent"), [((0,), 0), ((1,), 20), ((5,), 100), ((9,), 100), ((5, 0), 50), ((1, 2), 30)]
)
def test_the_percentage_is_the_mean_of_the_lines_and_never_above_a_hundred(
    goods: tuple[int, ...], percent: int
) -> None:
    reports = [report(operation(good=each), line_id=f"L{n + 1}") for n, each in enumerate(goods)]
    state = state_of([(stamped(1, each), each) for each in reports], [f"L{n + 1}" for n in range(len(goods))])
    status = public_status(state)
    assert status is not None
    assert status["percent"] == percent


def test_an_order_of_nothing_has_made_nothing() -> None:
    status = public_status({**state_of([]), "order": order(line(quantity=0)), "jobs": []})
    assert status is not None
    assert status["percent"] == 0


def test_the_times_are_the_first_start_and_once_finished_the_last_end() -> None:
    two = [operation("a", started_at=3, ended_at=7), operation("b", started_at=2, ended_at=5)]
    running, done = (public_status(state_of([("", report(*two, state=s, changed_at=8))], ["L1"])) for s in LIFE)
    assert running is not None
    assert done is not None
    assert (running["started_at"], running["completed_at"]) == (2, None)
    assert (done["started_at"], done["completed_at"], done["changed_at"]) == (2, 7, 8)


LIFE = ("running", "completed")


def test_the_jobs_that_production_reported_on_are_known() -> None:
    assert reported_jobs(state_of([("", report(line_id="L2"))])) == {"crm:1/L2"}
