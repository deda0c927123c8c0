"""FULL_TRANSITIVE: every version of a schema reads what every other version has written.

The versions that were released are the files schemas/avro/history/<Record>.<n>.avsc; Apache Avro's own checker says
whether two of them agree; what it does not look at, logical types with their scale and precision, is compared here,
because a decimal of another scale is read as another number.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import cast

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse

from schemas.catalog import Schema, history, schema

MEANING = ("logicalType", "precision", "scale")


def problems(older: Mapping[str, Schema], newer: Mapping[str, Schema]) -> list[str]:
    """Why the two versions do not read each other, in both directions; empty where they do."""
    both_ways = _reads(newer, older, "the newer reading the older") + _reads(
        older, newer, "the older reading the newer"
    )
    before, now = dict(_meanings(dict(older), "")), dict(_meanings(dict(newer), ""))
    changed = [where for where in before if where in now and before[where] != now[where]]
    return both_ways + [f"{where}: was {before[where]}, is {now[where]}" for where in changed]


def _meanings(node: Schema, where: str) -> Iterator[tuple[str, str]]:
    """Where numbers and bytes stand, and what they mean there; a plain one means itself."""
    if isinstance(node, list):
        for branch in node:
            yield from _meanings(branch, where)
    elif isinstance(node, str):
        if node != "null":
            yield where, node
    elif isinstance(node, dict) and "logicalType" in node:
        yield where, " ".join(f"{each}={node[each]}" for each in MEANING if each in node)
    elif isinstance(node, dict):
        for field in cast("list[dict[str, Schema]]", node.get("fields", [])):
            yield from _meanings(field["type"], f"{where}.{field['name']}".lstrip("."))
        if "items" in node:
            yield from _meanings(node["items"], f"{where}[]")


def breaks(record: str) -> list[str]:
    """Everything that makes today's schema of `record` disagree with a released one."""
    return [
        f"{record} against version {number}: {problem}"
        for number, released in history(record).items()
        for problem in problems(released, schema(record))
    ]


def _reads(reader: Mapping[str, Schema], writer: Mapping[str, Schema], direction: str) -> list[str]:
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]
    found = checker.get_compatibility(parse(json.dumps(reader)), parse(json.dumps(writer)))
    if found.compatibility is SchemaCompatibilityType.compatible:
        return []
    return [f"{direction}: {message}" for message in sorted(found.messages)]
