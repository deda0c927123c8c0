"""The calls of Tryton's REST protocol that the connectors make (contract section 4)."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from connectors.errors import ConfigError, TransientError
from connectors.far_clock import FarClock
from connectors.http import Effect, send
from connectors.tryton.answers import read
from connectors.tryton.config import TrytonConfig
from connectors.tryton.wire import encoded, plain
from schemas.document import Fields, Value, to_json

CONTEXT = "X-Tryton-Context"


class Client:
    """One company of one database, one connection pool. Raises FarError; see answers.py for what an answer means."""

    def __init__(self, config: TrytonConfig, transport: httpx.BaseTransport | None = None) -> None:
        self._base = f"{config.url}/{config.database}/rest/model"
        self._http = httpx.Client(
            transport=transport,
            timeout=config.timeout_s,
            verify=_trusted(config.ca_file),
            headers={
                "Authorization": f"Bearer {config.key.get_secret_value()}",
                CONTEXT: encoded({"company": config.company, "companies": [config.company]}),
            },
            trust_env=False,
        )
        self.clock = FarClock(config.url)

    def close(self) -> None:
        """Close all connections. Safe twice."""
        self._http.close()

    def search(
        self,
        model: str,
        domain: Sequence[Value],
        paths: Sequence[str],
        order: Sequence[str] = ("id",),
        limit: int | None = None,
    ) -> list[Fields]:
        """Records with the fields at `paths`, the id always among them."""
        query: list[tuple[str, str | int | float | bool | None]] = [
            ("d", encoded(domain)),
            ("o", encoded([[name, "ASC"] for name in order])),
        ]
        query += [("f", path) for path in paths]
        query += [] if limit is None else [("s", str(limit))]
        request = self._http.build_request("GET", f"{self._base}/{model}", params=query)
        found = plain(self._answer(request, "reads"))
        if not isinstance(found, list):
            raise TransientError(f"{request.url.path} answered no list: {to_json(found)[:200]}")
        return [record for record in found if isinstance(record, dict)]

    def call(self, model: str, action: str, arguments: Mapping[str, Value]) -> Value:
        """Call a method of a model that writes."""
        content = to_json(arguments).encode()
        headers = {"Content-Type": "application/json"}
        request = self._http.build_request("POST", f"{self._base}/{model}/{action}", content=content, headers=headers)
        return plain(self._answer(request, "writes"))

    def _answer(self, request: httpx.Request, effect: Effect) -> Value:
        response = send(self._http, request, effect)
        self.clock.heard(response.headers.get("Date"))
        return read(response, effect)


def _trusted(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        remedy = "Name a PEM file of certificates."
        raise ConfigError("ca_file", f"{ca_file} cannot be used ({error}).", remedy) from error
