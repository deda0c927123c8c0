"""A canonical record as a person reads it: decimals, dates and instants in their own form instead of ints."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import cast

from schemas.document import Field, Fields, Kind, Value
from schemas.event import Canonical, Record
from schemas.shapes import described
from schemas.wire import iso_instant

EPOCH_DAY = date(1970, 1, 1)


def readable(record: str, value: Record) -> Fields:
    """The record of that name with exact decimals, ISO 8601 dates and instants, and bytes as base64.

    Raises ValueError where a date or instant is in no year from 1 to 9999.
    """
    return _fields(described(record).fields, value)


def decimal_of(unscaled: int, scale: int = 6) -> Decimal:
    """The number behind an unscaled int, without zeros at its end."""
    found = Decimal(unscaled).scaleb(-scale)
    whole = found.to_integral_value()
    return whole.quantize(Decimal(1)) if found == whole else found.normalize()


def _day(days: int) -> str:
    try:
        return (EPOCH_DAY + timedelta(days=days)).isoformat()
    except OverflowError as error:
        raise ValueError(f"{days} days since 1970 are in no year from 1 to 9999") from error


def _fields(fields: Sequence[Field], value: Record) -> Fields:
    return {field.name: _value(field, value[field.name]) for field in fields if field.name in value}


def _value(field: Field, value: Canonical) -> Value:
    if value is None:
        return None
    match field.kind:
        case Kind.DECIMAL:
            return decimal_of(cast("int", value), field.scale)
        case Kind.DATE:
            return _day(cast("int", value))
        case Kind.INSTANT:
            return iso_instant(cast("int", value))
        case Kind.BYTES:
            return base64.b64encode(cast("bytes", value)).decode()
        case Kind.GROUP:
            return _fields(field.fields, cast("Record", value))
        case Kind.LIST:
            return [_fields(field.fields, each) for each in cast("Sequence[Mapping[str, Canonical]]", value)]
        case _:
            return cast("Value", value)
