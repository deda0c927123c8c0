"""Reading a stored position back: whatever is not one of ours is refused, for only a person may drop a position."""

from __future__ import annotations

from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from connectors.contract import Position
from connectors.errors import PositionRefused
from schemas.document import to_json

T = TypeVar("T")


def parsed(position: Position, shape: TypeAdapter[T], whose: str) -> T:
    """The position as its source keeps it in mind. Raises PositionRefused on what is none of `whose` source."""
    try:
        return shape.validate_json(to_json(position), strict=True, extra="forbid")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        shown = to_json(position)[:200]
        raise PositionRefused(
            f"this is no position of a {whose} source ({where}: {first['msg']}): {shown}"
        ) from error
