"""The database's own tables as document types, and the values of their columns on both sides."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.exc import NoSuchTableError

from connectors.errors import ConfigError, DataError
from schemas.document import Field, Kind, Value

Column: TypeAlias = "sa.Column[Any]"

KINDS: Mapping[type, Kind] = {
    bool: Kind.BOOLEAN,
    int: Kind.INTEGER,
    float: Kind.DECIMAL,
    Decimal: Kind.DECIMAL,
    datetime: Kind.INSTANT,
    date: Kind.DATE,
    time: Kind.TEXT,
    UUID: Kind.TEXT,
    str: Kind.TEXT,
}
"""What a document can hold; bytes, JSON, arrays and intervals are none of it."""


def reflected(connection: sa.Connection, setting: str, name: str) -> sa.Table:
    """The table or view of that name as the database describes it. Raises ConfigError where there is none."""
    schema, _, table = name.rpartition(".")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # a type that SQLAlchemy does not know has no kind, and is refused by name
            found = sa.Table(table, sa.MetaData(), schema=schema or None, autoload_with=connection, resolve_fks=False)
    except NoSuchTableError as error:
        inspector = sa.inspect(connection)
        there = [*inspector.get_table_names(schema or None), *inspector.get_view_names(schema or None)]
        remedy = f"{_nearest(table, there)} Perhaps our user has no right to see it."
        raise ConfigError(setting, f"there is no table or view {name}.", remedy) from error
    for each in found.c:
        if connection.dialect.name == "sqlite" and python_type(each) is Decimal:
            each.type = sa.types.NullType()  # SQLite keeps exact numbers as inexact ones
        each.type = getattr(each.type, "data_type", each.type)  # a PostgreSQL domain has the type that it restricts
    return found


def column(table: sa.Table, setting: str, name: str) -> Column:
    """One column. Raises ConfigError where there is none of that name."""
    if name not in table.c:
        raise ConfigError(setting, f"{table.fullname} has no column {name}.", _nearest(name, list(table.c.keys())))
    return table.c[name]


def readable(table: sa.Table, setting: str, leave_out: Sequence[str]) -> list[Column]:
    """The columns that documents hold. Raises ConfigError for one that they cannot."""
    for name in leave_out:
        column(table, f"{setting}.leave_out", name)
    found = [each for each in table.c if each.name not in leave_out]
    for each in found:
        if kind_of(each) is None:
            remedy = "Name it in leave_out, or read a view that makes text of it."
            problem = f"{table.fullname}.{each.name} is of a type that a document cannot hold ({each.type!r})."
            raise ConfigError(setting, problem, remedy)
    return found


def python_type(column: Column) -> type | None:
    """The class of a column's values; None where SQLAlchemy knows none."""
    try:
        return column.type.python_type
    except NotImplementedError:
        return None


def kind_of(column: Column) -> Kind | None:
    """What a column's values are in a document; None where they cannot be there."""
    found = python_type(column)
    return None if found is None else KINDS.get(found)


def field_of(column: Column, writable: bool) -> Field:
    """A column in a document type. Raises KeyError for one that documents cannot hold."""
    kind = kind_of(column)
    assert kind is not None
    required = not column.nullable and (not writable or not _fills_itself(column))
    found = Field(column.name, kind, required=required, writable=writable, doc=column.comment or "")
    symbols = tuple(column.type.enums) if isinstance(column.type, sa.Enum) else ()
    if isinstance(column.type, sa.Numeric) and column.type.precision and column.type.scale is not None:
        precision, scale = column.type.precision, max(0, column.type.scale)
        return Field(found.name, kind, (), required, precision, scale, symbols, writable, found.doc)
    return Field(found.name, kind, (), required, symbols=symbols, writable=writable, doc=found.doc)


def plain(value: object, zone: ZoneInfo) -> Value:
    """A column's value in a document. Raises ValueError for one that no document can hold."""
    if isinstance(value, datetime):
        return instant(value, zone).isoformat()
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"{value} is no number")
    if value is None or isinstance(value, bool | int | Decimal | str):
        return value
    return value.isoformat() if isinstance(value, date | time) else str(value)


def instant(value: datetime, zone: ZoneInfo) -> datetime:
    """The moment in UTC; one without a zone is of `zone`, of an hour that comes twice the first."""
    try:
        return (value if value.tzinfo is not None else value.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{value} is outside of the calendar") from error


def typed(value: Value, column: Column, zone: ZoneInfo) -> object:
    """A document's value for a column. Raises DataError where the column cannot hold all of it."""
    kind = python_type(column)
    if value is None or kind is None:
        return value
    try:
        return TYPED.get(kind, _as_it_is)(value, column, zone)
    except (ValueError, ArithmeticError) as error:
        raise DataError(f"{column.name}: {value!r} is no value of {column.type!r} ({error})", "refused") from error


def _instant(value: Value, column: Column, zone: ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError("it has no offset from UTC")
    return moment if getattr(column.type, "timezone", False) else moment.astimezone(zone).replace(tzinfo=None)


def _decimal(value: Value, column: Column, zone: ZoneInfo) -> Decimal:
    number = Decimal(str(value))
    scale = getattr(column.type, "scale", None)
    if scale is not None and number != round(number, scale):
        raise ValueError(f"the column has {scale} digits after the point, and the database would round")
    return number


def _text(value: Value, column: Column, zone: ZoneInfo) -> str:
    text = str(value)
    text.encode()  # half a character, as scripts leave it that cut a text, cannot be sent
    return text


def _as_it_is(value: Value, column: Column, zone: ZoneInfo) -> object:
    return value


TYPED: Mapping[type, Callable[[Value, Column, ZoneInfo], object]] = {
    datetime: _instant,
    date: lambda value, column, zone: date.fromisoformat(str(value)),
    time: lambda value, column, zone: time.fromisoformat(str(value)),
    UUID: lambda value, column, zone: UUID(str(value)),
    Decimal: _decimal,
    float: lambda value, column, zone: float(str(value)),
    str: _text,
}


def _fills_itself(column: Column) -> bool:
    return column.server_default is not None or column.identity is not None or column.computed is not None


def _nearest(name: str, there: Sequence[str]) -> str:
    near = get_close_matches(name, there, n=1)
    return f"Nearest: {near[0]}." if near else f"There are {', '.join(sorted(there)) or 'none'}."
