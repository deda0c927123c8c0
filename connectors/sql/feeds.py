"""Where changes are found: tables in the order of their changes, page by page.

A feed goes through its rows by (order, tie), both from the table itself. A transaction that is committed late puts
its rows behind what was read, so each look begins an overlap before the newest row of the last one; only a feed in
the order of PostgreSQL's transactions needs none, for it reads nothing that is younger than an open one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from connectors.errors import ConfigError, PositionRefused
from connectors.sql.columns import Column, column, python_type, reflected
from connectors.sql.config import Outbox, SqlConfig
from connectors.sql.position import Reached
from connectors.sql.records import Key, Records

PAGE = 100
NEWEST_ID = 2**63 - 1
FIRST, LAST = datetime(1, 1, 3), datetime(9999, 12, 29)
"""What a calendar can hold in any zone; PostgreSQL's `infinity` lies outside."""


@dataclass(frozen=True)
class Row:
    """One row of a page: its place, and the key of the record it tells of."""

    order: Any
    tie: tuple[Any, ...]
    key: Key


@dataclass(frozen=True)
class Feed:
    """One way in which changes of `records` are found.

    `order` is a time or a number, None where rows are told apart by their key alone. `backfills`: its first run reads
    every record. `once`: it does nothing else. `notices`: its order is the stamp of the change. `settled`: the rows
    that no open transaction can come before; such a feed never goes back.
    """

    name: str
    records: Records
    order: sa.ColumnElement[Any] | None
    kind: type | None
    tie: Sequence[Column]
    key: Sequence[Column]
    where: Sequence[sa.ColumnElement[bool]] = ()
    backfills: bool = False
    once: bool = False
    notices: bool = False
    settled: bool = False

    @property
    def numbered(self) -> bool:
        """Whether each change has a number of its own, so that a row that was seen needs no second look."""
        return self.order is not None and self.kind is not datetime

    def page(self, connection: sa.Connection, reached: Reached, overlap: Overlap) -> list[Row]:
        """The next rows behind what was reached. Raises PositionRefused where that is of other columns."""
        by = [*([] if self.order is None else [self.order]), *self.tie]
        wanted = sa.select(*(each.label(f"c{at}") for at, each in enumerate([*by, *self.key])))
        wanted = wanted.where(*self.where).order_by(*by).limit(PAGE)
        if reached.after is not None:
            wanted = wanted.where(_behind(by, _values(self, reached.after)))
        elif self.order is not None:
            wanted = wanted.where(*(self.order >= overlap.before(each) for each in self.since(reached)))
        ordered = 0 if self.order is None else 1
        ends = ordered + len(self.tie)
        rows = [tuple(row) for row in connection.execute(wanted)]
        return [Row(row[0] if ordered else None, row[ordered:ends], row[ends:]) for row in rows]

    def since(self, reached: Reached) -> list[Any]:
        """The newest time or number that was read, where there is one."""
        return [] if reached.since is None else [_value(self, self.kind, reached.since)]

    def after(self, row: Row) -> list[str]:
        """The place of a row in a position."""
        return [*([] if self.order is None else [str(row.order)]), *(str(each) for each in row.tie)]

    def head(self, connection: sa.Connection) -> Reached:
        """Where a feed that needs not be read from its beginning begins: what is older is in the backfill."""
        if self.backfills or self.order is None:
            return Reached()
        if self.settled:
            oldest_open = connection.execute(sa.select(_OLDEST_OPEN)).scalar_one()
            return Reached(after=[str(oldest_open - 1), str(NEWEST_ID)])
        newest = connection.execute(sa.select(sa.func.max(self.order)).where(*self.where)).scalar_one()
        return Reached(since=None if newest is None else str(newest))


@dataclass(frozen=True)
class Overlap:
    """How far a look goes back."""

    seconds: float
    numbers: int
    zone: ZoneInfo

    def before(self, newest: Any) -> Any:
        """Where a look begins whose last one ended at `newest`; a clock that was set back repeats an hour."""
        if not isinstance(newest, datetime):
            return newest - self.numbers
        back = newest - timedelta(seconds=self.seconds)
        return back if newest.tzinfo is not None else back - max(self._repeated(newest), self._repeated(back))

    def _repeated(self, moment: datetime) -> timedelta:
        first, second = (moment.replace(tzinfo=self.zone, fold=fold).utcoffset() for fold in (0, 1))
        assert first is not None and second is not None
        return max(timedelta(0), first - second)


