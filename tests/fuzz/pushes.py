"""Pushes to the webhook: signed ones with a wrong body, and wrong signatures; through the ingress as over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import httpx

from connectors.config import ConnectorConfig
from connectors.contract import Connector, Request
from connectors.errors import FarError
from connectors.jiandaoyun.documents import Reader, documents
from connectors.jiandaoyun.webhook import JianDaoYunWebhook, signature
from streams.bus import Attached, Bus
from streams.ingress import Ingress
from streams.intake import Intake, Refused
from tests.fuzz import jiandaoyun_records as far
from tests.fuzz.case import ACCEPTED, Case, End, Ending, Maker, refused
from tests.fuzz.mutation import TEXTS, bytes_changed, json_text, mutated, nasty
from tests.fuzz.no_kafka import NoKafka
from tests.fuzz.on_the_bus import plan, plans, quiet
from tests.unit.streams.orders_made_by_hand import Known

CLEAR_STATUS = {200, 400, 401, 413, 503}


def push(rng: Random) -> bytes:
    """A push of the vendor's with something wrong in it."""
    operation: Any = rng.choice(("data_create", "data_update", "data_recover", "data_remove", "form_update"))
    data = far.record(rng.randrange(5))
    whole: Any = {"op": operation, "data": data, "opTime": 1_718_150_400_000}
    if rng.random() < 0.2:
        whole["data"] = {f"_widget_{rng.randrange(10**9)}": nasty(rng), **data}
    return json_text(mutated(whole, rng) if rng.random() < 0.85 else whole, rng)


def signed(rng: Random, body: bytes, now: float) -> tuple[dict[str, str], dict[str, str]]:
    """Query and headers of a push; sometimes those of somebody who does not know the secret, or the time."""
    stamp, nonce = str(int(now)), f"{rng.getrandbits(40):x}"
    query = {"timestamp": stamp, "nonce": nonce}
    given = signature(nonce, body, far.SECRET, stamp)
    match rng.randrange(12):
        case 0:
            given = rng.choice(("", "0" * 40, given[:-1], given.upper(), "ü" * 40))
        case 1:
            query["timestamp"] = rng.choice(("", "-1", "1e9", "²", "٣", "9" * 5_000, str(int(now) - 10_000), "nan"))
            given = signature(nonce, body, far.SECRET, query["timestamp"])
        case 2:
            del query[rng.choice(list(query))]
    delivery = rng.choice(("", f"{rng.getrandbits(60):x}", "\u202e" + "x" * 5_000))
    return query, {"x-jdy-signature": given, "x-jdy-deliverid": delivery}


@contextmanager
def webhook() -> Iterator[Maker]:
    """The connector's webhook and the intake behind it."""
    now = 1_718_150_400.0
    intake = Intake("plant-a", "jiandaoyun", 1, plan(), Known())

    def make(rng: Random) -> Case:
        body = push(rng)
        query, headers = signed(rng, body, now)
        answer = far.wild_answer(rng, json_text(mutated({"data": far.record()}, rng), rng))
        asks = far.good if rng.random() < 0.7 else lambda _: answer
        received = JianDaoYunWebhook(
            lambda: far.client(asks), Reader(8), far.SECRET, (far.APP, far.ENTRY), now=lambda: now
        )

        def play() -> Ending:
            try:
                found = received.receive(Request("POST", "/webhooks/plant-a", query, headers, body))
            except FarError as error:
                return refused(error)
            return ending_of([intake.take(each, 1) for each in found])

        return Case(repr((query, headers, body)).encode(), play)

    yield make


def ending_of(taken: list[Any]) -> Ending:
    """How documents ended in the intake; a defect of ours is a crash."""
    turned = [each.reason for each in taken if isinstance(each, Refused)]
    for reason in turned:
        assert reason.cause != "defect", f"parked as our own defect: {reason.message}"
    return Ending(End.PARKED, turned[0].message) if turned else ACCEPTED


@contextmanager
def ingress() -> Iterator[Maker]:
    """The same over HTTP: whatever is pushed, the answer says what is wrong with it."""
    kafka = NoKafka("nowhere:1")
    made = Ingress(Bus(kafka, 1, {"plant-a": attached()}), plans())
    app = made.app()

    async def ask(query: dict[str, str], headers: httpx.Headers, body: bytes) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ingress") as http:
            return await http.post("/webhooks/plant-a", params=query, headers=headers, content=body)

    with asyncio.Runner() as runner, quiet():

        def make(rng: Random) -> Case:
            body = (
                push(rng) if rng.random() < 0.9 else bytes_changed(rng.choice(TEXTS).encode("utf-8", "replace"), rng)
            )
            query, headers = signed(rng, body, time.time())
            raw = httpx.Headers(
                [(name.encode(), value.encode("utf-8", "replace")) for name, value in headers.items()]
            )

            def play() -> Ending:
                kafka.taken.records.clear()
                answer = runner.run(ask(query, raw, body))
                assert answer.status_code in CLEAR_STATUS, f"HTTP {answer.status_code}: {answer.text[:300]}"
                if answer.status_code != httpx.codes.OK:
                    return refused(answer.json()["error"])
                parked = any(topic == "parked.source.plant-a" for topic, *_ in kafka.taken.records)
                return Ending(End.PARKED, "it is in the topic with its reason") if parked else ACCEPTED

            return Case(repr((query, headers, body)).encode(), play)

        yield make


def attached() -> Attached:
    """JianDaoYun as the ingress has it; the API behind it fails for some records and some forms."""

    def flaky(request: httpx.Request) -> httpx.Response:
        return httpx.Response(502) if len(request.content) % 3 == 0 else far.good(request)

    def receiver(_: ConnectorConfig) -> JianDaoYunWebhook:
        return JianDaoYunWebhook(lambda: far.client(flaky), Reader(8), far.SECRET, (far.APP, far.ENTRY))

    return Attached(
        "plant-a", Connector("jiandaoyun", ConnectorConfig, documents, webhook=receiver), ConnectorConfig()
    )
