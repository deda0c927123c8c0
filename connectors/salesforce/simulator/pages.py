"""Query locators: the rest of an answer that did not fit on one page."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from connectors.salesforce.simulator.answers import ApiError
from schemas.document import Value

ROWS = 2000
LEAST_ROWS = 200
LIFE_S = 2 * 24 * 3600
PREFIX = "01gxx"


class Pages:
    """Answers by locator; a locator lives two days, or until the stand-in stops. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, Sequence[Value], int]] = {}
        self._number = 0

    def first(self, records: Sequence[Value], version: str, rows: int) -> Value:
        """The first page of these records."""
        if len(records) <= rows:
            return {"totalSize": len(records), "done": True, "records": list(records)}
        with self._lock:
            self._number += 1
            locator = f"{PREFIX}{self._number:010d}AAA"
            self._kept[locator] = (time.monotonic(), records, rows)
            self._forget()
        return self._page(locator, 0, version)

    def next(self, reference: str, version: str) -> Value:
        """The page that a `nextRecordsUrl` ends with: locator, hyphen, first row."""
        locator, hyphen, start = reference.rpartition("-")
        if not hyphen or not start.isdigit() or locator not in self._kept:
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(locator, int(start), version)

    def _page(self, locator: str, start: int, version: str) -> Value:
        _, records, rows = self._kept[locator]
        end = start + rows
        page: dict[str, Value] = {"totalSize": len(records), "done": end >= len(records)}
        if end < len(records):
            page["nextRecordsUrl"] = f"/services/data/{version}/query/{locator}-{end}"
        return {**page, "records": list(records[start:end])}

    def _forget(self) -> None:
        border = time.monotonic() - LIFE_S
        for locator in [key for key, (at, _, _) in self._kept.items() if at < border]:
            del self._kept[locator]


def rows_asked(options: str) -> int:
    """Rows a page from the header Sforce-Query-Options: batchSize=200 to 2000, a hint."""
    name, _, number = options.partition("=")
    if name.strip() != "batchSize" or not number.strip().isdigit():
        return ROWS
    return min(ROWS, max(LEAST_ROWS, int(number)))
