"""The calls of the open API v5 that this connector makes (contract sections 1 to 4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import httpx

from connectors.batching import runs
from connectors.errors import DataError, TransientError
from connectors.far_clock import FarClock
from connectors.http import Effect, connect
from connectors.jiandaoyun.answers import RECORD_MISSING, SUBMIT_FAILED, read
from connectors.jiandaoyun.config import JianDaoYunConfig
from connectors.jiandaoyun.documents import has_id
from connectors.jiandaoyun.limits import ENDPOINTS
from connectors.json_calls import JsonCalls
from connectors.logins import Key
from connectors.pace import Pace
from connectors.paging import Page, read_all
from schemas.document import Fields, Value, to_json

PAGE = 100
KEYS_PER_LOOKUP = 100
"""Far below the documented 1,000 of `in` (an older page says 200), and a page holds the whole answer."""

SUBMIT_TRIES = 2
DATA = "/v5/app/entry/data"


class Client:
    """One form, one connection pool. Raises FarError; see answers.py for what an answer means."""

    def __init__(
        self, config: JianDaoYunConfig, transport: httpx.BaseTransport | None = None, pace: Pace | None = None
    ) -> None:
        self._form = {"app_id": config.app_id, "entry_id": config.entry_id}
        self._base = config.base_url
        self.clock = FarClock(config.base_url)
        self._pace = pace or Pace(config.requests_per_second, ENDPOINTS)
        key = Key.bearer(config.api_key.get_secret_value())
        http = connect(config.timeout_s, config.ca_file, auth=key, transport=transport)
        self._calls = JsonCalls(http, read, self.clock)

    def take_share(self, share: float) -> None:
        """Use this part of every limit from now on."""
        self._pace.take_share(share)

    def close(self) -> None:
        """Close all connections. Safe twice."""
        self._calls.close()

    def widgets(self) -> Fields:
        """The form's field list (section 2)."""
        return self._call("/v5/app/entry/widget/list", {}, "reads")

    def page(self, after: str, where: Fields | None = None) -> Sequence[Fields]:
        """Up to 100 records behind the id `after`, by id; a shorter page is the last one (section 3)."""
        body: dict[str, Value] = {"data_id": after, "limit": PAGE}
        if where is not None:
            body["filter"] = where
        return _records(self._call(f"{DATA}/list", body, "reads"))

    def record(self, data_id: str) -> Fields | None:
        """One record, or None: the vendor answers a missing one with nothing or with code 4001 (section 3)."""
        try:
            found = self._call(f"{DATA}/get", {"data_id": data_id}, "reads").get("data")
        except DataError as error:
            if error.code == RECORD_MISSING:
                return None
            raise
        return found if isinstance(found, dict) and found.get("_id") else None

    def by_text(self, alias: str, values: Sequence[str]) -> Iterator[Fields]:
        """Every record whose text field `alias` is one of `values`."""
        for some in runs(values, KEYS_PER_LOOKUP):
            method = "eq" if len(some) == 1 else "in"
            condition = {"field": alias, "type": "text", "method": method, "value": list(some)}
            where: Fields = {"rel": "and", "cond": [condition]}
            yield from read_all(partial(self._found, where))

    def create(self, values: Fields, transaction_id: str) -> str:
        """Create one record by a batch of one and give its id.

        A repeat of the transaction id within an hour overwrites the record (section 4).
        """
        body: Fields = {"data_list": [_wrapped(values)], "transaction_id": transaction_id}
        answer: Fields = {}
        for _ in range(SUBMIT_TRIES):
            answer = self._write(f"{DATA}/batch_create", body)
            ids = answer.get("success_ids")
            if answer.get("success_count") == 1 and isinstance(ids, list) and len(ids) == 1:
                return str(ids[0])
        raise DataError(f"batch_create accepted {answer.get('success_count')} of 1 records, twice", code="partial")

    def update(self, data_id: str, values: Fields) -> None:
        """Change the given fields of one record, no others (section 4)."""
        self._write(f"{DATA}/update", {"data_id": data_id, "data": _wrapped(values)})

    def _found(self, where: Fields, after: str) -> Page[Fields]:
        records = self.page(after, where)
        return Page(records, cursor_behind(records, after) if len(records) == PAGE else None)

    def _write(self, path: str, body: Fields) -> Fields:
        """Send once, and once more where the vendor says only that the submission failed (section 5)."""
        try:
            return self._call(path, body, "writes")
        except DataError as error:
            if error.code != SUBMIT_FAILED:
                raise
        return self._call(path, body, "writes")

    def _call(self, path: str, body: Fields, effect: Effect) -> Fields:
        self._pace.wait(path)
        answer = self._calls.call(effect, "POST", self._base + path, body={**self._form, **body}).body
        assert isinstance(answer, dict)  # answers.read gives nothing else
        return answer


def _wrapped(values: Fields) -> Mapping[str, Value]:
    return {alias: {"value": value} for alias, value in values.items()}


def cursor_behind(records: Sequence[Fields], after: str) -> str:
    """The cursor behind a page; ids grow (contract 3), so that the records without one are not asked for again.

    Raises TransientError where the page does not lead on: asking for it for ever would be silent.
    """
    last = max((str(record["_id"]) for record in records if has_id(record)), default="")
    if last <= after:
        raise TransientError(f"data/list answered a page that does not go on behind {after!r}: it ends with {last!r}")
    return last


def _records(answer: Fields) -> Sequence[Fields]:
    """The records of a page. What is no record is kept as one that cannot be read."""
    data = answer.get("data")
    if not isinstance(data, list):
        raise TransientError(f"data/list answered without data: {to_json(answer)[:200]}")
    return [record if isinstance(record, dict) else {"value": record} for record in data]
