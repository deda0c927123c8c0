"""The HTTP face of the stand-in: token endpoint, data API with its scripted faults, control endpoint."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connectors.salesforce.simulator.answers import Answer, ApiError
from connectors.salesforce.simulator.api import Call, Service
from connectors.salesforce.simulator.auth import Refused, Sessions
from connectors.salesforce.simulator.person import Person
from connectors.salesforce.simulator.routes import routed
from connectors.testing import Dropped, Faults, Holds, Ledger, control_routes
from schemas.document import Fields, Value, from_json, to_json

FAULTS = (
    "latency",  # arguments: seconds; match: method, path
    "throttle",  # 403 REQUEST_LIMIT_EXCEEDED
    "unavailable",  # 503 SERVER_UNAVAILABLE
    "server_error",  # 500 UNKNOWN_EXCEPTION
    "query_timeout",  # 400 QUERY_TIMEOUT
    "expired_session",  # the token in use ends; match path "Subscribe" for the gRPC side
    "hang",  # nothing is done and the answer is held
    "store_then_hang",  # it is done and the answer is held
    "row_lock",  # match: object, key
    "duplicate_value",  # match: object, key
    "gap",  # the next change event carries no data; match: object
    "overflow",
    "wildcard",
    "schema_change",
    "dropped_stream",  # match: topic
    "duplicate_events",
    "lost_cursor",  # the next CUSTOM replay id is corrupted
    "quota",  # subscription.limit.exceeded
)

BAD_ANSWERS: Mapping[str, ApiError] = {
    "throttle": ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    "unavailable": ApiError(503, "SERVER_UNAVAILABLE", "Server too busy"),
    "server_error": ApiError(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred."),
    "query_timeout": ApiError(400, "QUERY_TIMEOUT", "Your query request was running for too long."),
}

PATH = re.compile(r"^/services/data/(v\d{2}\.\d)/?(.*)$")
VERSIONS: Value = [
    {"label": f"Release {number}", "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
    for number in range(59, 69)
]


class Web:
    """The application of one stand-in."""

    def __init__(self, service: Service, sessions: Sessions, ledger: Ledger, faults: Faults) -> None:
        self._service = service
        self._api = routed(service)
        self._sessions = sessions
        self._ledger = ledger
        self._faults = faults
        self._holds = Holds()

    def application(self) -> Starlette:
        """All routes."""
        extra: list[BaseRoute] = Person(self._service.org, self._ledger).routes()
        control = control_routes(self._faults, self._ledger, self._holds, FAULTS, extra)
        methods = ["GET", "POST", "PATCH", "PUT", "DELETE"]
        return Starlette(
            routes=[
                Route("/services/oauth2/token", self._token, methods=["POST"]),
                Route("/services/data", self._versions, methods=["GET"]),
                Route("/services/data/{path:path}", self._data, methods=methods),
                control,
            ]
        )

    async def _token(self, request: Request) -> Response:
        await self._delay("POST", "token")
        if self._faults.take("unavailable", method="POST", path="token"):
            return self._respond(BAD_ANSWERS["unavailable"].answer())
        fields = dict(parse_qsl((await request.body()).decode(errors="replace")))
        try:
            opened = self._sessions.open(fields, request.headers.get("authorization", ""))
        except Refused as refused:
            opened = refused.answer
        self._ledger.record("token", grant=fields.get("grant_type"), status=opened.status)
        return self._respond(opened)

    async def _versions(self, request: Request) -> Response:
        return self._respond(Answer(200, VERSIONS))

    async def _data(self, request: Request) -> Response:
        body = await request.body()
        raw_path = request.scope["raw_path"].decode().partition("?")[0]
        match = PATH.match(raw_path)
        if match is None:
            return self._respond(ApiError(404, "NOT_FOUND", "The requested resource does not exist").answer())
        method, version, path = request.method, match[1], match[2].strip("/")
        self._service.calls += 1
        await self._delay(method, path)
        if self._faults.take("hang", method=method, path=path):
            await self._holds.hold(request)
            return Dropped()
        answer = self._refusal(method, path, request.headers.get("authorization", ""))
        if answer is None:
            answer = await asyncio.to_thread(self._answer, method, version, path, request, body)
        self._note(method, path, request, body, answer)
        if self._faults.take("store_then_hang", method=method, path=path) and not await self._holds.hold(request):
            return Dropped()
        return self._respond(answer)

    def _refusal(self, method: str, path: str, authorization: str) -> Answer | None:
        access = authorization.removeprefix("Bearer ")
        if self._faults.take("expired_session", method=method, path=path):
            self._sessions.expire(access)
        if not self._sessions.holds(access):
            return ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid").answer()
        for kind, error in BAD_ANSWERS.items():
            if self._faults.take(kind, method=method, path=path):
                return error.answer()
        return None

    def _answer(self, method: str, version: str, path: str, request: Request, body: bytes) -> Answer:
        try:
            content = from_json(body) if body else None
        except ValueError as error:
            return ApiError(400, "JSON_PARSER_ERROR", f"Unexpected character: {error}").answer()
        headers = {name.lower(): value for name, value in request.headers.items()}
        return self._api.handle(Call(method, path, version, dict(request.query_params), headers, content))

    def _note(self, method: str, path: str, request: Request, body: bytes, answer: Answer) -> None:
        details: dict[str, Value] = {}
        if method != "GET":
            details = {"sent": body.decode(errors="replace"), "answered": answer.body}
        headers: Fields = {
            name: value for name, value in request.headers.items() if name.lower().startswith("sforce-")
        }
        query = request.query_params.get("q")
        self._ledger.record(
            "request", method=method, path=path, status=answer.status, q=query, headers=headers, **details
        )

    async def _delay(self, method: str, path: str) -> None:
        fault = self._faults.take("latency", method=method, path=path)
        seconds = fault.arguments.get("seconds", 1) if fault else 0
        if isinstance(seconds, int | Decimal) and seconds > 0:
            await asyncio.sleep(float(seconds))

    def _respond(self, answer: Answer) -> Response:
        used, most = self._service.calls, int(self._service.org.settings.number("daily_calls"))
        headers = {"Sforce-Limit-Info": f"api-usage={used}/{most}"}
        if answer.body is None:
            return Response(status_code=answer.status, headers=headers)
        return Response(to_json(answer.body), answer.status, headers, media_type="application/json")
