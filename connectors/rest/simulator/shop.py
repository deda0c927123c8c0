"""What the shop holds: orders that people edit, and statuses and jobs that come by its API."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from connectors.testing import RecordStore
from schemas.document import Fields, Value

ORDERS, STATUSES, JOBS, REPEATS, NUMBERS = "orders", "statuses", "jobs", "repeats", "numbers"


class Refused(Exception):
    """The API refuses: HTTP status, code and what it says."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, dict(headers or {})


def shown(at_ms: int) -> str:
    """A moment as the API writes it: milliseconds, UTC."""
    text = datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{at_ms % 1000:03d}Z"


class Shop:
    """The records, each with an ETag that counts its changes. Thread-safe."""

    def __init__(self, store: RecordStore, now_ms: Callable[[], int]) -> None:
        self._store, self._now_ms = store, now_ms
        self._lock = threading.RLock()

    def orders(self, since: str = "") -> Sequence[Fields]:
        """Orders that changed at or after that moment, deleted ones among them, by moment and id."""
        rows = [row for row in self._store.all(ORDERS) if str(row["updatedAt"]) >= since]
        return sorted(rows, key=lambda row: (str(row["updatedAt"]), str(row["id"])))

    def make_order(self, values: Fields) -> Fields:
        """A person makes an order."""
        with self._lock:
            return self._keep(ORDERS, self._stamped(self._made(values)))

    def _made(self, values: Fields) -> Fields:
        usual: Fields = {"number": None, "customer": None, "amount": None, "due": None, "note": None, "lines": []}
        return {**usual, **values, "id": uuid.uuid4().hex[:12], "deleted": False}

    def _stamped(self, order: Fields) -> Fields:
        """With the moment of its change, and a number that no other change has."""
        last = self._store.get(NUMBERS, "change") or {}
        number = int(str(last.get("number", 0))) + 1
        self._store.put(NUMBERS, "change", {"number": number})
        return {**order, "updatedAt": shown(self._now_ms()), "changeNumber": number}

    def change_order(self, id: str, values: Fields) -> Fields:
        """A person changes some of its fields; `deleted` is one of them."""
        with self._lock:
            order = self._store.get(ORDERS, id)
            if order is None:
                raise Refused(404, "not_found", f"no order {id}")
            return self._keep(ORDERS, self._stamped({**order, **values, "id": id}))

    def status(self, key: str) -> Fields:
        """One status, with its ETag."""
        found = self._store.get(STATUSES, key)
        if found is None:
            raise Refused(404, "not_found", f"no status {key}")
        return found

    def put_status(self, key: str, body: Fields, if_match: str, if_none_match: str) -> Fields:
        """Write one, where the conditions of RFC 9110 13.1 hold."""
        with self._lock:
            stored = self._store.get(STATUSES, key)
            etag = str(stored["etag"]) if stored else ""
            if (if_none_match == "*" and stored) or (if_match and if_match != etag):
                raise Refused(412, "changed", f"status {key} changed meanwhile")
            check(body)
            number = int(etag.strip('"') or 0) + 1
            return self._keep(STATUSES, {**body, "id": key, "etag": f'"{number}"'})

    def jobs(self, external_id: str = "") -> Sequence[Fields]:
        """Jobs of that key, or all."""
        return [row for row in self._store.all(JOBS) if not external_id or row.get("externalId") == external_id]

    def make_job(self, body: Fields, repeat: str) -> Fields:
        """A new job for each call; one that says it is a repeat gives the job of the first."""
        with self._lock:
            known = self._store.get(REPEATS, repeat) if repeat else None
            if known is not None:
                return self._store.get(JOBS, str(known["id"])) or {}
            check(body)
            made = self._keep(JOBS, {**body, "id": f"J-{uuid.uuid4().hex[:8]}"})
            if repeat:
                self._store.put(REPEATS, repeat, {"id": made["id"]})
            return made

    def change_job(self, id: str, body: Fields) -> Fields:
        """Change some of a job's fields."""
        with self._lock:
            job = self._store.get(JOBS, id)
            if job is None:
                raise Refused(404, "not_found", f"no job {id}")
            check(body)
            return self._keep(JOBS, {**job, **body, "id": id})

    def _keep(self, table: str, record: Fields) -> Fields:
        self._store.put(table, str(record["id"]), record)
        return record


def check(body: Fields) -> None:
    """The shop's own rule: a quantity is not negative."""
    quantity: Value = body.get("quantity")
    if isinstance(quantity, int) and not isinstance(quantity, bool) and quantity < 0:
        raise Refused(422, "quantity_negative", f"quantity {quantity} is below zero")
