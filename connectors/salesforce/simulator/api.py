"""The data API below /services/data/vNN.0/: which call goes where. HTTP and composite both come through here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import unquote

from connectors.salesforce.simulator.answers import Answer, ApiError, not_found
from connectors.salesforce.simulator.org import Org
from connectors.salesforce.simulator.pages import Pages
from connectors.salesforce.simulator.queries import Queries
from schemas.document import Value


@dataclass(frozen=True)
class Call:
    """One call: `path` starts behind the version and is still URL-encoded; header names are lower."""

    method: str
    path: str
    version: str = "v62.0"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Value = None

    @property
    def origin(self) -> str:
        """What change events will say about who did it; our marker is in it."""
        options = self.headers.get("sforce-call-options", "")
        client = f";client={options.removeprefix('client=')}" if options.startswith("client=") else ""
        return f"com/salesforce/api/rest/{self.version.removeprefix('v')}{client}"


class Service:
    """What the handlers work on."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self.pages = Pages()
        self.queries = Queries(org, self.pages)
        self.calls = 0


Handler: TypeAlias = Callable[[Service, Call, tuple[str, ...]], Answer]


@dataclass(frozen=True)
class Route:
    """A method and a pattern of the path; its groups go to the handler."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler


def route(method: str, pattern: str, handler: Handler) -> Route:
    """A route whose pattern may hold `{}` for one part of a path."""
    return Route(method, re.compile(pattern.replace("{}", "([^/]+)")), handler)


class Api:
    """Answers calls by the table of routes; never raises ApiError."""

    def __init__(self, service: Service, routes: tuple[Route, ...]) -> None:
        self._service = service
        self._routes = routes

    def handle(self, call: Call) -> Answer:
        """The answer to one call."""
        try:
            return self._dispatch(call)
        except ApiError as error:
            return error.answer()

    def _dispatch(self, call: Call) -> Answer:
        path = call.path.strip("/")
        known = False
        for each in self._routes:
            match = each.pattern.fullmatch(path)
            known = known or match is not None
            if match and each.method == call.method:
                return each.handler(self._service, call, tuple(map(unquote, match.groups())))
        if known:
            raise ApiError(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{call.method}' not allowed.")
        raise not_found()
