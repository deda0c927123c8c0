"""A far system on a real socket with TLS whose answers a test writes down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.http import connect
from connectors.testing import Served, issue, kept_port
from schemas.document import Value, to_json


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


def json(value: Value, status: int = 200, **headers: str) -> Response:
    """An answer in JSON."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(to_json(value), status, named, "application/json")


def nothing(asked: Asked) -> Response:
    return Response(status_code=404)


@dataclass
class Far:
    """The running server: what it answers, and what it was asked since the test began."""

    url: str
    ca: Path
    answers: Callable[[Asked], Response] = nothing
    asked: list[Asked] = field(default_factory=list)
    clients: list[httpx.Client] = field(default_factory=list)

    def client(self, auth: httpx.Auth | None = None) -> httpx.Client:
        """A client as connectors make theirs, closed when the test ends."""
        self.clients.append(connect(10.0, self.ca, auth=auth))
        return self.clients[-1]

    def forget(self) -> None:
        """As if it had just been started, with nobody connected."""
        for client in self.clients:
            client.close()
        self.clients.clear()
        self.asked.clear()
        self.answers = nothing

    def paths(self) -> list[str]:
        """The paths that were asked for."""
        return [each.path for each in self.asked]


METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@contextmanager
def served(folder: Path) -> Iterator[Far]:
    """A far system for many tests; each sets `answers` and clears `asked`."""
    certificates = issue(folder)

    async def answer(request: Request) -> Response:
        headers = {name.lower(): text for name, text in request.headers.items()}
        asked = Asked(request.method, request.url.path, dict(request.query_params), headers, await request.body())
        far.asked.append(asked)
        return far.answers(asked)

    app = Starlette(routes=[Route("/{path:path}", answer, methods=METHODS)])
    server = Served(app, kept_port(folder, "far"), certificates)
    far = Far(server.address, certificates.ca)
    server.start()
    try:
        yield far
    finally:
        server.stop()
