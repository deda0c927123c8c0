"""The calls of the open API v5 (contract sections 2 to 4): a body in, an answer out, or a Refusal."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from connectors.jiandaoyun.simulator.filters import keep
from connectors.jiandaoyun.simulator.form import Widget
from connectors.jiandaoyun.simulator.records import Ids, Records, shown
from connectors.jiandaoyun.simulator.refusal import Refusal
from connectors.jiandaoyun.simulator.transactions import Transactions
from connectors.testing import Faults, Ledger
from schemas.document import Fields, Value

DEFAULT_PAGE = 10
BATCH = 100
UPLOAD_TOKENS = 100
API_USER = "api"

Handler = Callable[[Fields], Fields]


RATES: Mapping[str, int] = {
    "/v5/app/list": 30,
    "/v5/app/entry/list": 30,
    "/v5/app/entry/widget/list": 30,
    "/v5/app/entry/data/get": 30,
    "/v5/app/entry/data/list": 30,
    "/v5/app/entry/data/create": 20,
    "/v5/app/entry/data/update": 20,
    "/v5/app/entry/data/delete": 20,
    "/v5/app/entry/data/batch_create": 10,
    "/v5/app/entry/data/batch_update": 10,
    "/v5/app/entry/data/batch_delete": 10,
    "/v5/app/entry/file/get_upload_token": 20,
}
"""Requests a second by path (section 2)."""


@dataclass(frozen=True)
class Endpoint:
    """One path: who answers, how often a second, and whether it writes."""

    answer: Handler
    limit: int
    writes: bool = False


class Api:
    """Everything that a script with an API key can do. Its writes are never pushed (section 6)."""

    def __init__(
        self,
        form: Sequence[Widget],
        ids: Ids,
        records: Records,
        transactions: Transactions,
        ledger: Ledger,
        faults: Faults,
    ) -> None:
        self._form = form
        self._ids = ids
        self._records = records
        self._transactions = transactions
        self._ledger = ledger
        self._faults = faults

    def endpoints(self) -> Mapping[str, Endpoint]:
        """Every path of section 2."""
        reads = (self._apps, self._forms, self._widgets, self._get, self._list)
        writes = (self._create, self._update, self._delete)
        batches = (self._batch_create, self._batch_update, self._batch_delete)
        handlers: tuple[Handler, ...] = (*reads, *writes, *batches, self._upload_token)
        changing = {*writes, *batches}
        return {
            path: Endpoint(handler, rate, handler in changing)
            for (path, rate), handler in zip(RATES.items(), handlers, strict=True)
        }

    def _apps(self, body: Fields) -> Fields:
        apps: list[Value] = [{"app_id": self._ids.app_id, "name": "生产执行"}]
        return {"apps": _slice(apps, body)}

    def _forms(self, body: Fields) -> Fields:
        self._check_app(body)
        forms: list[Value] = [{"app_id": self._ids.app_id, "entry_id": self._ids.entry_id, "name": "工单"}]
        return {"forms": _slice(forms, body)}

    def _widgets(self, body: Fields) -> Fields:
        self._check_form(body)
        records = self._records.page("")
        newest = max((str(record["updateTime"]) for record in records), default=None)
        hidden = self._faults.take("hidden_field")
        name = hidden.arguments.get("name") if hidden else None
        widgets = [widget.described() for widget in self._form if widget.name != name]
        return {"widgets": widgets, "sysWidgets": [], "dataModifyTime": newest}

    def _get(self, body: Fields) -> Fields:
        self._check_form(body)
        try:
            return {"data": self._records.get(_text(body, "data_id"))}
        except Refusal:
            if self._faults.take("empty_when_missing"):  # which of the two the vendor does is unconfirmed
                return {}
            raise

    def _list(self, body: Fields) -> Fields:
        self._check_form(body)
        limit = body.get("limit", DEFAULT_PAGE)
        if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= BATCH:
            raise Refusal(17017, f"limit is 1 to {BATCH}")
        page = keep(self._records.page(str(body.get("data_id") or "")), body.get("filter"), self._form)
        return {"data": [shown(record, self._form, body.get("fields")) for record in page[:limit]]}

    def _create(self, body: Fields) -> Fields:
        self._check_form(body)
        transaction_id(body)  # on a single create it only binds uploaded files
        record = self._records.made(self._plain(body.get("data")), str(body.get("data_creator") or API_USER))
        if body.get("is_start_workflow") is True:
            record = {**record, "flowState": 0}
        self._keep("create", [record])
        return {"data": record}

    def _update(self, body: Fields) -> Fields:
        self._check_form(body)
        transaction_id(body)
        record = self._records.changed(_text(body, "data_id"), self._plain(body.get("data")), API_USER)
        self._keep("update", [record])
        return {"data": record}

    def _delete(self, body: Fields) -> Fields:
        self._check_form(body)
        data_id = _text(body, "data_id")
        self._remove("delete", [str(self._records.get(data_id)["_id"])])
        return {"status": "success"}

    def _batch_create(self, body: Fields) -> Fields:
        self._check_form(body)
        rows = body.get("data_list")
        if not isinstance(rows, list) or not rows:
            raise Refusal(17017, "data_list is a list")
        if len(rows) > BATCH:
            raise Refusal(17024)
        accepted = self._accepted([self._plain(row) for row in rows])
        who, token = str(body.get("data_creator") or API_USER), transaction_id(body)
        first = self._transactions.ids(token, len(rows)) if token else []
        if not all(self._records.has(data_id) for data_id in first):
            raise Refusal(17026, "what it made is gone and cannot be overwritten")
        places = [*first, *[""] * (len(accepted) - len(first))]
        made = [self._records.made(row, who, data_id) for row, data_id in zip(accepted, places, strict=False)]
        self._keep("batch_create", made)
        ids = [str(record["_id"]) for record in made]
        if token:
            self._transactions.keep(token, len(rows), ids)
        return {"status": "success", "success_count": len(ids), "success_ids": ids}

    def _batch_update(self, body: Fields) -> Fields:
        self._check_form(body)
        data_ids = _texts(body, "data_ids")
        if len(data_ids) > BATCH:
            raise Refusal(17023)
        values = self._plain(body.get("data"))
        if any(widget.type == "subform" for widget in self._form if widget.name in values):
            raise Refusal(17017, "batch_update takes no sub-form")
        present = [str(record["_id"]) for record in self._records.page("") if record["_id"] in data_ids]
        self._keep("batch_update", [self._records.changed(data_id, values, API_USER) for data_id in present])
        return {"status": "success", "success_count": len(present)}

    def _batch_delete(self, body: Fields) -> Fields:
        self._check_form(body)
        data_ids = _texts(body, "data_ids")
        if len(data_ids) > BATCH:
            raise Refusal(17033)
        return {"status": "success", "success_count": self._remove("batch_delete", data_ids)}

    def _upload_token(self, body: Fields) -> Fields:
        self._check_form(body)
        if not transaction_id(body):
            raise Refusal(17017, "transaction_id is missing")
        tokens = [{"url": "https://localhost/upload", "token": uuid.uuid4().hex} for _ in range(UPLOAD_TOKENS)]
        return {"token_and_url_list": tokens}

    def _accepted(self, rows: list[Fields]) -> list[Fields]:
        partial = self._faults.take("partial")
        accept = partial.arguments.get("accept", 0) if partial else len(rows)
        return rows[:accept] if isinstance(accept, int) else rows

    def _keep(self, operation: str, records: Sequence[Fields]) -> None:
        self._records.keep(records)
        self._ledger.record("write", by="api", operation=operation, records=list(records))

    def _remove(self, operation: str, data_ids: Sequence[str]) -> int:
        count = self._records.remove(data_ids)
        self._ledger.record("write", by="api", operation=operation, ids=list(data_ids))
        return count

    def _plain(self, data: Value) -> Fields:
        """Values out of their wrappers, by alias; what the form lacks and what is the system's is passed over."""
        return plain(data, self._form)

    def _check_app(self, body: Fields) -> None:
        if body.get("app_id") != self._ids.app_id:
            raise Refusal(2004)

    def _check_form(self, body: Fields) -> None:
        self._check_app(body)
        if body.get("entry_id") != self._ids.entry_id:
            raise Refusal(3000)


