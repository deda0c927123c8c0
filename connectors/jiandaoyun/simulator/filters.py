"""The filter of `data/list` (contract section 3): which records meet it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from connectors.jiandaoyun.simulator.form import Widget, moment_ms
from connectors.jiandaoyun.simulator.refusal import Refusal
from schemas.document import Fields, Value

IN_LIMIT = 1000
DATE_METHODS = frozenset({"eq", "ne", "range", "empty", "not_empty"})

Test = Callable[[Value, Sequence[Value]], bool]


def keep(records: Sequence[Fields], where: Value, form: Sequence[Widget]) -> list[Fields]:
    """The records that meet the filter; all of them where there is none. Raises Refusal on a wrong filter."""
    if where is None or where == {}:
        return list(records)
    if not isinstance(where, dict) or where.get("rel") not in ("and", "or"):
        raise Refusal(4815, "rel is and or or")
    conditions = where.get("cond", [])
    if not isinstance(conditions, list):
        raise Refusal(4815, "cond is a list")
    tests = [_condition(condition, form) for condition in conditions]
    together = all if where["rel"] == "and" else any
    return [record for record in records if not tests or together(test(record) for test in tests)]


def _condition(condition: Value, form: Sequence[Widget]) -> Callable[[Fields], bool]:
    if not isinstance(condition, dict):
        raise Refusal(4815, "a condition is an object")
    field, method = condition.get("field"), condition.get("method")
    if method not in METHODS or not isinstance(method, str):
        raise Refusal(4815, f"no method {method!r}")
    name, kind = _field(str(field), form)
    if kind == "datetime" and method not in DATE_METHODS:
        raise Refusal(4815, f"a date takes {', '.join(sorted(DATE_METHODS))}")
    value = condition.get("value", [])
    values: Sequence[Value] = value if isinstance(value, list) else [value]
    if method == "in" and len(values) > IN_LIMIT:
        raise Refusal(17017, f"in takes up to {IN_LIMIT} values")
    comparable = COMPARABLE.get(kind, _same)
    try:
        wanted = [comparable(item) for item in values]
    except ValueError as error:
        raise Refusal(4815, str(error)) from error
    return lambda record: METHODS[method](comparable(record.get(name)), wanted)


def _field(name: str, form: Sequence[Widget]) -> tuple[str, str]:
    """A field's key in records and its type. `updateTime` is not among them: that it filters is unconfirmed."""
    if name == "createTime":
        return name, "datetime"
    if name in ("_id", "flowState"):
        return name, "text" if name == "_id" else "number"
    for widget in form:
        if name in (widget.name, widget.widget_name):
            return widget.name, widget.type
    raise Refusal(4815, f"no field {name!r} to filter by")


def _same(value: Value) -> Value:
    return value


def _time(value: Value) -> Value:
    return None if value is None or value == "" else moment_ms(value)


def _is_empty(value: Value) -> bool:
    return value is None or value == "" or value == []


def _number(value: Value) -> Decimal | None:
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def _above(value: Value, limit: Value) -> bool:
    left, right = _number(value), _number(limit)
    return left is not None and right is not None and left > right


def _range(value: Value, wanted: Sequence[Value]) -> bool:
    if _number(value) is None:
        return False
    low, high = (*wanted, None, None)[:2]
    return (low is None or not _above(low, value)) and (high is None or not _above(value, high))


def _items(value: Value) -> Sequence[Value]:
    return value if isinstance(value, list) else [value]


def _verified(value: Value) -> bool:
    return isinstance(value, dict) and value.get("verified") is True


COMPARABLE: Mapping[str, Callable[[Value], Value]] = {"datetime": _time}

METHODS: Mapping[str, Test] = {
    "eq": lambda value, wanted: value in wanted[:1],
    "ne": lambda value, wanted: value not in wanted[:1],
    "in": lambda value, wanted: value in wanted,
    "nin": lambda value, wanted: value not in wanted,
    "range": _range,
    "like": lambda value, wanted: bool(wanted) and str(wanted[0]) in str(value or ""),
    "empty": lambda value, wanted: _is_empty(value),
    "not_empty": lambda value, wanted: not _is_empty(value),
    "all": lambda value, wanted: all(item in _items(value) for item in wanted),
    "gt": lambda value, wanted: bool(wanted) and _above(value, wanted[0]),
    "lt": lambda value, wanted: bool(wanted) and _above(wanted[0], value),
    "verified": lambda value, wanted: _verified(value),
    "unverified": lambda value, wanted: not _verified(value),
}
