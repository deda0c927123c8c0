"""The web server in front of Tryton, as every company has one: it ends TLS, and it is where answers get lost.

A bench asks it to misbehave: to give an answer of its own in Tryton's place, to swallow the next answer to a write,
or to take calls and answer none.
"""

from __future__ import annotations

from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.testing import Dropped, Holds, Served, issue, kept_port

PASSED_ON = ("authorization", "content-type", "x-tryton-context", "accept-language")
GIVEN_BACK = ("content-type", "content-language")
UPSTREAM_S = 60.0
NONE_KEPT = httpx.Limits(max_keepalive_connections=0)
"""What is open behind the gateway is no part of what a bench counts."""

PAGE = "<!doctype html><html lang=en><title>{status}</title><h1>{status}</h1><p>from the gateway.</p>"


class Gateway:
    """One address with TLS that passes everything on to the server behind it."""

    def __init__(self, folder: Path, upstream: str) -> None:
        self._certificates = issue(folder)
        self._upstream = httpx.AsyncClient(base_url=upstream, timeout=UPSTREAM_S, trust_env=False, limits=NONE_KEPT)
        self._holds = Holds()
        self._served = Served(self._app(), kept_port(folder, "gateway"), self._certificates)
        self.answers_itself: int | None = None
        self.swallows_next = False
        self._silent = False

    @property
    def url(self) -> str:
        """Its address."""
        return self._served.address

    @property
    def ca_file(self) -> Path:
        """What a client has to trust."""
        return self._certificates.ca

    def start(self) -> None:
        """Listen at the same address as the last time in this folder."""
        self._served.start()

    def stop(self) -> None:
        """Stop listening. Safe twice."""
        self.speak()
        self._served.stop()

    def fall_silent(self) -> None:
        """Take every call from now on, and answer none."""
        self._silent = True

    def speak(self) -> None:
        """Answer again, also what is held."""
        self._silent = False
        self._holds.release()

    def _app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST", "PUT", "DELETE"])])

    async def _answer(self, request: Request) -> Response:
        body = await request.body()
        if self._silent and not await self._holds.hold(request):
            return Dropped()
        if self.answers_itself is not None:
            return Response(PAGE.format(status=self.answers_itself), self.answers_itself, media_type="text/html")
        answer = await self._passed_on(request, body)
        if self.swallows_next and request.method != "GET":
            self.swallows_next = False
            return Dropped()
        headers = {name: answer.headers[name] for name in GIVEN_BACK if name in answer.headers}
        return Response(answer.content, answer.status_code, headers)

    async def _passed_on(self, request: Request, body: bytes) -> httpx.Response:
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        url = f"{request.url.path}?{request.url.query}"
        return await self._upstream.request(request.method, url, content=body, headers=headers)
