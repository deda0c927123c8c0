"""Whole orders with their lines, read in batches and turned into documents.

Orders are read by queryAll with `IsDeleted`, so that one query finds deleted ones too and a deleted line still counts
for the order's revision: neither header nor remaining lines get a new stamp when a line goes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from connectors.batching import runs
from connectors.errors import ConfigError, DataError, TransientError
from connectors.salesforce.client import Client, Record
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.documents import ORDER
from connectors.salesforce.outcomes import SmallerQuery
from connectors.salesforce.position import Walk, stamp_of, time_us_of
from connectors.salesforce.shape import (
    KEYSET,
    LINE_KEYS,
    LINE_OF_A_WALK,
    identified,
    problem_of,
    problem_of_order,
    unreadable,
)
from schemas.document import Document, Value
from schemas.identity import revision

log = logging.getLogger(__name__)

IDS_PER_QUERY = 200
ROWS_PER_PAGE = 200

LINES_REMEMBERED = 200_000
"""Beyond that the oldest are forgotten and found again by a query."""

STAMPS = frozenset({"SystemModstamp", "LastModifiedDate", "LastModifiedById"})
"""What a revision's content hash leaves out: a touched record with the same content is the same."""

WRONG_FIELDS = ("INVALID_FIELD", "INVALID_TYPE", "MALFORMED_QUERY")


class Orders:
    """Reads orders of one org; remembers which order each line it has seen belongs to."""

    def __init__(self, client: Client, config: SalesforceConfig) -> None:
        self._client = client
        lines = f"({select(config.line_fields, 'OrderItems')})"
        self._select = select((*config.order_fields, lines), ORDER)
        self._rows = ROWS_PER_PAGE
        self.order_of_line: dict[str, str] = {}

    def fetch(self, wanted: Mapping[str, int], deleted_lines: Mapping[str, int] | None = None) -> list[Document]:
        """The orders as they are now, in the order asked for, deleted ones as deleted documents.

        `wanted` maps order ids to the commit time of their notice, which stands in for the stamp of an order that
        can no longer be found at all; `deleted_lines` does the same for lines that left the recycle bin already.
        """
        found: dict[str, Document] = {}
        for ids in runs(list(wanted), IDS_PER_QUERY):
            for record in self._by_ids(ids):
                found[identified(record)] = self._document(record, deleted_lines or {})
        return [found.get(order_id) or gone(order_id, wanted[order_id]) for order_id in wanted]

    def stamps(self, order_ids: Sequence[str]) -> dict[str, int]:
        """The stamps (UTC microseconds) of those of these orders that are there, deleted or not."""
        asked = f"{select(('Id', 'SystemModstamp'), ORDER)} WHERE Id IN ({quoted(order_ids)})"
        return {str(each["Id"]): stamp_in(each) for each in self._query(asked, deleted=True)} if order_ids else {}

    def orders_of(self, lines: Mapping[str, int]) -> tuple[dict[str, int], list[str]]:
        """The orders of some lines, with the commit times of the lines' notices; and lines nobody knows any more."""
        for ids in runs(list(lines), IDS_PER_QUERY):
            asked = select(("Id", "OrderId"), "OrderItem")
            self._remember(self._query(f"{asked} WHERE Id IN ({quoted(ids)})", deleted=True))
        orders: dict[str, int] = {}
        lost: list[str] = []
        for line_id, commit_us in lines.items():
            order_id = self.order_of_line.get(line_id)
            if order_id is None:
                lost.append(line_id)
            else:
                orders[order_id] = max(orders.get(order_id, 0), commit_us)
        return orders, lost

    def page(self, walk: Walk) -> tuple[list[Document], tuple[str, str] | None]:
        """The next page of a walk and where it ends; None where nothing is left."""
        while True:
            try:
                return self._page(walk, self._rows)
            except SmallerQuery:
                if self._rows == 1:
                    raise
                self._rows //= 2

    def _page(self, walk: Walk, rows: int) -> tuple[list[Document], tuple[str, str] | None]:
        if walk.object == ORDER:
            records = self._query(keyset(self._select, walk, rows), deleted=walk.deleted)
            return [self._document(record, {}) for record in records], end_of(records, rows)
        asked = select(("Id", "OrderId", "SystemModstamp"), walk.object)
        lines = self._query(keyset(asked, walk, rows), deleted=walk.deleted)
        end = end_of(lines, rows)
        good = [line for line in lines if not problem_of(line, LINE_OF_A_WALK)]
        if len(good) < len(lines):
            log.warning("salesforce: %d lines of a walk cannot be read and are left out", len(lines) - len(good))
        self._remember(good)
        return self.fetch({str(line["OrderId"]): time_us_of(str(line["SystemModstamp"])) for line in good}), end

    def _by_ids(self, ids: Sequence[str]) -> list[Record]:
        try:
            return self._query(f"{self._select} WHERE Id IN ({quoted(ids)})", deleted=True)
        except SmallerQuery:
            if len(ids) == 1:
                raise
            middle = len(ids) // 2
            return self._by_ids(ids[:middle]) + self._by_ids(ids[middle:])

    def _query(self, soql: str, *, deleted: bool) -> list[Record]:
        try:
            return self._client.query(soql, deleted=deleted)
        except DataError as error:
            if error.code not in WRONG_FIELDS:
                raise
            raise ConfigError(
                "order_fields, line_fields",
                str(error),
                "Grant Read on the field to the integration user, or take it off the list.",
            ) from error

    def _document(self, record: Record, deleted_lines: Mapping[str, int]) -> Document:
        """The document of an order; one that cannot be read says why and holds the record as it came."""
        problem = problem_of_order(record)
        if problem:
            return unreadable(record, problem)
        lines = children(record)
        self._remember(lines)
        here = {line["Id"] for line in lines}
        purged_us = [
            commit_us
            for line_id, commit_us in deleted_lines.items()
            if line_id not in here and self.order_of_line.get(line_id) == record["Id"]
        ]
        return document(record, lines, max(purged_us, default=0))

    def _remember(self, lines: Iterable[Mapping[str, Value]]) -> None:
        for line in lines:
            if not problem_of(line, LINE_KEYS):
                self.order_of_line[str(line["Id"])] = str(line["OrderId"])
        while len(self.order_of_line) > LINES_REMEMBERED:
            del self.order_of_line[next(iter(self.order_of_line))]


