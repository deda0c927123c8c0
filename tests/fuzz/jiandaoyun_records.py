"""Good records, pushes and answers of JianDaoYun, and the connector around them without a network."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any
from unittest.mock import patch

import httpx
from pydantic import SecretStr

from connectors.jiandaoyun import JianDaoYunConfig
from connectors.jiandaoyun.client import Client
from connectors.jiandaoyun.form import VENDOR_TYPES, Widget, work_order
from connectors.jiandaoyun.limits import ENDPOINTS
from connectors.pace import Pace

SECRET = "s3cr3t"
STAMP = "2026-05-01T08:00:00.000Z"
APP, ENTRY = "a1", "e1"

Handler = Callable[[httpx.Request], httpx.Response]


def record(number: int = 1) -> dict[str, Any]:
    """A work order as data/list has it."""
    operation = {
        "_id": f"row{number}",
        "operation": "sawing",
        "machine": "SAW-1",
        "good": 10,
        "scrap": 1,
        "rework": 0,
    }
    return {
        "_id": f"65f0c0ffee{number:014d}",
        "appId": APP,
        "entryId": ENTRY,
        "createTime": STAMP,
        "updateTime": STAMP,
        "job_order_id": f"crm:{number:08d}/L1",
        "bus_version": f"{number:020d}",
        "item": "M-9",
        "quantity": 12.5,
        "unit": "件",
        "due": "2026-05-17T16:00:00.000Z",
        "priority": "high",
        "state": "running",
        "operations": [{**operation, "started": STAMP, "ended": STAMP}],
    }


def widgets() -> dict[str, Any]:
    """The field list of the form as the vendor answers it."""

    def one(widget: Widget) -> dict[str, Any]:
        kind = sorted(VENDOR_TYPES[widget.type])[0]
        return {"name": widget.alias, "widgetName": widget.widget, "type": kind, "items": [*map(one, widget.items)]}

    return {"widgets": [one(each) for each in work_order().fields]}


GOOD_ANSWERS: dict[str, Callable[[], Any]] = {
    "widget/list": widgets,
    "data/list": lambda: {"data": [record(number) for number in (1, 2, 3)]},
    "data/get": lambda: {"data": record(1)},
    "data/batch_create": lambda: {
        "success_count": 1,
        "success_ids": ["65f0c0ffee00000000000009"],
        "status": "success",
    },
    "data/update": lambda: {"data": record(1)},
}


def call_of(request: httpx.Request) -> str:
    """`data/list` and the like."""
    return "/".join(request.url.path.split("/")[-2:])


def config() -> JianDaoYunConfig:
    """One form, secrets in clear."""
    return JianDaoYunConfig.model_construct(
        base_url="https://far.invalid/api",
        api_key=SecretStr("k3y"),
        app_id=APP,
        entry_id=ENTRY,
        webhook_secret=SecretStr(SECRET),
        ca_file=None,
        timeout_s=1.0,
        requests_per_second=50,
        utc_offset_hours=8,
    )


class Ticks:
    """A clock that goes a second at every look, so that nobody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def client(handle: Handler) -> Client:
    """The connector's own client on answers made here."""
    with patch("connectors.http.trusted", tls):
        return Client(config(), httpx.MockTransport(handle), Pace(50, ENDPOINTS, clock=Ticks(), sleep=lambda _: None))


@cache
def tls(*_: object) -> ssl.SSLContext:
    """One context for all clients: reading the authorities takes longer than everything else of a case."""
    return ssl.create_default_context()


def good(request: httpx.Request) -> httpx.Response:
    """A far system in good order."""
    return httpx.Response(200, json=GOOD_ANSWERS[call_of(request)]())


def wild_answer(rng: Random, body: bytes) -> httpx.Response:
    """The body with a status, a code and headers that may not belong to it."""
    status = rng.choice(
        (200, 200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 409, 413, 429, 500, 502, 503, 504, 599)
    )
    headers = rng.choice(HEADERS)
    if status >= 400 and rng.random() < 0.7:
        code = rng.choice(
            (0, 1, 8303, 8304, 17018, 4001, 4000, 17026, 50008, 7103, 2004, 3000, -1, 10**30, "8303", None)
        )
        body = json.dumps({"code": code, "msg": rng.choice(("no", None, {"a": 1}, "x" * 100_000, "\ud800"))}).encode()
    return httpx.Response(status, stream=httpx.ByteStream(body), headers=headers)


HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"Retry-After": "-5"},
    {"Retry-After": "soon"},
    {"Retry-After": "9" * 400},
    {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"},
    {"Content-Type": "text/html; charset=nonsense"},
    {"Content-Type": "application/json; charset=utf-16"},
    {"Sforce-Limit-Info": "api-usage=99999999999999999999/0"},
    {"Location": "https://far.invalid/else"},
    {"Content-Encoding": "gzip"},
    {"Content-Encoding": "br, nonsense"},
)
