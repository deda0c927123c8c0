"""A small shop system, healthy and complete: records with a feed of notices, a push, and guarded writes by key.

GET  /api/changes?after=SEQ      {"entries": [{"seq", "id", "title"}], "last"}; 410 behind what is kept
GET  /api/records?after=ID       a page of records by id, deleted ones too; ?ids=a,b those; each whole
PUT  /api/orders/KEY             {"version", "title", "due"}; an older version is 409 older
POST /api/orders                 the same with "key" in the body: always a new order
GET  /api/orders?key=KEY         every order of that key
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from connectors.contract import StandIn
from connectors.testing import (
    Clock,
    Dropped,
    Faults,
    Holds,
    Ledger,
    RecordStore,
    Served,
    control_routes,
    issue,
    kept_port,
)
from connectors.testing.control import answer
from schemas.document import from_json, to_json

PAGE = 10
SIGN_OF_LIFE_S = 0.3
KINDS = ("refuse", "hang", "store_then_hang", "duplicated", "reordered", "lost")
Json = dict[str, Any]


class Shop:
    """The shop in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts = ExitStack()

    def start(self) -> StandIn:
        certificates = issue(self._folder / "tls")
        port = kept_port(self._folder, "shop")
        store, ledger = RecordStore(self._folder / "shop.db"), Ledger(self._folder / "ledger.jsonl")
        self._parts.callback(store.close)
        self._parts.callback(ledger.close)
        settings = store.get("settings", "all") or {
            "api_key": secrets.token_urlsafe(24),
            "webhook_secret": secrets.token_urlsafe(24),
            "board": "main",
        }
        store.put("settings", "all", settings)
        clock, faults, holds = Clock(store), Faults(), Holds()
        books = Books(store, clock, faults, str(settings["webhook_secret"]))
        gate = Gate(books, faults, holds, ledger, str(settings["api_key"]))
        control = control_routes(faults, ledger, holds, KINDS, [*books.routes(), *clock.routes()])
        app = Starlette(routes=[Mount("/api", routes=gate.routes()), control])
        served = Served(app, port, certificates, clock)
        served.start()
        self._parts.callback(served.stop)
        self._parts.callback(holds.release)
        config = {**settings, "base_url": f"{served.address}/api", "ca_file": str(certificates.ca)}
        return StandIn(config, f"{served.address}/_control", certificates.ca)

    def stop(self) -> None:
        self._parts.close()


class Gate:
    """Every call: ledger, faults, login, and then the books."""

    def __init__(self, books: Books, faults: Faults, holds: Holds, ledger: Ledger, key: str) -> None:
        self._books, self._faults, self._holds, self._ledger, self._key = books, faults, holds, ledger, key

    def routes(self) -> list[BaseRoute]:
        acts: dict[tuple[str, str], Callable[[Request, Json], Response]] = {
            ("GET", "/changes"): self._books.changes,
            ("GET", "/records"): self._books.records,
            ("GET", "/orders"): self._books.orders,
            ("POST", "/orders"): self._books.post,
            ("PUT", "/orders/{key:path}"): self._books.put,
        }
        return [Route(path, self._endpoint(act), methods=[method]) for (method, path), act in acts.items()]

    def _endpoint(self, act: Callable[[Request, Json], Response]) -> Callable[[Request], object]:
        async def endpoint(request: Request) -> Response:
            content = await request.body()
            about = {"method": request.method, "key": request.path_params.get("key", "")}
            self._ledger.record("request", path=request.url.path, **about)
            if self._faults.take("hang", **about):
                await self._holds.hold(request)
                return Dropped()
            if refusal := self._faults.take("refuse", **about):
                return refused(**refusal.arguments)
            if request.headers.get("authorization") != f"Bearer {self._key}":
                return refused(status=401, code="key")
            if request.headers.get("board") != "main":
                return refused(status=404, code="no_board")
            given = await asyncio.to_thread(act, request, body_of(content))
            if self._faults.take("store_then_hang", **about):
                await self._holds.hold(request)
            return given

        return endpoint


