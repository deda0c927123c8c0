"""The way of every call into the stand-in: ledger, scripted faults, key, limits, then the API itself."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Mapping
from decimal import Decimal

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.jiandaoyun.simulator.api import Endpoint
from connectors.jiandaoyun.simulator.limits import Limits
from connectors.jiandaoyun.simulator.refusal import Refusal
from connectors.testing import Dropped, Faults, Holds, Ledger
from connectors.testing.control import answer
from schemas.document import Fields, Value, from_json

KINDS: Mapping[str, str] = {
    "latency": "wait `seconds` before the call is looked at",
    "hang": "hold the call back and never carry it out",
    "drop_connection": "break the connection before the call is carried out",
    "bad_gateway": "HTTP 502, the call is not carried out",
    "throttle": "refuse with `code` 8303 (default) or 8304, or with `status` 429",
    "auth": "refuse with `code` 8301 (default) or another one of its class",
    "lock": "refuse a write with 4012",
    "error": "refuse with any `code`",
    "store_then_hang": "carry a write out, then hold its answer",
    "store_then_drop": "carry a write out, then break the connection",
    "store_then_502": "carry a write out, then answer HTTP 502",
    "partial": "batch_create accepts the first `accept` rows (default 0)",
    "hidden_field": "widget/list lacks the field `name`",
    "empty_when_missing": "data/get of a missing record answers {} instead of 4001",
    "lost_webhook": "the next push is never sent",
    "duplicate_webhook": "the next push is sent twice",
    "reordered_webhook": "the next push is sent behind the one after it",
}
"""Every fault that can be scripted. Those of calls match on path, call (its last part) and job_order_id; those of
pushes on operation."""

BAD_REQUEST = 400

REFUSALS: Mapping[str, int] = {"throttle": 8303, "auth": 8301, "error": 1}


class Gate:
    """Lets calls through to `endpoints`, as far as the key, the limits and the script of faults allow."""

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        api_key: str,
        limits: Limits,
        faults: Faults,
        holds: Holds,
        ledger: Ledger,
        job_of: Callable[[Fields], str],
    ) -> None:
        self._endpoints = endpoints
        self._api_key = api_key
        self._limits = limits
        self._faults = faults
        self._holds = holds
        self._ledger = ledger
        self._job_of = job_of

    def routes(self) -> list[BaseRoute]:
        """One POST route per path."""
        return [Route(path, self._endpoint(path), methods=["POST"]) for path in self._endpoints]

    def _endpoint(self, path: str) -> Callable[[Request], object]:
        async def endpoint(request: Request) -> Response:
            return await self._call(path, request)

        return endpoint

    async def _call(self, path: str, request: Request) -> Response:
        content = await request.body()
        self._ledger.record("request", path=path, body=content.decode(errors="replace"))
        try:
            body = _object(content)
            context = {"path": path, "call": path.rpartition("/")[2], "job_order_id": self._job_of(body)}
            broken = await self._broken(request, context)
            if broken is not None:
                return broken
            self._check(path, request, context)
            endpoint = self._endpoints[path]
            good = answer(endpoint.answer(body))
            return await self._after_write(request, context, good) if endpoint.writes else good
        except Refusal as refusal:
            if refusal.status != BAD_REQUEST:  # the vendor's gateway knows no codes
                return PlainTextResponse("", refusal.status)
            return answer({"code": refusal.code, "msg": str(refusal)}, refusal.status)

    async def _broken(self, request: Request, context: Fields) -> Response | None:
        """An answer that no code of the API makes."""
        if latency := self._faults.take("latency", **context):
            await asyncio.sleep(_seconds(latency.arguments.get("seconds", 1)))
        if self._faults.take("hang", **context):
            await self._holds.hold(request)
            return Dropped()
        if self._faults.take("drop_connection", **context):
            return Dropped()
        if self._faults.take("bad_gateway", **context):
            return PlainTextResponse("Bad Gateway", 502)
        return None

    def _check(self, path: str, request: Request, context: Fields) -> None:
        for kind, code in REFUSALS.items():
            if fault := self._faults.take(kind, **context):
                given, status = fault.arguments.get("code"), fault.arguments.get("status")
                raise Refusal(_number(given, code), status=_number(status, BAD_REQUEST))
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._api_key}".encode()):
            raise Refusal(8301)
        endpoint = self._endpoints[path]
        if endpoint.writes and self._faults.take("lock", **context):
            raise Refusal(4012)
        over = self._limits.refusal(path, endpoint.limit)
        if over is not None:
            raise Refusal(over)

    async def _after_write(self, request: Request, context: Fields, good: Response) -> Response:
        """What is stored stays stored, whatever becomes of the answer."""
        if self._faults.take("store_then_hang", **context):
            await self._holds.hold(request)
            return good
        if self._faults.take("store_then_drop", **context):
            return Dropped()
        if self._faults.take("store_then_502", **context):
            return PlainTextResponse("Bad Gateway", 502)
        return good


def _object(content: bytes) -> Fields:
    try:
        body = from_json(content)
    except ValueError as error:
        raise Refusal(17017, "the body is not JSON") from error
    if not isinstance(body, dict):
        raise Refusal(17017, "the body is no object")
    return body


def _number(value: Value, default: int) -> int:
    return value if isinstance(value, int) else default


def _seconds(value: Value) -> float:
    return float(value) if isinstance(value, int | Decimal) else 1.0
