"""Where the reading of a company stands: a look whose place in a model is the stamp and the id of the last record."""

from __future__ import annotations

from connectors.contract import Position
from connectors.errors import PositionRefused
from connectors.overlap import Look
from schemas.document import Value


def look_of(position: Position | None) -> Look:
    """The look of a position; those of an earlier version had `model`, `stamp_us` and `id` for stream and place.

    Raises PositionRefused on what is no position of ours.
    """
    if position is not None and "model" in position:
        model, stamp_us, id = (position.get(name) for name in ("model", "stamp_us", "id"))
        rest = {name: value for name, value in position.items() if name not in ("model", "stamp_us", "id")}
        position = {**rest, "stream": model, "place": f"{stamp_us}/{id}" if stamp_us else ""}
    look = Look.parse(position, "Tryton")
    behind(look)
    return look


def place_of(stamp_us: int, id: Value) -> str:
    """The place behind a record."""
    return f"{stamp_us}/{id}"


def behind(look: Look) -> tuple[int, int]:
    """Stamp (UTC microseconds) and id of the last record that was read in the stream; 0 and 0 at its beginning."""
    stamp_us, slash, id = look.place.partition("/")
    if not look.place:
        return 0, 0
    if not (slash and stamp_us.isdecimal() and id.isdecimal()):
        raise PositionRefused(f"this is no position of a Tryton source: its place is {look.place[:100]!r}")
    return int(stamp_us), int(id)