class Books:
    """What the shop knows; sequences have no gap unless a notice is lost."""

    def __init__(self, store: RecordStore, clock: Clock, faults: Faults, secret: str) -> None:
        self._store, self._clock, self._faults, self._secret = store, clock, faults, secret
        self._silent_until = 0.0
        self._one_at_a_time = threading.Lock()

    # ── what the connector calls ──

    def changes(self, request: Request, body: Json) -> Response:
        after = int(request.query_params["after"])
        if after >= 0 and after < self._number("forgotten"):
            return refused(status=410, code="forgotten")
        if after == self._number("seq") and time.monotonic() > self._silent_until:
            self._silent_until = time.monotonic() + SIGN_OF_LIFE_S
            self._note(None)  # so that positions never grow old
        entries = [each for each in self._store.all("notices", f"{after:012d}") if after >= 0]
        return answer({"entries": entries[:PAGE], "last": self._number("seq"), "shop": "shop-1"})

    def records(self, request: Request, body: Json) -> Response:
        ids = request.query_params.get("ids")
        if ids is not None:
            found = [self._store.get("records", each) for each in ids.split(",")]
            return answer({"records": [each for each in found if each is not None], "shop": "shop-1"})
        page = self._store.all("records", request.query_params.get("after", ""))[:PAGE]
        return answer({"records": page, "shop": "shop-1"})

    def orders(self, request: Request, body: Json) -> Response:
        key = request.query_params["key"]
        return answer({"orders": [each for each in self._store.all("orders") if each["key"] == key]})

    def put(self, request: Request, body: Json) -> Response:
        with self._one_at_a_time:
            return self._guarded(request.path_params["key"], body)

    def _guarded(self, key: str, body: Json) -> Response:
        stored = self._store.get("orders", key)
        if "unwritable" in str(body.get("title")):
            return refused(status=422, code="invalid")
        if stored is not None and str(stored["version"]) > body["version"]:
            return refused(status=409, code="older")
        self._store.put("orders", key, {**body, "key": key})
        return answer({})

    def post(self, request: Request, body: Json) -> Response:
        self._store.put("orders", f"{body['key']}#{secrets.token_hex(4)}", body)
        return answer({})

    # ── what people do ──

    def routes(self) -> list[BaseRoute]:
        acts = {"make": self._make, "change": self._change, "delete": self._delete, "forget": self._forget}
        shown = {"pushes": self._pushes, "held": self._held}
        every = {**acts, **shown}
        return [Route(f"/shop/{name}", control(act), methods=["POST"]) for name, act in every.items()]

    def _make(self, body: Json) -> Json:
        record_id = f"r{self._count('ids'):09d}"
        return self._keep({"id": record_id, "title": "", "due": None, "at": None, "deleted": False, **body})

    def _change(self, body: Json) -> Json:
        return self._keep({**(self._store.get("records", body["id"]) or {}), **body})

    def _delete(self, body: Json) -> Json:
        return self._keep({**(self._store.get("records", body["id"]) or {}), "deleted": True})

    def _forget(self, body: Json) -> Json:
        self._count("seq")
        self._store.put("numbers", "forgotten", {"value": self._number("seq")})
        return {}

    def _held(self, body: Json) -> Json:
        return {"orders": [each for each in self._store.all("orders") if each["key"] == body["key"]]}

    def _pushes(self, body: Json) -> Json:
        """The signed pushes since the last look, in order."""
        pushes = self._store.all("pushes")
        self._store.delete_all("pushes", [str(each["number"]) for each in pushes])
        return {"pushes": pushes}

    def _keep(self, record: Json) -> Json:
        before = self._store.get("records", record["id"])
        stamp = max(int(self._clock.now() * 1e6), int(str((before or {}).get("changed_us", 0))) + 1)
        record = {**record, "changed_us": stamp}
        self._store.put("records", record["id"], record)
        self._push(record)
        if self._faults.take("lost"):
            self._count("seq")  # the number is gone with the notice
            return record
        if self._faults.take("reordered"):
            self._store.put("late", "one", record)
            return record
        for _ in range(2 if self._faults.take("duplicated") else 1):
            self._note(record)
        late = self._store.get("late", "one")
        if late is not None:
            self._store.delete("late", "one")
            self._note(dict(late))
        return record

    def _note(self, record: Json | None) -> None:
        """One notice; it tells the record as it was then."""
        seq = self._count("seq")
        told = {"id": None} if record is None else {"id": record["id"], "was": record}
        self._store.put("notices", f"{seq:012d}", {"seq": seq, **told})

    def _push(self, record: Json) -> None:
        number, body = f"{self._count('pushes'):09d}", to_json({"record": record})
        signature = hmac.new(self._secret.encode(), body.encode(), hashlib.sha256).hexdigest()
        self._store.put("pushes", number, {"number": number, "body": body, "signature": signature})

    def _number(self, name: str) -> int:
        return int(str((self._store.get("numbers", name) or {"value": 0})["value"]))

    def _count(self, name: str) -> int:
        value = self._number(name) + 1
        self._store.put("numbers", name, {"value": value})
        return value


def refused(status: Any = 500, code: Any = "", retry_after: Any = None) -> Response:
    made = answer({"code": code}, int(status))
    if retry_after is not None:
        made.headers["Retry-After"] = str(retry_after)
    return made


def control(act: Callable[[Json], Json]) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        return answer(await asyncio.to_thread(act, body_of(await request.body())))

    return endpoint


def body_of(content: bytes) -> Json:
    found = from_json(content) if content else {}
    return dict(found) if isinstance(found, dict) else {}