def feeds_of(connection: sa.Connection, config: SqlConfig) -> list[Feed]:
    """All feeds of the configuration. Raises ConfigError where it does not fit the database."""
    found: list[Feed] = []
    for read in config.read:
        records = Records(connection, read, config.zone)
        every = Feed(read.document, records, None, None, records.key, records.key, backfills=True, once=True)
        if read.outbox is not None:
            found += [every, _of_outbox(connection, records, read.outbox)]
            continue
        found += _of_changes(read.document, records, records.changed, records.key, records.key, backfills=True)
        unstamped = _outside(records.changed)
        found.append(replace(every, name=f"{read.document} without a stamp", where=(unstamped,), once=False))
        for lines in records.lists:
            tie = [*lines.parent, *lines.key]
            found += _of_changes(f"{read.document}.{lines.name}", records, lines.changed, tie, lines.parent)
    return found


def _of_changes(
    name: str,
    records: Records,
    changed: Sequence[Column],
    tie: Sequence[Column],
    key: Sequence[Column],
    backfills: bool = False,
) -> list[Feed]:
    if not changed:
        return []
    kinds = {python_type(each) for each in changed}
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind not in (datetime, int, Decimal):
        remedy = "All its columns have to be times, or all whole numbers."
        raise ConfigError(f"{name}.changed", f"{', '.join(each.name for each in changed)} cannot order rows.", remedy)
    return [Feed(name, records, _first(changed), kind, tie, key, (sa.not_(_outside(changed)),), backfills)]


def _of_outbox(connection: sa.Connection, records: Records, outbox: Outbox) -> Feed:
    setting = f"read.{records.name}.outbox"
    table = reflected(connection, setting, outbox.table)
    number = column(table, f"{setting}.id", outbox.id)
    key = [column(table, f"{setting}.key", name) for name in outbox.key]
    if [python_type(each) for each in key] != [python_type(each) for each in records.key]:
        remedy = f"They have to be as many and of the same types as the key of {records.table.fullname}."
        raise ConfigError(f"{setting}.key", f"{', '.join(outbox.key)} cannot be compared.", remedy)
    name = f"{records.name} outbox"
    if outbox.transaction is None:
        return Feed(name, records, number, int, [], key, notices=True)
    if connection.dialect.name != "postgresql":
        raise ConfigError(f"{setting}.transaction", "is for PostgreSQL only.", "Leave it out.")
    order = _as_number(column(table, f"{setting}.transaction", outbox.transaction))
    return Feed(name, records, order, int, [number], key, (order < _OLDEST_OPEN,), notices=True, settled=True)


def _as_number(expression: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """PostgreSQL's 64-bit transaction ids have no other way to become numbers."""
    return sa.cast(sa.cast(expression, sa.Text), sa.BigInteger)


_OLDEST_OPEN = _as_number(sa.func.pg_snapshot_xmin(sa.func.pg_current_snapshot()))


def _first(changed: Sequence[Column]) -> sa.ColumnElement[Any]:
    return changed[0] if len(changed) == 1 else sa.func.coalesce(*changed)


def _outside(changed: Sequence[Column]) -> sa.ColumnElement[bool]:
    """No stamp, or one that is no time."""
    order = _first(changed)
    if python_type(changed[0]) is not datetime:
        return order.is_(None)
    first, last = ((each.replace(tzinfo=ZoneInfo("UTC")) if _zoned(changed[0]) else each) for each in (FIRST, LAST))
    return sa.or_(order.is_(None), order < first, order > last)


def _zoned(each: Column) -> bool:
    return bool(getattr(each.type, "timezone", False))


def _behind(by: Sequence[sa.ColumnElement[Any]], values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """The rows behind these values; the first column stands alone as well, so that its index is used."""
    steps = [sa.and_(*(by[each] == values[each] for each in range(at)), by[at] > values[at]) for at in range(len(by))]
    return sa.and_(by[0] >= values[0], sa.or_(*steps))


def _values(feed: Feed, after: Sequence[str]) -> list[Any]:
    kinds = [*([] if feed.order is None else [feed.kind]), *(python_type(each) for each in feed.tie)]
    if len(kinds) != len(after):
        raise PositionRefused(f"the position of {feed.name} is of other columns than the configuration names")
    return [_value(feed, kind, text) for kind, text in zip(kinds, after, strict=True)]


def _value(feed: Feed, kind: type | None, text: str) -> Any:
    try:
        return _PARSED[kind or str](text)
    except (ValueError, ArithmeticError) as error:
        raise PositionRefused(f"the position of {feed.name} holds {text!r}, which is no {kind}") from error


_PARSED: dict[type, Any] = {
    bool: lambda text: text == "True",
    int: int,
    float: float,
    Decimal: Decimal,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    time: time.fromisoformat,
    UUID: UUID,
    str: str,
}
