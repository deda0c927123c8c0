"""Tryton's JSON: values with a `__class__`, and back (contract section 4)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from connectors.errors import DataError
from schemas.document import Fields, Value, to_json

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MOMENT = ("year", "month", "day", "hour", "minute", "second", "microsecond")


def plain(value: Value) -> Value:
    """A document's value for one of Tryton's: dates and instants as ISO 8601 text, times being UTC."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("__class__")
    if not isinstance(kind, str):
        return plain_record(value)
    if kind not in KINDS:
        raise DataError(f"a value of the unknown class {kind!r}: {to_json(value)[:100]}")
    return KINDS[kind](value)


def plain_record(record: Fields) -> Fields:
    """A record with plain values, without the name of its model."""
    return {name: plain(each) for name, each in record.items() if name != "__name__"}


def _instant(value: Fields) -> Value:
    year, month, day, hour, minute, second, microsecond = _numbers(value, MOMENT)
    return f"{datetime(year, month, day, hour, minute, second, microsecond).isoformat()}Z"


def _date(value: Fields) -> Value:
    year, month, day = _numbers(value, MOMENT[:3])
    return date(year, month, day).isoformat()


def _decimal(value: Fields) -> Value:
    return Decimal(str(value["decimal"]))


def _seconds(value: Fields) -> Value:
    return Decimal(str(value["seconds"]))


def _text(value: Fields) -> Value:
    return str(value.get("base64", ""))


def _numbers(value: Fields, names: tuple[str, ...]) -> list[int]:
    return [int(str(value.get(name, 0))) for name in names]


KINDS: Mapping[str, Callable[[Fields], Value]] = {
    "datetime": _instant,
    "date": _date,
    "Decimal": _decimal,
    "timedelta": _seconds,
    "bytes": _text,
}


def instant_us(text: Value) -> int:
    """UTC microseconds of an instant as `plain` writes it."""
    return (datetime.fromisoformat(str(text)) - EPOCH) // MICROSECOND


def typed_instant(at_us: int) -> Fields:
    """An instant for a domain."""
    at = EPOCH + timedelta(microseconds=at_us)
    return {"__class__": "datetime", **{name: getattr(at, name) for name in MOMENT}}


def typed_date(text: str) -> Fields:
    """A date to be written."""
    at = date.fromisoformat(text)
    return {"__class__": "date", "year": at.year, "month": at.month, "day": at.day}


def typed_decimal(number: Value) -> Fields:
    """An exact number to be written. Raises DataError on what is none."""
    if isinstance(number, bool) or not isinstance(number, int | Decimal):
        raise DataError(f"{number!r} is no number")
    return {"__class__": "Decimal", "decimal": str(number)}


def encoded(value: Value) -> str:
    """JSON for a query or a header."""
    return base64.urlsafe_b64encode(to_json(value).encode()).decode()
