"""JSON calls to one far system: sent, its clock heard, its answer read by the rows of its contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from connectors.far_clock import FarClock
from connectors.http import Effect, send
from schemas.document import Value, to_json

JSON = {"Content-Type": "application/json"}
Query = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """A good answer: its JSON (None without a body), its headers, and its links by what they lead to (RFC 8288)."""

    body: Value
    headers: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)


class JsonCalls:
    """Calls by one connection pool. `read` gives the body of a good answer and raises what any other one means."""

    def __init__(self, http: httpx.Client, read: Callable[[httpx.Response, Effect], Value], clock: FarClock) -> None:
        self._http, self._read, self.clock = http, read, clock

    def call(
        self,
        effect: Effect,
        method: str,
        url: str,
        query: Query = (),
        body: Value = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One call; a body is sent as JSON, exact decimals included. Raises FarError."""
        content = None if body is None else to_json(body).encode()
        sent = {**(JSON if content is not None else {}), **(headers or {})}
        parts = httpx.URL(url).copy_merge_params(httpx.QueryParams(list(query))) if query else url
        response = send(self._http, self._http.build_request(method, parts, content=content, headers=sent), effect)
        self.clock.heard(response.headers.get("Date"))
        links = {name: str(link.get("url", "")) for name, link in response.links.items() if name}
        return Answer(self._read(response, effect), response.headers, links)

    def close(self) -> None:
        """Close all connections. Safe twice."""
        self._http.close()