def document(record: Record, lines: Sequence[Mapping[str, Value]], purged_us: int = 0) -> Document:
    """One order: its fields, and the lines that are not deleted; all lines count for its stamp.

    `purged_us` says when a line went that cannot be read any more: without it the stamp would go back.
    """
    present: list[Value] = [line for line in lines if not line["IsDeleted"]]
    fields: dict[str, Value] = {**record, "OrderItems": present}
    stamp = max(time_us_of(str(each["SystemModstamp"])) for each in (record, *lines))
    stamp = max(stamp, purged_us)
    deleted = record["IsDeleted"] is True
    return Document(ORDER, str(record["Id"]), revision(stamp, without_stamps(fields)), fields, deleted)


def stamp_in(fields: Mapping[str, Value]) -> int:
    """The stamp of one record, UTC microseconds."""
    return time_us_of(str(fields["SystemModstamp"]))


def gone(order_id: str, commit_us: int) -> Document:
    """An order that cannot be read any more; only the notice is left to say when."""
    fields: dict[str, Value] = {"Id": order_id}
    return Document(ORDER, order_id, revision(commit_us, fields), fields, deleted=True)


def without_stamps(value: Value) -> Value:
    """The content alone, at every depth."""
    if isinstance(value, Mapping):
        return {name: without_stamps(item) for name, item in value.items() if name not in STAMPS}
    return [without_stamps(item) for item in value] if isinstance(value, list) else value


def children(record: Mapping[str, Value]) -> list[Mapping[str, Value]]:
    """The lines of a record; an order without any has null."""
    return cast("list[Mapping[str, Value]]", record.get("OrderItems") or [])


def select(fields: Iterable[str], source: str) -> str:
    """The beginning of a query; the names were checked with the configuration."""
    return " ".join(("SELECT", ", ".join(fields), "FROM", source))


def keyset(asked: str, walk: Walk, limit: int) -> str:
    """The query of a walk's next page: everything behind (stamp, id), oldest first."""
    condition = ""
    if walk.after is not None:
        stamp, record_id = stamp_of(time_us_of(walk.after[0])), walk.after[1]
        condition = f" WHERE SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > '{record_id}')"
    elif walk.since is not None:
        condition = f" WHERE SystemModstamp >= {walk.since}"
    return f"{asked}{condition} ORDER BY SystemModstamp, Id LIMIT {limit}"


def end_of(records: Sequence[Mapping[str, Value]], limit: int) -> tuple[str, str] | None:
    """Where the next page begins, None after a page that is not full; a record that cannot be read is no place.

    Raises TransientError where a full page has no other.
    """
    if len(records) < limit:
        return None
    for record in reversed(records):
        if not problem_of(record, KEYSET):
            return str(record["SystemModstamp"]), str(record["Id"])
    raise TransientError(f"none of {len(records)} records has Id and SystemModstamp: the page leads nowhere")


def quoted(ids: Iterable[str]) -> str:
    """Ids for an IN list; they come from the org itself and are letters and digits."""
    return ", ".join(f"'{each}'" for each in ids if each.isalnum())
