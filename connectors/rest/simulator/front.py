"""The way of every call into the shop: ledger, scripted faults, login, then the shop; and what people do there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.rest.simulator.keys import Keys
from connectors.rest.simulator.pages import STYLES, Asked
from connectors.rest.simulator.shop import Refused, Shop
from connectors.testing import Dropped, Faults, Holds, Ledger
from connectors.testing.control import answer
from schemas.document import Fields, Value, from_json

KINDS: Mapping[str, str] = {
    "latency": "wait `seconds` before the call is looked at",
    "hang": "hold the call back and never carry it out",
    "drop_connection": "break the connection before the call is carried out",
    "refuse": "refuse with `status`, and `code` in the body; `retry_after` in the header",
    "page": "answer `status` with a page for people",
    "store_then_hang": "carry a write out, then hold its answer",
    "store_then_drop": "carry a write out, then break the connection",
    "store_then_502": "carry a write out, then answer HTTP 502",
}
"""Every fault that can be scripted; they match on path and method."""

PAGE_SIZE = 50

Handler = Callable[[Request, bytes], Response]


class Front:
    """Every call: ledger, scripted faults, login, then the shop."""

    def __init__(self, shop: Shop, keys: Keys, faults: Faults, holds: Holds, ledger: Ledger) -> None:
        self._shop, self._keys, self._faults, self._holds, self._ledger = shop, keys, faults, holds, ledger
        self._size, self._tokens = PAGE_SIZE, set[str]()

    def routes(self) -> Sequence[BaseRoute]:
        """The API."""
        calls: Mapping[str, Mapping[str, Handler]] = {
            "/oauth/token": {"POST": lambda request, body: answer(self._keys.token(request.headers, body))},
            "/session": {"POST": self._session},
            "/api/me": {"GET": lambda request, body: answer({"user": "bus"})},
            "/api/{style}/orders": {"GET": self._orders},
            "/api/statuses/{key}": {"GET": self._status, "PUT": self._put_status},
            "/api/jobs": {"GET": self._jobs, "POST": self._make_job},
            "/api/jobs/{key}": {"PATCH": self._change_job},
        }
        return [Route(path, self._endpoint(each), methods=list(each)) for path, each in calls.items()]

    def people(self) -> Sequence[BaseRoute]:
        """What people do behind the bus's back."""

        async def make(request: Request) -> Response:
            return answer(self._shop.make_order(_object(await request.body())))

        async def change(request: Request) -> Response:
            return answer(self._shop.change_order(request.path_params["id"], _object(await request.body())))

        async def size(request: Request) -> Response:
            self._size = int(str(_object(await request.body())["size"]))
            return answer({})

        async def forget(request: Request) -> Response:
            self._keys.forget()
            return answer({})

        async def forget_deltas(request: Request) -> Response:
            self._tokens.clear()
            return answer({})

        async def jobs(request: Request) -> Response:
            return answer({"jobs": list(self._shop.jobs())})

        async def tokens(request: Request) -> Response:
            return answer({"tokens": self._keys.given()})

        async def status(request: Request) -> Response:
            try:
                return answer(self._shop.status(request.path_params["key"]))
            except Refused:
                return answer({})

        posts = {
            "/person/order": make,
            "/person/order/{id}": change,
            "/page_size": size,
            "/forget": forget,
            "/forget_deltas": forget_deltas,
        }
        gets = {"/tokens": tokens, "/person/jobs": jobs, "/person/statuses/{key:path}": status}
        return [
            *(Route(path, each, methods=["POST"]) for path, each in posts.items()),
            *(Route(path, each, methods=["GET"]) for path, each in gets.items()),
        ]

    def _endpoint(self, handlers: Mapping[str, Handler]) -> Callable[[Request], object]:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            context: Fields = {"path": request.url.path, "method": request.method}
            said: Fields = {
                "query": str(request.url.query),
                "body": body.decode(errors="replace"),
                "repeat": request.headers.get("idempotency-key", ""),
            }
            self._ledger.record("request", **context, **said)
            try:
                broken = await self._broken(request, context)
                if broken is not None:
                    return broken
                if request.url.path.startswith("/api"):
                    self._check(request, body)
                good = await asyncio.to_thread(handlers[request.method], request, body)
            except Refused as refusal:
                error: Value = {"error": {"code": refusal.code, "message": str(refusal)}}
                if request.url.path == "/oauth/token":
                    error = {"error": refusal.code, "error_description": str(refusal)}
                refused = answer(error, refusal.status)
                refused.headers.update(refusal.headers)
                return refused
            return good if request.method == "GET" else await self._after_write(request, context, good)

        return endpoint

    def _check(self, request: Request, body: bytes) -> None:
        target = request.scope["raw_path"].decode() + (f"?{request.url.query}" if request.url.query else "")
        self._keys.check(request.method, target, request.query_params, request.headers, body)

    async def _broken(self, request: Request, context: Fields) -> Response | None:
        """An answer that the shop itself does not make."""
        if latency := self._faults.take("latency", **context):
            await asyncio.sleep(_number(latency.arguments.get("seconds"), 1))
        if self._faults.take("hang", **context):
            await self._holds.hold(request)
            return Dropped()
        if self._faults.take("drop_connection", **context):
            return Dropped()
        if page := self._faults.take("page", **context):
            return PlainTextResponse("<h1>Sorry</h1>", int(_number(page.arguments.get("status"), 502)))
        if refuse := self._faults.take("refuse", **context):
            wish = refuse.arguments.get("retry_after")
            headers = {} if wish is None else {"retry-after": str(wish)}
            code = str(refuse.arguments.get("code") or "")
            raise Refused(int(_number(refuse.arguments.get("status"), 400)), code, "as the script says", headers)
        return None

    async def _after_write(self, request: Request, context: Fields, good: Response) -> Response:
        """What is stored stays stored, whatever becomes of the answer."""
        if self._faults.take("store_then_hang", **context):
            await self._holds.hold(request)
            return good
        if self._faults.take("store_then_drop", **context):
            return Dropped()
        return PlainTextResponse("Bad Gateway", 502) if self._faults.take("store_then_502", **context) else good

    def _session(self, request: Request, body: bytes) -> Response:
        cookie, token = self._keys.session(body)
        good = answer({"user": "bus"})
        good.headers.update({"set-cookie": f"sid={cookie}; Path=/; Secure; HttpOnly", "x-csrf-token": token})
        return good

    def _orders(self, request: Request, body: bytes) -> Response:
        style = STYLES.get(request.path_params["style"])
        if style is None:
            raise Refused(404, "not_found", "no such list")
        url = str(request.url).partition("?")[0]
        query = dict(request.query_params)
        rows = self._shop.orders(query.get("updatedSince", ""))
        given = style(Asked(rows, query, url, self._size, self._tokens))
        page = answer(given.body)
        if given.link:
            page.headers["link"] = given.link
        return page

    def _status(self, request: Request, body: bytes) -> Response:
        return _tagged(self._shop.status(request.path_params["key"]))

    def _put_status(self, request: Request, body: bytes) -> Response:
        match, none_match = (request.headers.get(name, "") for name in ("if-match", "if-none-match"))
        return _tagged(self._shop.put_status(request.path_params["key"], _object(body), match, none_match))

    def _jobs(self, request: Request, body: bytes) -> Response:
        return answer({"value": list(self._shop.jobs(request.query_params.get("externalId", "")))})

    def _make_job(self, request: Request, body: bytes) -> Response:
        return answer(self._shop.make_job(_object(body), request.headers.get("idempotency-key", "")), 201)

    def _change_job(self, request: Request, body: bytes) -> Response:
        return answer(self._shop.change_job(request.path_params["key"], _object(body)))


def _tagged(record: Fields) -> Response:
    good = answer({name: value for name, value in record.items() if name != "etag"})
    good.headers["etag"] = str(record["etag"])
    return good


def _object(content: bytes) -> Fields:
    try:
        body = from_json(content)
    except ValueError as error:
        raise Refused(400, "no_json", "the body is not JSON") from error
    if not isinstance(body, dict):
        raise Refused(400, "no_object", "the body is no object")
    return body


def _number(value: Value, default: int) -> float:
    return float(value) if isinstance(value, int | Decimal) else float(default)
