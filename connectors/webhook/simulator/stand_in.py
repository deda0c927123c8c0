"""A shop that pushes its orders, and a tool that takes the bus's pushes: the newest of each, and every call."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.contract import StandIn
from connectors.testing import (
    Dropped,
    Faults,
    Holds,
    Ledger,
    Parts,
    RecordStore,
    Served,
    control_routes,
    issue,
    kept_port,
)
from connectors.testing.control import answer
from connectors.webhook.simulator.signing import headers_of, problem_of
from schemas.document import Fields, Value, from_json, to_json

ORDERS, TAKEN, PUSHES, SETTINGS = "orders", "taken", "pushes", "settings"
KINDS = ("status", "swallow", "hold")
LOOPBACK = ("127.0.0.0/8", "::1/128")
ORDER_FIELDS: Mapping[str, Value] = {"number": "text", "customer": "text", "due": "date", "placed_at": "instant"}
WORK_ORDER_FIELDS: Mapping[str, Value] = {"item": "text", "note": "text", "due": "date"}


class Simulator:
    """In a folder. Control, beside what `connectors.testing.control` has, under `/_control`:

    POST order        {"id"?, ...}: a person makes or changes an order, and it is pushed; {"id"} of the order
    DELETE order/ID   a person deletes it, and that is pushed
    GET pushes        the signed pushes since the last call: [{"headers", "body"}]
    GET taken/ID      what the tool holds of a document of the bus

    Faults, each with `match` on {"id": document}: status {"status", "headers"?} answers so and takes nothing; swallow
    takes the push and breaks the answer off; hold takes nothing and does not answer.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._parts = folder, Parts(folder)

    def start(self) -> StandIn:
        """See `connectors.contract.Simulator.start`."""
        return self._parts.open(self._start)

    def stop(self) -> None:
        """Stop listening; the state stays on disk. Safe twice."""
        self._parts.close()

    def _start(self, parts: ExitStack) -> StandIn:
        certificates = issue(self._folder / "certificates")
        store = RecordStore(self._folder / "state.db")
        parts.callback(store.close)
        ledger = Ledger(self._folder / "ledger.jsonl")
        parts.callback(ledger.close)
        shop = _Shop(store, ledger, _kept_secret(store))
        served = Served(shop.app(), kept_port(self._folder, "webhook"), certificates)
        served.start()
        parts.callback(served.stop)
        return StandIn(
            _config(served.address, shop.secret, certificates.ca), f"{served.address}/_control", certificates.ca
        )


class _Shop:
    def __init__(self, store: RecordStore, ledger: Ledger, secret: str) -> None:
        self._store, self._ledger, self.secret = store, ledger, secret
        self._faults, self._holds = Faults(), Holds()

    def app(self) -> Starlette:
        people = [
            Route("/order", self._make, methods=["POST"]),
            Route("/order/{id}", self._delete, methods=["DELETE"]),
            Route("/pushes", self._pushes, methods=["GET"]),
            Route("/taken/{id:path}", self._taken, methods=["GET"]),
        ]
        control = control_routes(self._faults, self._ledger, self._holds, KINDS, people)
        return Starlette(routes=[Route("/hooks/secret-part", self._take, methods=["POST"]), control])

    async def _take(self, request: Request) -> Response:
        """A push of the bus."""
        body = await request.body()
        problem = problem_of(self.secret, request.headers, body)
        if problem:
            return answer({"error": problem}, 401)
        push = from_json(body)
        data = push.get("data") if isinstance(push, dict) else None
        if not isinstance(data, dict) or not isinstance(data.get("version"), int):
            return answer({"error": "data has no version"}, 422)
        id = str(data.get("id"))
        fault = next((found for kind in KINDS if (found := self._faults.take(kind, id=id))), None)
        self._ledger.record("push", id=id, message=request.headers["webhook-id"], fault=fault.kind if fault else "")
        if fault is not None and fault.kind == "status":
            status, headers = fault.arguments.get("status"), fault.arguments.get("headers", {})
            assert isinstance(status, int) and isinstance(headers, dict)
            return Response("no", status, headers={name: str(value) for name, value in headers.items()})
        if fault is not None and fault.kind == "hold":
            await self._holds.hold(request)
            return Dropped()
        await asyncio.to_thread(self._keep, id, data, push)
        return Dropped() if fault is not None else answer({"taken": id})

    def _keep(self, id: str, data: Fields, push: Value) -> None:
        """A repeat or an older version changes nothing, which the ledger shows."""
        known = (self._store.get(TAKEN, id) or {}).get("version", -1)
        if int(str(data["version"])) > int(str(known)):
            self._store.put(TAKEN, id, data)
            self._ledger.record("taken", id=id, version=data["version"], body=push)

    async def _taken(self, request: Request) -> Response:
        return answer({"taken": self._store.get(TAKEN, request.path_params["id"])})

    async def _make(self, request: Request) -> Response:
        given = from_json(await request.body())
        if not isinstance(given, dict):
            return answer({"error": "an order is an object"}, 400)
        id = str(given.get("id") or f"O-{secrets.token_hex(4)}")
        known = self._store.get(ORDERS, id)
        changed_at = datetime.now(UTC).isoformat(timespec="microseconds")
        order = {**(known or {}), **given, "id": id, "changed_at": changed_at}
        self._store.put(ORDERS, id, order)
        self._push("order.created" if known is None else "order.changed", order)
        return answer({"id": id})

    async def _delete(self, request: Request) -> Response:
        id = request.path_params["id"]
        if not self._store.delete(ORDERS, id):
            return answer({"error": f"no order {id}"}, 404)
        self._push("order.deleted", {"id": id, "changed_at": datetime.now(UTC).isoformat(timespec="microseconds")})
        return answer({})

    def _push(self, event: str, data: Fields) -> None:
        """Remember it until somebody carries it to the bus."""
        number = f"{len(self._ledger.entries('order')) + 1:09d}"
        self._ledger.record("order", id=data["id"], event=event)
        body = to_json({"type": event, "timestamp": data["changed_at"], "data": data})
        self._store.put(PUSHES, number, {"number": number, "body": body})

    async def _pushes(self, request: Request) -> Response:
        """Signed as they leave, so that they are fresh."""
        waiting = self._store.all(PUSHES)
        self._store.delete_all(PUSHES, [str(each["number"]) for each in waiting])
        return answer({"pushes": [self._signed(str(each["number"]), str(each["body"])) for each in waiting]})

    def _signed(self, number: str, body: str) -> Fields:
        headers = {"content-type": "application/json", **headers_of(self.secret, f"msg_{number}", body.encode())}
        return {"headers": headers, "body": body}


def _kept_secret(store: RecordStore) -> str:
    kept = store.get(SETTINGS, "secret")
    if kept is None:
        kept = {"secret": "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()}
        store.put(SETTINGS, "secret", kept)
    return str(kept["secret"])


def _config(address: str, secret: str, ca: Path) -> Mapping[str, Value]:
    order: Fields = {
        "document": "Order",
        "events": ["order.created", "order.changed"],
        "deletions": ["order.deleted"],
        "changed": "changed_at",
        "fields": ORDER_FIELDS,
    }
    return {
        "receive": [order],
        "receive_secret": secret,
        "send": [{"document": "WorkOrder", "event": "workorder.wanted", "fields": WORK_ORDER_FIELDS}],
        "url": f"{address}/hooks/secret-part",
        "send_secret": secret,
        "allow": list(LOOPBACK),
        "ca_file": str(ca),
    }
