"""What is asked of a Tryton server before anything is read, without a server."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connectors.errors import ConfigError
from connectors.tryton.checks import check_server
from connectors.tryton.client import Client
from connectors.tryton.config import TrytonConfig

PATHS = ("number", "works.cycles.lineshaft_good", "lineshaft_buried")


class Far:
    """A server with these models and fields, whose user sees company 1."""

    def __init__(self, models: tuple[str, ...], fields: tuple[str, ...]) -> None:
        self._there = {"ir.model": models, "ir.model.field": fields}

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("get_preferences"):
            return httpx.Response(200, json={"company": 1})
        asked = request.url.path.rsplit("/", 1)[-1]
        rows: list[dict[str, Any]] = [{"id": 1, "name": name} for name in self._there[asked]]
        return httpx.Response(200, json=rows)


def check(monkeypatch: pytest.MonkeyPatch, far: Far) -> None:
    monkeypatch.setenv("KEY", "k")
    config = TrytonConfig.model_validate(
        {"url": "http://tryton", "database": "plant", "key": "${env:KEY}", "company": 1}
    )
    client = Client(config, httpx.MockTransport(far.handle))
    try:
        check_server(client, ["production"], PATHS)
    finally:
        client.close()


def test_a_server_with_all_that_is_read_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    check(monkeypatch, Far(("production",), ("lineshaft_good", "lineshaft_buried")))


def test_a_server_without_a_model_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="the server has no production"):
        check(monkeypatch, Far((), ("lineshaft_good", "lineshaft_buried")))


def test_a_module_that_is_older_than_the_connector_is_told_to_be_updated(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        ConfigError, match=r"older than this connector: it has no lineshaft_buried\. Update the module"
    ):
        check(monkeypatch, Far(("production",), ("lineshaft_good",)))
