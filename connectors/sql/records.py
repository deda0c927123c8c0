"""Whole records: a row with its lists, as the database holds them at one moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.exc import DataError as BadValue

from connectors.errors import ConfigError
from connectors.sql.answers import error_of
from connectors.sql.columns import Column, column, field_of, instant, kind_of, plain, python_type, readable, reflected
from connectors.sql.config import Child, Read
from schemas.document import Document, DocumentType, Field, Kind, Value
from schemas.identity import revision

Key: TypeAlias = tuple[Any, ...]
KEY_SEPARATOR = "|"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Lines:
    """One list of a record: its table, what is read of it, and how its rows find their record."""

    name: str
    table: sa.Table
    columns: Sequence[Column]
    parent: Sequence[Column]
    key: Sequence[Column]
    changed: Sequence[Column]


class Records:
    """The records of one table. Raises ConfigError where the configuration does not fit the database."""

    def __init__(self, connection: sa.Connection, read: Read, zone: ZoneInfo) -> None:
        self.name, self._zone = read.document, zone
        setting = f"read.{read.document}"
        self.table = reflected(connection, setting, read.table)
        self._columns = readable(self.table, setting, read.leave_out)
        self.key = [column(self.table, f"{setting}.key", name) for name in read.key]
        self.changed = [column(self.table, f"{setting}.changed", name) for name in read.changed or ()]
        self._deleted = None if read.deleted is None else _flag(self.table, setting, read.deleted)
        self.lists = [self._lines(connection, setting, name, child) for name, child in read.lists.items()]
        left_out = [each.name for each in (*self.key, *self.changed) if each not in self._columns]
        if left_out:
            raise ConfigError(f"{setting}.leave_out", f"{left_out[0]} is needed.", "Take it out of the list.")

    def _lines(self, connection: sa.Connection, setting: str, name: str, child: Child) -> Lines:
        where = f"{setting}.lists.{name}"
        table = reflected(connection, where, child.table)
        parent = [column(table, f"{where}.parent", each) for each in child.parent]
        if [python_type(each) for each in parent] != [python_type(each) for each in self.key]:
            remedy = f"They have to be as many and of the same types as the key of {self.table.fullname}."
            raise ConfigError(f"{where}.parent", f"{', '.join(child.parent)} cannot be compared.", remedy)
        key = [column(table, f"{where}.key", each) for each in child.key]
        changed = [column(table, f"{where}.changed", each) for each in child.changed or ()]
        return Lines(name, table, readable(table, where, child.leave_out), parent, key, changed)

    def document_type(self) -> DocumentType:
        """What the records look like: the columns, then the lists."""
        fields = [field_of(each, writable=False) for each in self._columns]
        for lines in self.lists:
            inner = tuple(field_of(each, writable=False) for each in lines.columns)
            fields.append(Field(lines.name, Kind.LIST, inner, writable=False, doc=f"Rows of {lines.table.fullname}."))
        return DocumentType(self.name, tuple(fields), doc=f"A row of {self.table.fullname}.")

    def documents(self, connection: sa.Connection, notices: Mapping[Key, int]) -> list[Document]:
        """The documents of these keys in their order; a record that the driver cannot read gives one that says so.

        The value of a key is the stamp of its notice: one whose record is gone tells of a deletion. It is 0 where the
        records have stamps of their own, and what has no record there is none.
        """
        try:
            with connection.begin_nested():
                return self._whole(connection, notices)
        except BadValue as error:
            if len(notices) == 1:
                return [self._unreadable(key, f"{self.table.fullname}: {error_of(error)}") for key in notices]
        return [each for key, stamp in notices.items() for each in self.documents(connection, {key: stamp})]

    def _whole(self, connection: sa.Connection, notices: Mapping[Key, int]) -> list[Document]:
        rows = self._rows(connection, self._columns, self.key, list(notices), self.key)
        headers = {_key(row, self.key): row for row in rows}
        lists = {each.name: self._by_parent(connection, each, list(headers)) for each in self.lists}
        return [
            self._document(key, stamp, headers[key], {name: found.get(key, []) for name, found in lists.items()})
            if key in headers
            else self._gone(key, stamp)
            for key, stamp in notices.items()
            if key in headers or stamp
        ]

    def _unreadable(self, key: Key, problem: str) -> Document:
        """A document that stands for a record which cannot be read, so that it is parked."""
        fields = {each.name: str(value) for each, value in zip(self.key, key, strict=True)}
        return Document(self.name, _id(key), revision(0, fields), fields, problem=problem)

    def _gone(self, key: Key, stamp: int) -> Document:
        fields = {each.name: plain(value, self._zone) for each, value in zip(self.key, key, strict=True)}
        return Document(self.name, _id(key), revision(stamp, fields), fields, deleted=True)

    def _document(
        self, key: Key, stamp: int, row: sa.RowMapping, lists: Mapping[str, Sequence[sa.RowMapping]]
    ) -> Document:
        stamps = [row[each] for each in self.changed]
        fields: dict[str, Value] = {}
        try:
            for each in self._columns:
                fields[each.name] = plain(row[each], self._zone)
            for lines in self.lists:
                rows = lists[lines.name]
                stamps += [line[each] for line in rows for each in lines.changed]
                fields[lines.name] = [
                    {each.name: plain(line[each], self._zone) for each in lines.columns} for line in rows
                ]
        except ValueError as error:
            return self._unreadable(key, f"{self.table.fullname}: {error}")
        newest = max((number_of(each, self._zone) for each in stamps if each is not None), default=0)
        deleted = self._deleted is not None and bool(row[self._deleted])
        return Document(self.name, _id(key), revision(stamp or max(0, newest), fields), fields, deleted=deleted)

    def _by_parent(
        self, connection: sa.Connection, lines: Lines, keys: Sequence[Key]
    ) -> dict[Key, list[sa.RowMapping]]:
        found: dict[Key, list[sa.RowMapping]] = {}
        wanted = list(dict.fromkeys([*lines.columns, *lines.parent, *lines.changed]))
        for row in self._rows(connection, wanted, lines.parent, keys, lines.key):
            found.setdefault(_key(row, lines.parent), []).append(row)
        return found

    def _rows(
        self,
        connection: sa.Connection,
        columns: Sequence[Column],
        by: Sequence[Column],
        keys: Sequence[Key],
        order: Sequence[Column],
    ) -> Sequence[sa.RowMapping]:
        if not keys:
            return []
        return connection.execute(sa.select(*columns).where(among(by, keys)).order_by(*order)).mappings().all()


def among(columns: Sequence[Column], keys: Iterable[Key]) -> sa.ColumnElement[bool]:
    """The condition that the columns hold one of these keys; row values are not known to every database."""
    if len(columns) == 1:
        return columns[0].in_([value for (value,) in keys])
    return sa.or_(*(sa.and_(*(each == value for each, value in zip(columns, key, strict=True))) for key in keys))


def number_of(value: object, zone: ZoneInfo) -> int:
    """A change's time as UTC microseconds, a change's number as it is."""
    if isinstance(value, datetime):
        since = instant(value, zone) - EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    assert isinstance(value, int | Decimal)
    return int(value)


def _key(row: sa.RowMapping, columns: Sequence[Column]) -> Key:
    return tuple(row[each] for each in columns)


def _id(key: Key) -> str:
    return KEY_SEPARATOR.join(str(value) for value in key)


def _flag(table: sa.Table, setting: str, name: str) -> Column:
    found = column(table, f"{setting}.deleted", name)
    if kind_of(found) not in (Kind.BOOLEAN, Kind.INTEGER, Kind.INSTANT, Kind.DATE):
        remedy = "It has to be a truth value, a whole number or a time: read a view that makes one of it."
        raise ConfigError(f"{setting}.deleted", f"{table.fullname}.{name} is {found.type!r}.", remedy)
    return found
