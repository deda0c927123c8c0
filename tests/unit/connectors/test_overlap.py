"""Looks that overlap, and what was told lately: nothing that changed is certain too early, and nothing told twice."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import PositionRefused
from connectors.overlap import Beat, Look, Told
from schemas.document import Fields

OVERLAP_US = 300_000_000


@given(st.lists(st.integers(0, 4_000_000_000_000_000), max_size=20))
def test_whatever_the_clock_does_what_is_certain_never_goes_back(times: list[int]) -> None:
    look, before = Look(), Look()
    for now_us in times:
        look = look.begun("sale.sale", now_us).at("sale.line", f"{now_us}/7").ended(OVERLAP_US)
        assert look.since_us >= before.since_us
        assert look.began_us >= before.began_us
        assert Look.parse(look.position(), "test") == look
        before = look


def test_a_position_moves_also_when_nothing_came() -> None:
    first = Look().begun("orders", 1_000_000_000).ended(OVERLAP_US)
    second = first.begun("orders", 2_000_000_000).ended(OVERLAP_US)
    assert (first.since_us, second.since_us) == (700_000_000, 1_700_000_000)
    assert second.backfilled


def test_the_first_look_ends_the_backfill_and_no_other_does() -> None:
    assert not Look().begun("orders", 5).at("orders", "x").backfilled
    assert Look().begun("orders", 5).ended(OVERLAP_US).backfilled


@pytest.mark.parametrize("position", [{"cursor": ""}, {"since_us": "1"}, {"since_us": 1, "more": 2}, {"place": None}])
def test_what_is_no_position_is_refused_and_shown(position: Fields) -> None:
    with pytest.raises(PositionRefused, match="no position of a test source"):
        Look.parse(position, "test")


CHANGE = st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(0, 9))
"""Which record changes, when its transaction began, and how much later it is seen at the most."""


@dataclass
class Table:
    """A table whose changes are stamped with their transaction's start and seen when it ends."""

    changes: Sequence[tuple[int, int, int]]
    told: list[tuple[str, int]] = field(default_factory=list)

    def seen_at(self, now: int, since: int) -> dict[str, int]:
        """The newest stamp of each record as a look at `now` finds them, from `since` on."""
        newest: dict[str, int] = {}
        for record, began, lasts in self.changes:
            if began + lasts <= now:
                newest[f"r{record}"] = max(newest.get(f"r{record}", 0), began)
        return {record: stamp for record, stamp in newest.items() if stamp >= since}


@given(st.lists(CHANGE, max_size=12), st.sets(st.integers(1, 60), max_size=6))
def test_a_change_that_shows_late_is_told_and_no_change_twice(
    changes: list[tuple[int, int, int]], looks_at: set[int]
) -> None:
    """No transaction is longer than the overlap of 10; every record's newest state is told in the end, and once."""
    table, look, told = Table(changes), Look(), Told()
    for now in [*sorted(looks_at), 100]:
        look = look.begun("orders", now)
        told.forget(look.since_us - 10)
        for record, stamp in table.seen_at(now, look.since_us).items():
            if told.is_news("orders", record, str(stamp), stamp):
                table.told.append((record, stamp))
        look = look.ended(10)
    assert len(table.told) == len(set(table.told))
    assert set(table.seen_at(100, 0).items()) <= set(table.told)


def test_what_no_look_can_meet_again_is_forgotten_and_never_kept() -> None:
    told = Told()
    told.forget(100)
    assert told.is_news("orders", "old", "a", 99)
    assert told.is_news("orders", "old", "a", 99)
    assert told.is_news("orders", "new", "a", 100)
    assert not told.is_news("orders", "new", "a", 100)
    told.forget(101)
    assert told.is_news("orders", "new", "a", 100)


def test_the_same_id_of_two_kinds_is_two_records() -> None:
    told = Told()
    assert told.is_news("orders", "1", "a", 1)
    assert told.is_news("lots", "1", "a", 1)


class Hand:
    """A clock that goes when it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_looks_begin_an_interval_apart_however_long_one_takes() -> None:
    clock = Hand()
    beat = Beat(10.0, clock)
    assert beat.wait(0)
    beat.begin()
    clock.now = 4.0
    beat.end()
    assert not beat.wait(0)
    clock.now = 10.0
    assert beat.wait(0)


def test_a_close_interrupts_a_waiting_poll() -> None:
    beat = Beat(3600.0)
    beat.begin()
    beat.end()
    threading.Timer(0.05, beat.close).start()
    assert not beat.wait(3600.0)
    assert beat.closed
