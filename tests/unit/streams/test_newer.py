"""Which of two contents is the newer truth: whatever far clocks, pushes and reads do, the newest content ends up."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.event import Event
from schemas.identity import revision
from schemas.wire import FETCHED, REVISION
from streams.newer import TOLERANCE_US, Reading, is_newer, reading_of

S = 1_000_000
HOUR = 3_600 * S


def fetched(stamp_us: int, at_us: int, content: str = "a") -> Reading:
    return Reading(revision(stamp_us, content), at_us, fetched=True)


def pushed(stamp_us: int, at_us: int, content: str = "a") -> Reading:
    return Reading(revision(stamp_us, content), at_us)


@pytest.mark.parametrize(
    ("new", "known", "newer"),
    [
        (fetched(5 * S, 9 * S), fetched(5 * S, 8 * S), False),
        (fetched(5 * S, 9 * S, "b"), fetched(HOUR, 8 * S), True),
        (fetched(HOUR, 7 * S, "b"), fetched(5 * S, 8 * S), False),
        (pushed(4 * S, 9 * S), fetched(5 * S, 8 * S), False),
        (pushed(6 * S, 9 * S), fetched(5 * S, 8 * S), True),
        (pushed(20 * S, 21 * S), fetched(HOUR, 8 * S), True),
        (fetched(5 * S, 9 * S, "b"), pushed(6 * S, 8 * S), False),
        (fetched(5 * S, 9 * S + TOLERANCE_US, "b"), pushed(6 * S, 8 * S), True),
        (pushed(5 * S, 9 * S, "b"), pushed(5 * S, 9 * S), True),
    ],
    ids=[
        "the same revision is a repeat",
        "a later read wins though its stamp went back",
        "an earlier read loses though its stamp is later",
        "an old push loses to a read",
        "a new push wins over a read",
        "a stamp from the future hides no later push",
        "a read that crosses a push goes by the stamps",
        "a read well after a push wins",
        "two contents of one stamp are told apart by arrival",
    ],
)
def test_the_rule(new: Reading, known: Reading, newer: bool) -> None:
    assert is_newer(new, known) is newer


def test_anything_is_newer_than_nothing() -> None:
    assert is_newer(pushed(1, 1), Reading("", 0))


def test_an_event_says_how_it_came() -> None:
    event = Event("SalesOrder", "k", "k", "i", "s", 1, 77, {}, {REVISION: revision(5, "a")})
    read = Event("SalesOrder", "k", "k", "i", "s", 1, 77, {}, {REVISION: revision(5, "a"), FETCHED: "66"})
    assert (reading_of(event).as_of_us, reading_of(event).fetched) == (77, False)
    assert (reading_of(read).as_of_us, reading_of(read).fetched) == (66, True)


@dataclass(frozen=True)
class Told:
    """One content on its way to the bus, and when it gets there."""

    at_us: int
    reading: Reading


def outcome(told: list[Told]) -> Reading:
    known = Reading("", 0)
    for each in sorted(told, key=lambda one: one.at_us):
        if is_newer(each.reading, known):
            known = each.reading
    return known


CHANGES = st.lists(st.integers(1, 600), min_size=1, max_size=6, unique=True).map(sorted)
DELAYS = st.lists(st.integers(0, 300), max_size=12)
READS = st.lists(st.tuples(st.integers(0, 700), st.integers(0, 2)), max_size=8)


def contents(changes: list[int], ahead_s: list[int]) -> list[tuple[int, str]]:
    """When (true µs) the record changed, and its revision then, by a clock that is so much ahead then."""
    base = 10 * HOUR
    return [
        (base + at * S, revision(base + at * S + ahead_s[number % len(ahead_s)] * S, f"content {number}"))
        for number, at in enumerate(changes)
    ]


def reads(record: list[tuple[int, str]], times: list[tuple[int, int]]) -> list[Told]:
    """The one owner's reads, one after the other, each told a little after it was begun."""
    found: list[Told] = []
    for at, late in sorted(set(times)):
        begun = 10 * HOUR + at * S
        there = [each for changed, each in record if changed <= begun]
        if there:
            found.append(Told(begun + late * S // 4, Reading(there[-1], begun, fetched=True)))
    return found


@given(CHANGES, DELAYS, READS)
def test_any_interleaving_repetition_and_delay_of_pushes_with_reads_ends_in_the_newest_content(
    changes: list[int], delays: list[int], times: list[tuple[int, int]]
) -> None:
    record = contents(changes, [0])
    pushes = [
        Told(changed + delay * S, Reading(each, changed + delay * S))
        for number, delay in enumerate(delays)
        for changed, each in [record[number % len(record)]]
    ]
    last = [(1_000, 0)]
    assert outcome([*pushes, *reads(record, [*times, *last])]).revision == record[-1][1]


@given(CHANGES, DELAYS.filter(bool))
def test_pushes_alone_end_in_the_newest_that_came(changes: list[int], delays: list[int]) -> None:
    record = contents(changes, [0])
    some = [(*record[number % len(record)], delay) for number, delay in enumerate(delays)]
    pushes = [Told(changed + delay * S, Reading(each, changed + delay * S)) for changed, each, delay in some]
    assert outcome(pushes).revision == max(each for _, each, _ in some)


@given(CHANGES, st.lists(st.integers(-4_000, 4_000), min_size=1, max_size=4), DELAYS, READS)
def test_no_jump_of_the_far_clock_hides_a_change_from_a_later_read(
    changes: list[int], ahead_s: list[int], delays: list[int], times: list[tuple[int, int]]
) -> None:
    """Pushes are wrong and late at will; the last read begins when all of them have arrived."""
    record = contents(changes, ahead_s)
    pushes = [
        Told(changed + delay * S, Reading(each, changed + delay * S))
        for number, delay in enumerate(delays)
        for changed, each in [record[number % len(record)]]
    ]
    assert outcome([*pushes, *reads(record, [*times, (1_000, 0)])]).revision == record[-1][1]


@given(CHANGES, st.lists(st.integers(-4_000, 4_000), min_size=1, max_size=4), READS)
def test_what_is_only_read_is_never_older_than_the_last_read(
    changes: list[int], ahead_s: list[int], times: list[tuple[int, int]]
) -> None:
    record = contents(changes, ahead_s)
    told = reads(record, times)
    known = Reading("", 0)
    for each in told:
        if is_newer(each.reading, known):
            known = each.reading
        assert known.revision == each.reading.revision
