"""Bitmaps of a change event's header: which fields changed, were nulled or differ (contract section 5).

A plain bitmap is a hex number whose lowest bit stands for Avro field 0. `12-0x3` holds the children of the compound
field at place 12.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def places(bitmap: str) -> list[int]:
    """The places of the bits that are set, lowest first. Raises ValueError for a text that is no hex number."""
    number = int(bitmap, 16)
    if number < 0:
        raise ValueError(f"a bitmap is never negative: {bitmap!r}")
    return [place for place in range(number.bit_length()) if number >> place & 1]


def named(bitmaps: Iterable[str], schema: Mapping[str, Any]) -> list[str]:
    """The names that bitmaps stand for under the event's own Avro schema; children as `Compound.Child`.

    Raises ValueError for a place that the schema does not have: then it is not the schema of this event.
    """
    names: list[str] = []
    for bitmap in bitmaps:
        parent, hyphen, bits = bitmap.rpartition("-")
        if hyphen:
            compound = _at(schema["fields"], int(parent))
            children = _children(compound)
            names.extend(f"{compound['name']}.{_at(children, place)['name']}" for place in places(bits))
        else:
            names.extend(str(_at(schema["fields"], place)["name"]) for place in places(bits))
    return names


def _at(fields: Sequence[Mapping[str, Any]], place: int) -> Mapping[str, Any]:
    if place >= len(fields):
        raise ValueError(f"a bitmap names place {place}, the schema has {len(fields)}")
    return fields[place]


def _children(field: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The fields of the record among a compound field's types."""
    types = field["type"] if isinstance(field["type"], list) else [field["type"]]
    for each in types:
        if isinstance(each, Mapping) and each.get("type") == "record":
            children: Sequence[Mapping[str, Any]] = each["fields"]
            return children
    raise ValueError(f"{field['name']} is no compound field")
