"""Reads a database by asking it for changes: one page of one feed per poll, each with whole records."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from connectors.contract import Batch, Position
from connectors.overlap import Beat
from connectors.sql.config import SqlConfig
from connectors.sql.engine import engine_of, reading
from connectors.sql.feeds import PAGE, Feed, Overlap, Row, feeds_of
from connectors.sql.position import Progress, Reached
from connectors.sql.records import Key, number_of
from schemas.document import Document

REMEMBERED = 100_000


class Remembered:
    """What was emitted last, so that an overlap repeats nothing.

    Numbers and rows without a stamp have no time by which to forget: the oldest goes, for a repeat harms nobody.
    """

    def __init__(self) -> None:
        self._values: OrderedDict[Hashable, str] = OrderedDict()

    def is_news(self, name: Hashable, value: str = "") -> bool:
        """Whether the last value under this name was another one; from now on it is this."""
        known = self._values.pop(name, None)
        self._values[name] = value
        if len(self._values) > REMEMBERED:
            self._values.popitem(last=False)
        return known != value


class SqlSource:
    """See `connectors.contract.Source`."""

    def __init__(self, config: SqlConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine_of(config)
        self._config = config
        self._overlap = Overlap(config.overlap_s, config.overlap_numbers, config.zone)
        self._system = f"{self._engine.dialect.name}/{self._engine.url.database}"
        self._beat = Beat(config.poll_interval_s, clock)
        self._feeds: list[Feed] = []
        self._turns: list[Feed] = []
        self._progress = Progress()
        self._emitted = Remembered()
        self._has_said = False

    def open(self, position: Position | None) -> None:
        """Compare the configuration with the database, and remember where changes begin. Raises ConfigError."""
        self._progress = Progress.parse(position)
        with reading(self._engine) as connection:
            self._feeds = feeds_of(connection, self._config)
            for feed in self._feeds:
                if feed.name not in self._progress.feeds:
                    self._progress = self._progress.at(feed.name, feed.head(connection))

    def poll(self, timeout: float) -> Batch | None:
        """See `connectors.contract.Source.poll`."""
        if not self._beat.wait(timeout):
            return None
        try:
            return self._next_turn()
        finally:
            if self._beat.closed:  # the close found the connection in use, and now it was given back
                self._let_go()

    def _next_turn(self) -> Batch | None:
        if not self._turns:
            self._beat.begin()
            self._turns = [each for each in self._feeds if self._has_its_turn(each)]
        batch = self._next_page(self._turns.pop(0)) if self._turns else self._nothing_to_read()
        if not self._turns:
            self._beat.end()
        return batch

    def close(self) -> None:
        """Interrupt a waiting poll and close the connection. Safe twice."""
        self._beat.close()
        self._let_go()

    def _let_go(self) -> None:
        """Close what lies in the pool; `Engine.dispose` would leave a connection in use to a pool of the past."""
        self._engine.pool.dispose()

    def _has_its_turn(self, feed: Feed) -> bool:
        """Notices wait for the backfill of their records, which has no stamps and would come behind them."""
        if feed.once:
            return not self._reached(feed).done
        backfills = [each for each in self._feeds if each.once and each.records is feed.records]
        return not feed.notices or all(self._reached(each).done for each in backfills)

    def _nothing_to_read(self) -> Batch | None:
        """A database that is only written is complete: the sinks of a new bus wait until every source has said so."""
        said, self._has_said = self._has_said, True
        return None if said else self._batch([])

    def _batch(self, documents: Sequence[Document]) -> Batch:
        return Batch(documents, self._progress.position(), self._complete(), self._system)

    def _next_page(self, feed: Feed) -> Batch | None:
        complete, reached = self._complete(), self._reached(feed)
        with reading(self._engine) as connection:
            rows = feed.page(connection, reached, self._overlap)
            documents = self._documents(connection, feed, rows)
        if len(rows) == PAGE:
            self._turns.append(feed)  # behind the others: none of them waits for one that is busy
        self._progress = self._progress.at(feed.name, self._after(feed, reached, rows))
        if not documents and self._complete() == complete:
            return None
        return self._batch(documents)

    def _documents(self, connection: sa.Connection, feed: Feed, rows: Sequence[Row]) -> list[Document]:
        notices: dict[Key, int] = {}
        for row in rows:
            if feed.numbered and not self._emitted.is_news((feed.name, row.order, row.tie, row.key)):
                continue
            notices.pop(row.key, None)
            notices[row.key] = int(row.order) if feed.notices else 0
        found = feed.records.documents(connection, notices)
        return [each for each in found if self._emitted.is_news((each.type, each.id), each.revision)]

    def _after(self, feed: Feed, reached: Reached, rows: Sequence[Row]) -> Reached:
        """A stamp from the future moves nothing: what is changed before it comes true would be passed over."""
        orders = [row.order for row in rows if row.order is not None]
        if feed.kind is datetime:
            now_us = int(datetime.now(UTC).timestamp() * 1_000_000)
            orders = [each for each in orders if number_of(each, self._config.zone) <= now_us]
        since = str(max([*orders, *feed.since(reached)], default="")) or None
        ended = len(rows) < PAGE
        after = feed.after(rows[-1]) if rows else reached.after
        return Reached(since, after if feed.settled or not ended else None, reached.done or ended)

    def _complete(self) -> bool:
        return all(self._reached(each).done for each in self._feeds if each.backfills)

    def _reached(self, feed: Feed) -> Reached:
        return self._progress.feeds.get(feed.name, Reached())
