"""Where a source stands: it only moves on, and from anywhere it goes on without a loss."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from connectors.contract import Batch, Position
from connectors.errors import FarError, LostCursor, PositionRefused
from connectors.testing.abilities import ForgettingBench
from connectors.testing.conformance.desk import Desk
from connectors.testing.conformance.driven import DrivenSource, newest, stored
from connectors.testing.conformance.reading import has
from connectors.testing.conformance.rule import Broken, DoesNotApply, rule
from schemas.document import Document

MANY = 60
QUICK = 6
"""Positions that a quick rule restarts from."""

FOREIGN: Position = {"no such field": "of a position of another connector"}
REOPENED = 5


@dataclass(frozen=True)
class Standing:
    """A position that the source gave, what it gave afterwards, and what a new instance gives from there."""

    number: int
    position: Position
    after: Mapping[str, Document]
    again: Mapping[str, Document]


@rule(
    "source", "What came after the position and does not come again is lost: the bus committed the position with it."
)
def a_restart_from_every_position_loses_nothing(desk: Desk) -> None:
    """From each position that was given, a new instance gives the newest of everything that came after it."""
    check_nothing_lost(quick_standings(desk))


@rule("source", "What came after the position and does not come again is lost.", long=True, alone=True)
def a_restart_in_the_middle_of_many_records_loses_nothing(desk: Desk) -> None:
    """The same from each position among many records and changes, with several pages."""
    batches = story(desk, max(MANY, 2 * (desk.facts.page_size or 0) + 1))
    check_nothing_lost(standings(desk, batches, len(batches)))


@rule(
    "source", "After a restart the same changes come again and again, and the far system's memory of them runs out."
)
def a_position_never_goes_back(desk: Desk) -> None:
    """What a new instance gives from a later position it gives from every earlier one as well."""
    found = quick_standings(desk)
    for earlier, later in itertools.pairwise(found):
        more = [name for name in later.again if name not in earlier.again]
        if more:
            raise Broken(
                f"from position {later.number} {more[0]} comes again, and from position {earlier.number}, which was "
                f"given before, it does not: {later.position} lies behind {earlier.position}. Never store a place "
                "that is smaller than the one before"
            )


@rule("source", "The records since the last position would be read as if nothing had been stored, or never.")
def a_position_outlives_the_far_system(desk: Desk) -> None:
    """After the far system was stopped and started, a source goes on from its position and tells what changed."""
    record = desk.make()
    with desk.source() as source:
        source.drain()
    desk.bench.stop()
    desk.bench.start()
    values = desk.text("changed")
    desk.people.change(record, values)
    with desk.source(source.position) as later:
        later.until(lambda: has(later, record, values), f"the change of {record} was not told")


@rule(
    "source", "A position of another connector would be taken for a first start: all orders are read and sent anew."
)
def a_foreign_position_is_refused(desk: Desk) -> None:
    """A position that is none of its own is refused with PositionRefused (or LostCursor), and nothing is read."""
    try:
        with desk.source(FOREIGN) as source:
            source.poll(1)
    except (PositionRefused, LostCursor):
        return
    except FarError as error:
        raise Broken(
            f"the foreign position {FOREIGN} gives {type(error).__name__} ({error}), not PositionRefused"
        ) from error
    raise Broken(f"the foreign position {FOREIGN} is accepted: parse it strictly in open and raise PositionRefused")


@rule(
    "source",
    "A far system that forgets old positions has forgotten ours after a quiet weekend: all is read anew.",
)
def empty_polls_move_the_position(desk: Desk) -> None:
    """While nothing happens a source gives batches without documents whose position moves on."""
    if not desk.facts.ageing_position:
        raise DoesNotApply("the bench says that positions do not age in the far system (Facts.ageing_position)")
    with desk.source() as source:
        source.drain()
        begun, before = len(source.batches), source.position
        idle = "nothing happened, and no batch with a newer position came"
        source.until(lambda: len(source.batches) > begun and moved(source.batches[begun:], before), idle)


@rule("source", "The far system's memory is shorter than an outage: what changed meanwhile would never be told.")
def a_lost_cursor_loses_nothing(desk: Desk) -> None:
    """From a position that the far system has forgotten, a source (or the one opened after LostCursor) tells all."""
    forgetting = desk.ability(ForgettingBench)
    record = desk.make()
    with desk.source() as source:
        source.drain()
    values = desk.text("changed")
    desk.people.change(record, values)
    forgetting.lose_cursor()
    failed = ""
    for _ in range(REOPENED):
        try:
            with desk.source(source.position) as later:
                later.until(partial(has, later, record, values), f"after a lost cursor {record} was not told")
                return
        except LostCursor as error:
            failed = str(error)
    raise Broken(
        f"from a forgotten position the source raises LostCursor every time ({failed}): the bus opens it again "
        "behind the same position, so read again in open what may have changed"
    )


def quick_standings(desk: Desk) -> list[Standing]:
    """A few positions of one story, made once for a far system."""
    return desk.once("standings", lambda: list(standings(desk, story(desk, 4))))


def story(desk: Desk, count: int) -> list[Batch]:
    """Batches of a source while records are made, changed, and changed again."""
    records = desk.make_many(count)
    with desk.source() as source:
        source.drain()
        for record in (records[0], desk.make(), records[-1], records[0]):
            values = desk.text("changed")
            desk.people.change(record, values)
            source.until(partial(has, source, record, values), f"the change of {record} was not told")
        source.drain()
    return source.batches


def standings(desk: Desk, batches: Sequence[Batch], most: int = QUICK) -> Iterator[Standing]:
    """At most so many positions, what came after each, and what a restart from it gives."""
    for number in spread(batches, most):
        batch = batches[number]
        after = newest([document for later in batches[number + 1 :] for document in later.documents])
        with desk.source(batch.position) as again:
            again.comes(partial(holds_all, again, after))
            again.drain()
        yield Standing(number + 1, stored(batch.position), after, again.newest)


def holds_all(source: DrivenSource, wanted: Mapping[str, Document]) -> bool:
    """Whether the source has given each of these documents."""
    return all(source.newest.get(name) == document for name, document in wanted.items())


def spread(batches: Sequence[Batch], most: int) -> Sequence[int]:
    """The numbers of so many batches with different positions: those with documents, then others, from all over."""
    full = [number for number, each in enumerate(batches) if each.documents]
    empty = [number for number, each in enumerate(batches) if not each.documents]
    told = [*full, *empty[:: max(1, len(empty) // max(1, most - len(full)))]][:most] if len(full) < most else full
    return sorted(told[:: max(1, -(-len(told) // most))])


def check_nothing_lost(found: Iterable[Standing]) -> None:
    """Raises Broken for the first record that a restart forgot or told differently."""
    for each in found:
        for name, document in each.after.items():
            if name not in each.again:
                raise Broken(
                    f"{name}@{document.revision} came after batch {each.number}, and a restart from its position "
                    f"{each.position} does not give it: the position must lie before what has not been given yet"
                )
            if each.again[name] != document:
                raise Broken(
                    f"after a restart from the position of batch {each.number} {name} is {each.again[name]!r:.250}, "
                    f"and was {document!r:.250}: a document is made of the record alone"
                )


def moved(batches: Sequence[Batch], before: Position) -> bool:
    """Whether a batch stands elsewhere."""
    return any(batch.position != before for batch in batches)
