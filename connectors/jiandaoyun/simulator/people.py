"""A person at the form in the browser: required fields are checked, rows keep their ids, edits are pushed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connectors.jiandaoyun.simulator.form import Widget
from connectors.jiandaoyun.simulator.push import Pusher
from connectors.jiandaoyun.simulator.records import Ids, Records
from connectors.jiandaoyun.simulator.refusal import Refusal
from connectors.testing import Ledger, RecordStore
from connectors.testing.control import answer
from schemas.document import Fields, Value, from_json, to_json

BIN = "recycle_bin"
PERSON = "zhangsan"


class Mistake(ValueError):
    """What the form would tell the person."""


class People:
    """What people do in the browser. `bulk` edits (imports, edits of many) are not pushed (contract section 6)."""

    def __init__(
        self, form: Sequence[Widget], ids: Ids, records: Records, store: RecordStore, pusher: Pusher, ledger: Ledger
    ) -> None:
        self._form = form
        self._ids = ids
        self._records = records
        self._store = store
        self._pusher = pusher
        self._ledger = ledger

    def routes(self) -> list[BaseRoute]:
        """POST person/create|update|delete|recover|form_update; see `create` and the others for the bodies."""
        actions = [self.create, self.update, self.delete, self.recover, self.form_update]
        return [Route(f"/person/{act.__name__}", _endpoint(act), methods=["POST"]) for act in actions]

    def create(self, body: Fields) -> Fields:
        """{"data": {alias: value}, "person"?, "bulk"?}"""
        record = self._records.made(_data(body, self._form), _person(body))
        return self._keep("data_create", record, body)

    def update(self, body: Fields) -> Fields:
        """{"data_id": id or "match": {alias: value}, "data": {alias: value}, "person"?, "bulk"?}"""
        values = _data(body, self._form)
        record = self._records.changed(self._found(body), values, _person(body), keep_rows=True)
        return self._keep("data_update", record, body)

    def delete(self, body: Fields) -> Fields:
        """{"data_id" or "match", "bulk"?}; the record goes to the recycle bin."""
        record = self._records.get(self._found(body))
        self._store.put(BIN, str(record["_id"]), record)
        self._records.remove([str(record["_id"])])
        return self._told("data_remove", record, body)

    def recover(self, body: Fields) -> Fields:
        """{"data_id"}; out of the recycle bin, stamped anew."""
        record = self._store.get(BIN, str(body.get("data_id")))
        if record is None:
            raise Mistake(f"{body.get('data_id')} is not in the recycle bin")
        self._records.keep([record])
        self._store.delete(BIN, str(record["_id"]))
        return self._keep("data_recover", self._records.changed(str(record["_id"]), {}, _person(body)), body)

    def form_update(self, body: Fields) -> Fields:
        """{}: the form was saved in the designer."""
        self._pusher.push("form_update", {"appId": self._ids.app_id, "entryId": self._ids.entry_id})
        return {}

    def _keep(self, operation: str, record: Fields, body: Fields) -> Fields:
        self._check(record)
        self._records.keep([record])
        return self._told(operation, record, body)

    def _told(self, operation: str, record: Fields, body: Fields) -> Fields:
        self._ledger.record("write", by="person", operation=operation, records=[record])
        if body.get("bulk") is not True:
            self._pusher.push(operation, record)
        return {"data": record}

    def _check(self, record: Fields) -> None:
        for widget in self._form:
            value = record.get(widget.name)
            if widget.required and value in (None, ""):
                raise Mistake(f"{widget.name} ({widget.label}) is required")
            if widget.symbols and value not in ("", *widget.symbols):
                raise Mistake(f"{widget.name} offers {', '.join(widget.symbols)}, not {value!r}")

    def _found(self, body: Fields) -> str:
        data_id, match = body.get("data_id"), body.get("match")
        if isinstance(data_id, str):
            return str(self._records.get(data_id)["_id"])
        if not isinstance(match, dict) or not match:
            raise Mistake("name the record by data_id or match")
        found = [record for record in self._records.page("") if match.items() <= _simple(record).items()]
        if len(found) != 1:
            raise Mistake(f"{len(found)} records match {to_json(match)}; one is needed")
        return str(found[0]["_id"])


def _simple(record: Fields) -> dict[str, Value]:
    return {name: value for name, value in record.items() if not isinstance(value, list | dict)}


def _person(body: Fields) -> str:
    return str(body.get("person") or PERSON)


def _data(body: Fields, form: Sequence[Widget]) -> Fields:
    data = body.get("data")
    if not isinstance(data, dict):
        raise Mistake("data is an object of alias: value")
    unknown = data.keys() - {widget.name for widget in form}
    if unknown:
        raise Mistake(f"the form has no field {', '.join(sorted(unknown))}")
    return data


def _endpoint(act: Callable[[Fields], Fields]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            body = from_json(await request.body() or b"{}")
            if not isinstance(body, dict):
                raise Mistake("the body is a JSON object")
            return answer(act(body))
        except (ValueError, Refusal) as error:
            return answer({"error": str(error)}, 400)

    return endpoint
