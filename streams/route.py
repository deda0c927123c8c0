"""Pure step 1: which lines of an order are wanted of which destination, and in which state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from mappings import Cause, MappingFailed, References, Routes
from schemas.event import Record
from schemas.identity import item_reference
from streams.outcome import NoRoute

RELEASED, HELD, CANCELLED = "released", "held", "cancelled"


@dataclass(frozen=True)
class Wanted:
    """One order line, where it is made, and what is wanted of its job order."""

    line: Record
    destination: str
    desired: str


def wanted(
    order: Record, before: Record | None, jobs: Sequence[Record], routes: Routes, references: References
) -> list[Wanted]:
    """What is wanted of every line that has a job order or gets one now.

    A line keeps the destination that was chosen when its job order was made. A line that is gone, or has no
    positive quantity any more, is cancelled with its last known content. Raises MappingFailed for an unknown
    item and NoRoute where no route matches.
    """
    made = {str(job["line_id"]): job for job in jobs}
    released = routes.release(order)
    lines = {str(line["id"]): line for line in _positive(order)}
    gone = [line for line in _positive(before) if str(line["id"]) in made and str(line["id"]) not in lines]
    found = [_line(order, line, made.get(line_id), released, routes, references) for line_id, line in lines.items()]
    cancelled = [Wanted(line, str(made[str(line["id"])]["destination"]), CANCELLED) for line in gone]
    return [each for each in found if each is not None] + cancelled


def _line(
    order: Record, line: Record, job: Record | None, released: bool, routes: Routes, references: References
) -> Wanted | None:
    off = bool(order["cancelled"]) or bool(line["cancelled"])
    if job is not None:
        desired = CANCELLED if off else RELEASED if released else HELD
        return Wanted(line, str(job["destination"]), desired)
    if off or not released:
        return None
    return Wanted(line, _destination(order, line, routes, references), RELEASED)


def _destination(order: Record, line: Record, routes: Routes, references: References) -> str:
    code = str(line["item"])
    item = references.item(code)
    if item is None:
        raise MappingFailed("lines.item", Cause.UNKNOWN_REFERENCE, f"no item {code!r} is known", item_reference(code))
    destination = routes.destination(order, line, item)
    if destination is None:
        raise NoRoute(f"no route matches item {code!r} (site {item.get('site')!r}): add one to the routes")
    return destination


def _positive(order: Record | None) -> list[Record]:
    """The lines that something is to be made for; one of no quantity had its job cancelled when it became so."""
    lines = () if order is None else cast("Sequence[Record]", order["lines"])
    return [line for line in lines if cast("int", line["quantity"]) > 0]