def plain(data: Value, widgets: Sequence[Widget]) -> Fields:
    """`{"alias": {"value": v}}` as `{"alias": v}`, rows of sub-forms alike. Raises Refusal 17017."""
    if not isinstance(data, dict):
        raise Refusal(17017, "data is an object of fields")
    values: dict[str, Value] = {}
    for widget in widgets:
        wrapped = data.get(widget.name, data.get(widget.widget_name))
        if wrapped is None:
            continue
        if not isinstance(wrapped, dict) or "value" not in wrapped:
            raise Refusal(17017, f'{widget.name} is written as {{"value": …}}')
        value = wrapped["value"]
        values[widget.name] = _plain_rows(value, widget) if isinstance(value, list) else value
    return values


def _plain_rows(rows: list[Value], widget: Widget) -> list[Value]:
    unwrapped: list[Value] = []
    for row in rows:
        values = dict(plain(row, widget.items))
        given = row.get("_id") if isinstance(row, dict) else None
        if isinstance(given, dict):
            values["_id"] = given.get("value")
        unwrapped.append(values)
    return unwrapped


def transaction_id(body: Fields) -> str:
    """The transaction id of a call, "" where there is none. Raises Refusal 17025 on one with a placeholder."""
    token = body.get("transaction_id", "")
    if not isinstance(token, str) or re.search(r"\$\{.*\}", token):
        raise Refusal(17025)
    return token


def _slice(items: list[Value], body: Fields) -> list[Value]:
    skip, limit = body.get("skip", 0), body.get("limit", BATCH)
    if not isinstance(skip, int) or not isinstance(limit, int) or skip < 0 or not 1 <= limit <= BATCH:
        raise Refusal(17017, "skip and limit")
    return items[skip : skip + limit]


def _text(body: Fields, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Refusal(17017, f"{name} is missing")
    return value


def _texts(body: Fields, name: str) -> list[str]:
    values = body.get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Refusal(17017, f"{name} is a list of ids")
    return [str(value) for value in values]
