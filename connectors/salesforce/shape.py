"""Whether a record has what the connector itself needs of it, and what becomes of one that has not.

Field by field, because one record that somebody's trigger or a gateway damaged must not stop the others: it travels
as a document that says why it cannot be read, and is parked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from connectors.errors import TransientError
from connectors.salesforce.documents import ORDER
from connectors.salesforce.position import time_us_of
from schemas.document import Document, Value, to_json
from schemas.identity import content_hash, revision


def _is_id(value: Value) -> bool:
    return isinstance(value, str) and value.isascii() and value.isalnum()


def _is_stamp(value: Value) -> bool:
    try:
        return isinstance(value, str) and time_us_of(value) >= 0
    except (ValueError, OverflowError):
        return False


def _is_flag(value: Value) -> bool:
    return isinstance(value, bool)


Needs: TypeAlias = Mapping[str, tuple[str, Callable[[Value], bool]]]
"""What must stand in which field, in words and as a check."""

ID: Needs = {"Id": ("an id of letters and digits", _is_id)}
STAMP: Needs = {"SystemModstamp": ("a time with its offset", _is_stamp)}
DELETED: Needs = {"IsDeleted": ("true or false", _is_flag)}
KEYSET: Needs = {**ID, **STAMP}
LINE_KEYS: Needs = {**ID, "OrderId": ID["Id"]}
LINE_OF_A_WALK: Needs = {**LINE_KEYS, **STAMP}


def problem_of(record: Mapping[str, Value], needs: Needs) -> str:
    """What is wrong with the first field that is not what it must be; empty where nothing is."""
    for name, (expected, fits) in needs.items():
        if not fits(record.get(name)):
            return f"{name} is {record.get(name)!r:.100}, and {expected} is expected"
    return ""


def problem_of_order(record: Mapping[str, Value]) -> str:
    """The same for an order with its lines."""
    lines = record.get("OrderItems")
    if problem := problem_of(record, {**KEYSET, **DELETED}):
        return problem
    if lines is not None and not isinstance(lines, list):
        return f"OrderItems is {lines!r:.100}, and a list of lines is expected"
    for number, line in enumerate(lines or [], 1):
        found = problem_of(line, {**LINE_OF_A_WALK, **DELETED}) if isinstance(line, Mapping) else "it is no record"
        if found:
            return f"line {number}: {found}"
    return ""


def identified(record: Mapping[str, Value]) -> str:
    """The record's id. Raises TransientError without one: the order that was asked for would look deleted."""
    if problem := problem_of(record, ID):
        raise TransientError(f"a query for orders by id answered a record whose {problem}: {to_json(record)[:200]}")
    return str(record["Id"])


def unreadable(record: Mapping[str, Value], problem: str) -> Document:
    """The document of an order that cannot be read; without an id its content is all that tells it from others."""
    known_as = f"without-id-{content_hash(record)}" if problem_of(record, ID) else str(record["Id"])
    stamp = 0 if problem_of(record, STAMP) else time_us_of(str(record["SystemModstamp"]))
    return Document(ORDER, known_as, revision(stamp, record), record, record.get("IsDeleted") is True, problem)
