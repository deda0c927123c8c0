"""Fields of a far system's JSON records, as an administrator declares them: kinds, places, values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias, cast

from pydantic import BeforeValidator, Field

from connectors.config import Settings
from connectors.errors import DataError
from connectors.json_path import at
from schemas.document import Field as DocumentField
from schemas.document import Fields, Kind, Value, to_json

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MOST_DIGITS = 400
"""A double has about 310 before the point; more are an attack or a defect, and would be written out in full."""

Times = Literal["iso", "epoch_s", "epoch_ms"]
"""How a system writes a moment: ISO 8601 (UTC where it has no offset), or seconds or milliseconds since 1970."""

PER_UNIT_US: Mapping[Times, int] = {"epoch_s": 1_000_000, "epoch_ms": 1_000}


def _short(value: object) -> object:
    return {"kind": value} if isinstance(value, str) else value


class Column(Settings):
    """One field of a record. A bare word is its kind."""

    kind: Literal["text", "integer", "decimal", "boolean", "date", "instant", "texts", "group", "list"] = Field(
        default="text",
        description="text, integer, decimal, boolean, date, instant, texts, group or list (of records).",
    )
    at: str = Field(default="", description="Where it is in the record, e.g. customer.name; else at its own name.")
    required: bool = Field(default=False, description="Whether a record without it is wrong.")
    fields: Mapping[str, Annotated[Column, BeforeValidator(_short)]] = Field(
        default={}, description="The fields of a group, or of each record of a list."
    )


Shape: TypeAlias = Mapping[str, Annotated[Column, BeforeValidator(_short)]]
"""Fields by name, as one writes `number: text` or `customer: {at: customer.name}`."""


def declared(shape: Mapping[str, Column], writable: bool) -> tuple[DocumentField, ...]:
    """The fields of a document type."""
    return tuple(
        DocumentField(name, Kind(each.kind), declared(each.fields, writable), each.required, writable=writable)
        for name, each in shape.items()
    )


def content(shape: Mapping[str, Column], record: Value, times: Times) -> Fields:
    """A record's declared fields, empty ones as None. Raises DataError naming the one that is not of its kind."""
    return {name: _read(name, each, at(record, each.at or name), times) for name, each in shape.items()}


def wire(shape: Mapping[str, Column], fields: Fields, times: Times) -> Fields:
    """A document's fields as the far system takes them. Raises DataError naming the one that is missing or wrong."""
    sent: dict[str, Value] = {}
    for name, each in shape.items():
        if name in fields:
            _place(sent, each.at or name, _written(name, each, fields[name], times))
        elif each.required:
            raise DataError(f"{name} is required and not there")
    return sent


def instant_us(value: Value, times: Times) -> int:
    """UTC microseconds of a moment. Raises DataError on what is none."""
    try:
        if times != "iso":
            return int(Decimal(str(value)) * PER_UNIT_US[times])
        moment = datetime.fromisoformat(str(value))
        zoned = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return (zoned - EPOCH) // MICROSECOND
    except (ValueError, ArithmeticError) as error:
        raise DataError(f"{str(value)[:100]!r} is no moment ({times})") from error


def moment(at_us: int, times: Times) -> str:
    """A moment as the far system writes it, never later than it is."""
    if times != "iso":
        return str(at_us // PER_UNIT_US[times])
    return (EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _read(name: str, column: Column, value: Value, times: Times) -> Value:
    if value is None or value == "":
        if column.required:
            raise DataError(f"{name} is required and empty")
        return [] if column.kind in ("list", "texts") else None
    if column.kind in ("group", "list"):
        return _nested(name, column, value, lambda each: content(column.fields, each, times))
    try:
        return _instant(value, times) if column.kind == "instant" else KINDS[column.kind](value)
    except (DataError, ValueError, LookupError, ArithmeticError) as error:
        raise DataError(f"{name} is {to_json(value)[:100]}, which is no {column.kind}") from error


def _nested(name: str, column: Column, value: Value, each: Callable[[Value], Fields]) -> Value:
    if column.kind == "group":
        if not isinstance(value, Mapping):
            raise DataError(f"{name} is {to_json(value)[:100]}, which is no group")
        return each(value)
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise DataError(f"{name} is {to_json(value)[:100]}, which is no list of records")
    return [each(one) for one in value]


def _instant(value: Value, times: Times) -> Value:
    return moment(instant_us(value, times), "iso")


def _text(value: Value) -> Value:
    if isinstance(value, bool | list | Mapping):
        raise ValueError(value)
    return str(value)


def _integer(value: Value) -> Value:
    number = _decimal(value)
    if number != number.to_integral_value():
        raise ValueError(value)
    return int(number)


def _decimal(value: Value) -> Decimal:
    if isinstance(value, bool):
        raise ValueError(value)
    plain = Decimal(str(value)).normalize()
    if not plain.is_finite() or abs(plain.adjusted()) > MOST_DIGITS:
        raise ValueError(value)
    return Decimal(format(plain, "f"))


def _boolean(value: Value) -> Value:
    return {"true": True, "1": True, "false": False, "0": False}[str(value).lower()]


def _date(value: Value) -> Value:
    return date.fromisoformat(str(value).partition("T")[0]).isoformat()


def _texts(value: Value) -> Value:
    if not isinstance(value, list):
        raise ValueError(value)
    return [_text(each) for each in value]


KINDS: Mapping[str, Callable[[Value], Value]] = {
    "text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "boolean": _boolean,
    "date": _date,
    "texts": _texts,
}


def _written(name: str, column: Column, value: Value, times: Times) -> Value:
    if column.kind in ("group", "list") and value not in (None, ""):
        return _nested(name, column, value, lambda each: wire(column.fields, cast("Fields", each), times))
    plain = _read(name, column, value, "iso")
    if column.kind == "instant" and plain is not None and times != "iso":
        return int(moment(instant_us(plain, "iso"), times))
    return plain


def _place(sent: dict[str, Value], path: str, value: Value) -> None:
    """Put a value at its dotted place, making the records on the way."""
    first, dot, rest = path.partition(".")
    if not dot:
        sent[first] = value
        return
    inner = sent.setdefault(first, {})
    if not isinstance(inner, dict):
        raise DataError(f"{first} is a field of its own and cannot hold {rest} as well")
    _place(inner, rest, value)
