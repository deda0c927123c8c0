"""Conditions of a query as functions of a record, with the types of the fields checked first."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from connectors.salesforce.simulator.answers import ApiError
from connectors.salesforce.simulator.ids import canonical
from connectors.salesforce.simulator.model import FieldDef, FieldType
from connectors.salesforce.simulator.soql import Both, Comparison, Condition, Constant, Not
from connectors.salesforce.simulator.tables import Record
from connectors.salesforce.simulator.values import moment_of
from schemas.document import Value

Test: TypeAlias = Callable[[Record], bool]
Reader: TypeAlias = Callable[[Record], Value]
Resolve: TypeAlias = Callable[[str], tuple[FieldDef, Reader]]

LITERALS: Mapping[FieldType, str] = {"date": "date", "datetime": "moment", "double": "number", "boolean": "word"}

COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def compiled(condition: Condition | None, resolve: Resolve) -> Test:
    """The condition as a function. Raises ApiError for unknown fields and literals of the wrong type."""
    if condition is None:
        return lambda record: True
    if isinstance(condition, Comparison):
        return _comparison(condition, resolve)
    if isinstance(condition, Not):
        part = compiled(condition.part, resolve)
        return lambda record: not part(record)
    parts = [compiled(part, resolve) for part in condition.parts]
    if isinstance(condition, Both):
        return lambda record: all(part(record) for part in parts)
    return lambda record: any(part(record) for part in parts)


def _comparison(comparison: Comparison, resolve: Resolve) -> Test:
    field, read = resolve(comparison.path)
    operator = comparison.operator
    wanted = [_operand(field, constant) for constant in comparison.constants]
    if operator == "LIKE":
        pattern = _like(comparison.constants[0])
        return lambda record: pattern.fullmatch(str(read(record) or "")) is not None
    if operator in ("IN", "NOT IN"):
        members, inside = frozenset(wanted), operator == "IN"
        return lambda record: (_comparable(field, read(record)) in members) is inside
    compare, right = COMPARE[operator], wanted[0]
    if operator in ("=", "!="):
        return lambda record: compare(_comparable(field, read(record)), right)

    def ordered(record: Record) -> bool:
        left = _comparable(field, read(record))
        return left is not None and right is not None and compare(left, right)

    return ordered


def _operand(field: FieldDef, constant: Constant) -> Any:
    if constant.text == "null" and constant.kind == "word":
        return False if field.type == "boolean" else None
    if constant.kind != LITERALS.get(field.type, "string"):
        enclosed = "should not be enclosed in quotes" if constant.kind == "string" else "is of another type"
        raise ApiError(
            400,
            "INVALID_FIELD",
            f"value of filter criterion for field '{field.name}' must be of type {field.type} and {enclosed}",
        )
    if field.type == "double":
        return constant.number
    return _comparable(field, constant.text == "true" if field.type == "boolean" else constant.text)


def _comparable(field: FieldDef, value: Value) -> Any:
    """Texts compare without regard to letter case, as in the real system; instants as instants."""
    if not isinstance(value, str):
        return value
    if field.type == "datetime":
        return moment_of(value)
    return canonical(value) if field.type in ("id", "reference") else value.lower()


def _like(constant: Constant) -> re.Pattern[str]:
    signs = {"%": ".*", "_": "."}
    return re.compile("".join(signs.get(sign, re.escape(sign)) for sign in constant.text), re.IGNORECASE | re.DOTALL)


def sort_key(field: FieldDef, value: Value) -> tuple[bool, Any]:
    """A key that puts nulls first, as the real system does by default."""
    comparable = _comparable(field, value)
    return comparable is not None, comparable
