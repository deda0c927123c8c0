"""Calls of the shop's API, and what its answers mean."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from pydantic import Field

from connectors.config import ConnectorConfig, Secret
from connectors.errors import (
    AuthError,
    ConfigError,
    Conflict,
    DataError,
    FarError,
    LostCursor,
    Throttled,
    TransientError,
    UnknownOutcome,
)
from connectors.http import Effect, retry_after_s, send
from connectors.pace import Pace
from schemas.document import Fields, from_json, to_json

RATE = 20


class ShopConfig(ConnectorConfig):
    """One board of one shop."""

    base_url: str = Field(pattern=r"^https://\S+[^/\s]$", description="Address of the shop's API.")
    api_key: Secret = Field(description="Key of the API, as a reference to a secret.")
    webhook_secret: Secret = Field(description="Secret of the push, as a reference to a secret.")
    board: str = Field(description="Which board of the shop.")
    ca_file: Path | None = Field(None, description="PEM file of the authority that signed the shop's certificate.")
    timeout_s: float = Field(10.0, gt=0, le=12, description="Seconds to wait for an answer.")
    look_every_s: float = Field(2.0, gt=0, description="Seconds between two looks.")


CODES: Mapping[str, type[FarError]] = {
    "key": AuthError,
    "forgotten": LostCursor,
    "invalid": DataError,
    "locked": TransientError,
    "changed": Conflict,
}


class Client:
    """One board. Raises FarError."""

    def __init__(self, config: ShopConfig) -> None:
        self._base = config.base_url
        self._pace = Pace(RATE, {"orders": RATE})
        self._http = httpx.Client(
            timeout=config.timeout_s,
            verify=ssl.create_default_context(cafile=config.ca_file),
            headers={"Authorization": f"Bearer {config.api_key.get_secret_value()}", "board": config.board},
            trust_env=False,
        )

    def take_share(self, share: float) -> None:
        self._pace.take_share(share)

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **query: str) -> dict[str, Any]:
        return self._call("GET", path, "reads", query=query)

    def put(self, key: str, body: Fields) -> None:
        self._pace.wait("orders")
        self._call("PUT", f"orders/{key}", "writes", body=body)

    def _call(
        self,
        method: str,
        path: str,
        effect: Effect,
        body: Fields | None = None,
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        content = None if body is None else to_json(body)
        request = self._http.build_request(method, f"{self._base}/{path}", content=content, params=query or {})
        return read(send(self._http, request, effect), effect)


def read(response: httpx.Response, effect: Effect) -> dict[str, Any]:
    """The body of a good answer. Raises what any other means; the code decides, then the status."""
    try:
        found = from_json(response.content)
    except ValueError:
        found = None
    body = dict(found) if isinstance(found, dict) else {}
    if response.is_success:
        return body
    raise meaning(response, str(body.get("code", "")), effect)


def meaning(response: httpx.Response, code: str, effect: Effect) -> FarError:
    text = f"{response.request.url.path}: HTTP {response.status_code} {code}".strip()
    if code == "no_board":
        return ConfigError("board", f"{text}.", "Take the name from the board's address.")
    if response.status_code == 429:
        return Throttled(text, retry_after_s(response.headers))
    if code in CODES:
        return CODES[code](text)
    if response.status_code >= 500:
        return UnknownOutcome(text) if effect == "writes" else TransientError(text)
    return DataError(text, code)
