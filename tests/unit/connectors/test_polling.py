"""A polling source over made-up lists, and writing until it is certain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Batch, Position
from connectors.errors import Conflict, DataError, LostCursor, PositionRefused, TransientError, UnknownOutcome
from connectors.far_clock import FarClock
from connectors.polling import Found, Listing, Polling
from connectors.settling import TRIES, one_by_one, until_known
from schemas.document import Document
from schemas.identity import revision

OVERLAP_US = 10_000_000
PAGE = 2


@dataclass
class World:
    """A list of records by their moments (whole seconds), and the clock of both sides."""

    now_s: float = 1_000.0
    records: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)
    lost: int = 0

    def change(self, id: str) -> None:
        self.records[id] = int(self.now_s)

    def page(self, place: str, since_us: int) -> Found:
        self.asked.append((place, since_us))
        if place and self.lost:
            self.lost -= 1
            raise LostCursor("gone")
        start = int(place or "0")
        ids = sorted(self.records)[start : start + PAGE]
        documents = [self.document(id) for id in ids]
        more = start + PAGE < len(self.records)
        return Found(documents, str(start + PAGE) if more else None)

    def document(self, id: str) -> Document:
        at_us = self.records[id] * 1_000_000
        return Document("Order", id, revision(at_us, {"at": at_us}), {"at": at_us})

    def polling(self, position: Position | None = None, **more: Listing) -> Polling:
        clock = FarClock("far", lambda: self.now_s)
        made = Polling({"Order": self.page, **more}, "far", "test", 1.0, OVERLAP_US, clock, lambda: self.now_s)
        made.open(position)
        return made


def all_of(source: Polling, world: World, polls: int = 12) -> list[Batch]:
    found = []
    for _ in range(polls):
        world.now_s += 0.5
        batch = source.poll(0)
        if batch is not None:
            found.append(batch)
    return found


def ids(batches: Sequence[Batch]) -> list[str]:
    return [each.id for batch in batches for each in batch.documents]


def test_the_backfill_is_whole_when_every_list_was_read_to_its_end() -> None:
    world = World(records={"a": 1, "b": 2, "c": 3})
    batches = all_of(world.polling(), world)
    assert ids(batches) == ["a", "b", "c"]
    assert [batch.complete for batch in batches] == [False, True]


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 4)), max_size=12))
def test_every_newest_change_is_told_once_and_from_every_position_nothing_behind_it_is_lost(
    edits: list[tuple[str, int]],
) -> None:
    world, batches = World(), []
    source = world.polling()
    for id, polls in edits:
        world.change(id)
        batches += all_of(source, world, polls)
        world.now_s += 1
    batches += all_of(source, world, 20)
    told = [(each.id, each.revision) for batch in batches for each in batch.documents]
    newest = {(id, world.document(id).revision) for id in world.records}
    assert len(told) == len(set(told))
    assert newest <= set(told)
    for number, batch in enumerate(batches):
        before = {(each.id, each.revision) for one in batches[: number + 1] for each in one.documents}
        again = all_of(world.polling(batch.position), world, 20)
        assert newest <= before | {(each.id, each.revision) for one in again for each in one.documents}


def test_a_position_is_given_also_while_nothing_comes_and_not_at_every_look() -> None:
    world = World(records={"a": 1})
    source = world.polling()
    all_of(source, world)
    quiet = all_of(source, world, polls=100)  # 50 seconds, five overlaps
    assert ids(quiet) == []
    assert 3 <= len(quiet) <= 6


def test_a_lost_place_is_read_again_from_the_first_page_once_in_a_look() -> None:
    world = World(records={"a": 998, "b": 999, "c": 1_000}, lost=1)
    assert ids(all_of(world.polling(), world)) == ["a", "b", "c"]
    world = World(records={"a": 1, "b": 2, "c": 3}, lost=9)
    with pytest.raises(TransientError, match="lost a second time"):
        all_of(world.polling(), world)


def test_a_list_that_leads_nowhere_at_its_first_page_is_raised() -> None:
    def gone(place: str, since_us: int) -> Found:
        raise LostCursor("gone")

    world = World()
    with pytest.raises(LostCursor):
        all_of(world.polling(Lot=gone), world)


def test_a_place_to_resume_from_is_where_the_next_look_begins_also_after_a_restart() -> None:
    places: list[str] = []

    def delta(place: str, since_us: int) -> Found:
        places.append(place)
        return Found([], None, f"d{len(places)}")

    world = World()
    batches = all_of(world.polling(Delta=delta), world, polls=8)
    all_of(world.polling(batches[-1].position, Delta=delta), world, polls=8)
    assert places == ["", *(f"d{number + 1}" for number in range(len(places) - 1))]


def test_what_the_far_system_itself_tells_as_changed_is_told_whatever_its_stamp() -> None:
    world, changed = World(), list[Document]()

    def delta(place: str, since_us: int) -> Found:
        return Found([changed.pop()] if place and changed else [], None, "later")

    source = world.polling(Delta=delta)
    all_of(source, world, 8)
    changed.append(Document("Delta", "old", revision(1, {}), {}))
    assert ids(all_of(source, world, 8)) == ["old"]


def test_a_clock_that_was_set_back_loses_no_change() -> None:
    world = World(records={"a": 999})
    source = world.polling()
    all_of(source, world, 20)
    behind = FarClock("far", lambda: world.now_s)
    source._far_clock = behind
    behind.ahead_s = -500.0
    all_of(source, world, 4)
    world.records["b"] = int(world.now_s - 500)
    assert ids(all_of(source, world)) == ["b"]


def test_what_is_no_position_is_refused() -> None:
    with pytest.raises(PositionRefused, match="no position of a test source"):
        World().polling({"cursor": "x"})


def failing(*errors: Exception) -> Callable[[], str]:
    left = list(errors)

    def attempt() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return attempt


@pytest.mark.parametrize("error", [UnknownOutcome("no answer"), Conflict("changed")])
def test_what_nobody_knows_is_attempted_again_and_not_for_ever(error: Exception) -> None:
    assert until_known(failing(*[error] * (TRIES - 1)), "order 1") == "done"
    with pytest.raises(type(error)):
        until_known(failing(*[error] * TRIES), "order 1")


def test_any_other_error_is_not_attempted_again() -> None:
    with pytest.raises(TransientError):
        until_known(failing(TransientError("down")), "order 1")


def test_one_bad_record_stops_no_other_and_an_error_of_the_far_system_stops_all() -> None:
    documents = [Document("Order", str(number), "", {}) for number in range(4)]
    written: list[str] = []

    def write(index: int, document: Document) -> None:
        if document.id == "1":
            raise DataError("never")
        if document.id == "2":
            raise Conflict("later")
        written.append(document.id)

    rejected = one_by_one(documents, write)
    assert [(each.index, type(each.error)) for each in rejected] == [(1, DataError), (2, Conflict)]
    assert written == ["0", "3"]

    def down(index: int, document: Document) -> None:
        raise TransientError("down")

    with pytest.raises(TransientError):
        one_by_one(documents, down)
