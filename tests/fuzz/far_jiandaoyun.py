"""Answers of JianDaoYun that are not what was asked for: to the source's sweep and to the sink's writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from random import Random
from typing import Any

import httpx

from connectors.errors import FarError
from connectors.jiandaoyun.documents import Reader
from connectors.jiandaoyun.sink import JianDaoYunSink
from connectors.jiandaoyun.source import JianDaoYunSource
from schemas.document import Document, Value
from streams.intake import Intake
from tests.fuzz import jiandaoyun_records as far
from tests.fuzz.case import ACCEPTED, Case, Ending, Maker, refused
from tests.fuzz.mutation import json_text, mutated, nasty
from tests.fuzz.on_the_bus import plan
from tests.fuzz.pushes import ending_of
from tests.unit.streams.orders_made_by_hand import Known

POLLS = 4


def answers(rng: Random, spoilt: float) -> tuple[far.Handler, list[bytes]]:
    """A far system that answers wrongly now and then; what it said is kept for the repeat."""
    said: list[bytes] = []
    seed = rng.getrandbits(64)
    spoilt_calls = rng.choice((list(far.GOOD_ANSWERS), ["data/list"], ["data/list"], ["data/get", "data/update"]))
    all_wrong = rng.random() < 0.4  # also status and headers: else only what stands in a good answer's body

    def handle(request: httpx.Request) -> httpx.Response:
        here = Random(f"{seed}/{len(said)}")
        call = far.call_of(request)
        value = far.GOOD_ANSWERS[call]()
        bad = call in spoilt_calls and here.random() < spoilt
        odd = mutated(value, here, 4) if bad else value
        body = json_text(odd, here) if bad and all_wrong else json.dumps(odd, default=str).encode()
        said.append(body)
        return far.wild_answer(here, body) if bad and all_wrong else httpx.Response(200, content=body)

    return handle, said


def full_page(rng: Random) -> Callable[[httpx.Request], httpx.Response]:
    """A form whose every page is full: one that never ends unless somebody notices."""
    records = [far.record(number) for number in range(100)]
    odd: Any = mutated(records[-1], rng)
    body = json_text({"data": [*records[:-1], odd]}, Random(0))

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=body) if far.call_of(request) == "data/list" else far.good(request)

    return handle


@contextmanager
def source() -> Iterator[Maker]:
    """Sweeps of a form; what they give goes on through the mapping."""
    intake = Intake("plant-a", "jiandaoyun", 1, plan(), Known())

    def make(rng: Random) -> Case:
        handle, said = answers(rng, rng.choice((0.3, 0.8)))
        if rng.random() < 0.05:
            handle = full_page(rng)

        def play() -> Ending:
            swept = JianDaoYunSource(far.client(handle), Reader(8), "a1/e1", 0.0, clock=far.Ticks())
            try:
                swept.open(None)
                batches = [batch for _ in range(POLLS) if (batch := swept.poll(0)) is not None]
            except FarError as error:
                return refused(error)
            finally:
                swept.close()
            return ending_of([intake.take(each, 1) for batch in batches for each in batch.documents])

        return Case(b"\n".join(said) or repr(rng).encode(), play)

    yield make


def wanted(number: int, rng: Random) -> Document:
    fields: dict[str, Value] = {
        "bus_version": f"{number + 2:020d}",
        "item": "P-1",
        "quantity": Decimal("5.50"),
        "unit": "EA",
        "due": "2026-06-01",
        "state": "released",
    }
    if rng.random() < 0.3:
        name = rng.choice(list(fields))
        fields[name] = nasty(rng)
    return Document("work_order", f"crm:{number:08d}/L1", "r", fields)


@contextmanager
def sink() -> Iterator[Maker]:
    """Writes of three work orders, one of which may be odd itself."""

    def make(rng: Random) -> Case:
        handle, said = answers(rng, rng.choice((0.2, 0.6)))
        documents = [wanted(number, rng) for number in (1, 2, 3)]

        def play() -> Ending:
            far_side = JianDaoYunSink(far.client(handle), Reader(8))
            try:
                far_side.open()
                rejections = far_side.write(documents)
            except FarError as error:
                return refused(error)
            finally:
                far_side.close()
            assert all(isinstance(each.error, FarError) for each in rejections)
            return refused(rejections[0].error) if rejections else ACCEPTED

        return Case(repr((documents, said)).encode(), play)

    yield make
