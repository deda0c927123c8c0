"""Generated records of every shipped schema, twice: on ints as inside the process, and as fastavro's own types."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import hypothesis.strategies as st

from schemas.catalog import schema

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_DAY, LAST_DAY = -719162, 2932896  # 0001-01-01 and 9999-12-31: what a Python date can hold
US_OF_A_DAY = 86_400_000_000

Both = tuple[Any, Any]
"""One value on ints, and the same as fastavro's logical types have it."""


def records(name: str) -> st.SearchStrategy[Both]:
    """Pairs of the same record of one shipped schema."""
    return _value(schema(name), {})


def _value(node: Any, named: dict[str, Any]) -> st.SearchStrategy[Both]:
    if isinstance(node, list):
        return st.one_of([_value(branch, named) for branch in node])
    if isinstance(node, str):
        return PRIMITIVES[node] if node in PRIMITIVES else _value(named[node], named)
    if "logicalType" in node:
        logical: st.SearchStrategy[Both] = LOGICAL[node["logicalType"]](node)
        return logical
    match node["type"]:
        case "record":
            named[f"lineshaft.{node['name']}"] = node
            return _record({field["name"]: _value(field["type"], named) for field in node["fields"]})
        case "enum":
            named[f"lineshaft.{node['name']}"] = node
            return _same(st.sampled_from(node["symbols"]))
        case "array":
            return st.lists(_value(node["items"], named), max_size=3).map(
                lambda pairs: ([a for a, _ in pairs], [b for _, b in pairs])
            )
        case other:
            return PRIMITIVES[other]


def _record(fields: Mapping[str, st.SearchStrategy[Both]]) -> st.SearchStrategy[Both]:
    return st.fixed_dictionaries(dict(fields)).map(
        lambda pairs: ({k: a for k, (a, _) in pairs.items()}, {k: b for k, (_, b) in pairs.items()})
    )


def _same(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Both]:
    return values.map(lambda value: (value, value))


def _decimal(node: Mapping[str, Any]) -> st.SearchStrategy[Both]:
    limit, scale = 10 ** node["precision"] - 1, node["scale"]
    return st.integers(-limit, limit).map(lambda n: (n, Decimal(n).scaleb(-scale)))


def _date(_: Mapping[str, Any]) -> st.SearchStrategy[Both]:
    return st.integers(FIRST_DAY, LAST_DAY).map(lambda n: (n, date(1970, 1, 1) + timedelta(days=n)))


def _instant(_: Mapping[str, Any]) -> st.SearchStrategy[Both]:
    every = st.integers(FIRST_DAY * US_OF_A_DAY, (LAST_DAY + 1) * US_OF_A_DAY - 1)
    return every.map(lambda n: (n, EPOCH + timedelta(microseconds=n)))


PRIMITIVES: Mapping[str, st.SearchStrategy[Both]] = {
    "null": _same(st.none()),
    "string": _same(st.text(max_size=8)),
    "bytes": _same(st.binary(max_size=8)),
    "boolean": _same(st.booleans()),
    "int": _same(st.integers(-(2**31), 2**31 - 1)),
    "long": _same(st.integers(-(2**63), 2**63 - 1)),
}
LOGICAL: Mapping[str, Any] = {"decimal": _decimal, "date": _date, "timestamp-micros": _instant}
