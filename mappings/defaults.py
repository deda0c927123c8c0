"""The defaults that the Avro schemas declare, by dotted field name, so that a mapped record is always complete."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TypeAlias, cast

from schemas.catalog import NAMESPACE, Schema, schema
from schemas.event import Canonical

Node: TypeAlias = "Mapping[str, Schema]"


@cache
def defaults(record: str) -> Mapping[str, Canonical]:
    """Default of every field that has one, e.g. `priority` or `lines.cancelled`."""
    found: dict[str, Canonical] = {}
    _record(schema(record), "", {}, found)
    return found


def _record(node: Node, prefix: str, named: dict[str, Node], found: dict[str, Canonical]) -> None:
    named[f"{NAMESPACE}.{node['name']}"] = node
    for each in cast("list[dict[str, Schema]]", node["fields"]):
        name = f"{prefix}{each['name']}"
        if "default" in each:
            found[name] = cast("Canonical", each["default"])
        _nested(each["type"], f"{name}.", named, found)


def _nested(shape: Schema, prefix: str, named: dict[str, Node], found: dict[str, Canonical]) -> None:
    if isinstance(shape, list):
        for branch in shape:
            _nested(branch, prefix, named, found)
    elif isinstance(shape, str) and shape in named:
        _nested(dict(named[shape]), prefix, named, found)
    elif isinstance(shape, dict):
        if shape["type"] == "array":
            _nested(shape["items"], prefix, named, found)
        elif shape["type"] == "record":
            _record(shape, prefix, named, found)
