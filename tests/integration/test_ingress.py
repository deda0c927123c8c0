"""Pushes over HTTP: 2xx only for what is on the bus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from schemas.catalog import ORDERS
from schemas.wire import Reader
from streams import ingress as module
from streams.ingress import Ingress
from streams.source_task import SourceTask
from tests.bus_on_kafka import BusOnKafka, running, until
from tests.integration.scripted_far_system import Http, Script, ScriptedSource, ScriptedWebhook, attached, far_bus
from tests.raw_kafka import RawKafka

pytestmark = pytest.mark.kafka
SIGNED = {"X-Signature": "good"}


@pytest.fixture(scope="module")
def kafka(raw: RawKafka) -> BusOnKafka:
    source = ScriptedSource(Script())
    far = {"crm": attached("crm", webhook=lambda _: ScriptedWebhook(), source=lambda _: source)}
    return far_bus(raw, "ingress.", 1, far)


@pytest.fixture(scope="module")
def ingress(kafka: BusOnKafka) -> Iterator[Ingress]:
    made = Ingress(kafka.bus, kafka.plans)
    made.open()
    yield made
    made.close()


@pytest.fixture
def http(ingress: Ingress) -> Http:
    return Http(ingress.app())


def push(http: Http, *orders: Any, path: str = "/webhooks/crm", **headers: str) -> httpx.Response:
    return http.ask("POST", path, content=json.dumps(orders), headers={**SIGNED, **headers})


def subjects(kafka: BusOnKafka) -> list[str]:
    return [each.subject for each in kafka.events(ORDERS, "SalesOrder")]


def parked(kafka: BusOnKafka) -> list[Any]:
    return [Reader("Parked")(data) for data in kafka.newest("parked.source.crm").values()]


def test_what_was_answered_with_success_is_on_the_bus(kafka: BusOnKafka, http: Http) -> None:
    answer = push(http, {"No": "1", "Ready": True}, {"No": "2", "Ready": True})
    assert (answer.status_code, answer.json()) == (200, {"status": "success"})
    assert {"crm:1", "crm:2"} <= set(subjects(kafka))


def test_a_repeated_push_has_the_same_event_id(kafka: BusOnKafka, http: Http) -> None:
    for _ in range(2):
        assert push(http, {"No": "again", "Ready": True}).status_code == 200
    ids = [each.id for each in kafka.events(ORDERS, "SalesOrder") if each.subject == "crm:again"]
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_what_cannot_be_mapped_is_parked_where_the_source_finds_it_and_a_later_push_closes_it(
    kafka: BusOnKafka, http: Http
) -> None:
    assert push(http, {"No": "bad", "Ready": None}, {"No": "good", "Ready": True}).status_code == 200
    [found] = parked(kafka)
    assert (found["cause"], found["stage"], found["subject"]) == ("required_missing", "source.crm", "Order/bad")
    assert "crm:good" in subjects(kafka)
    task = SourceTask(kafka.bus, kafka.bus.attached["crm"], kafka.plans)
    with running(task):
        until(lambda: task._parking.table.owned and task._parking.entries(), "the source has it")
        assert push(http, {"No": "bad", "Ready": True}).status_code == 200
        assert parked(kafka) == []
        until(lambda: not task._parking.entries(), "the source has closed it as well")


@pytest.mark.parametrize(
    ("path", "headers", "body", "code", "says"),
    [
        ("/webhooks/crm", {"X-Signature": "bad"}, "[]", 401, "the signature is wrong"),
        ("/webhooks/crm", SIGNED, "{", 400, "no list of orders"),
        ("/webhooks/crm", SIGNED, '["text"]', 400, "no list of orders"),
        ("/webhooks/mes", SIGNED, "[]", 404, "no webhook 'mes'; there are ['crm']"),
        ("/webhooks/crm", SIGNED, " " * (module.LONGEST_BODY + 1), 413, "longer than"),
    ],
)
def test_a_push_that_is_none_is_refused_and_nothing_is_published(
    kafka: BusOnKafka, http: Http, path: str, headers: dict[str, str], body: str, code: int, says: str
) -> None:
    before = kafka.raw.end_offsets(kafka.topic(ORDERS))
    answer = http.ask("POST", path, content=body, headers=headers)
    assert answer.status_code == code
    assert says in answer.json()["error"]
    assert kafka.raw.end_offsets(kafka.topic(ORDERS)) == before


def test_only_post_is_taken(http: Http) -> None:
    assert http.ask("GET", "/webhooks/crm").status_code == 405


class Silent:
    """A producer whose broker never answers: it takes everything and reports nothing."""

    def produce(self, *_: Any, **__: Any) -> None:
        return

    def poll(self, _: float) -> int:
        return 0

    def flush(self, _: float) -> int:
        return 1


def test_without_the_brokers_answer_the_push_is_to_be_sent_again(
    kafka: BusOnKafka, ingress: Ingress, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingress, "_producer", Silent())
    answer = push(http, {"No": "unheard", "Ready": True})
    assert (answer.status_code, answer.json()) == (503, {"error": "not stored; push it again"})
    monkeypatch.undo()
    assert "crm:unheard" not in subjects(kafka)
    assert push(http, {"No": "unheard", "Ready": True}).status_code == 200
    assert "crm:unheard" in subjects(kafka)


def test_an_order_too_large_for_the_bus_is_parked_and_not_pushed_for_ever(kafka: BusOnKafka, http: Http) -> None:
    assert push(http, {"No": "large", "Ready": True, "Note": "x" * 1_200_000}).status_code == 200
    assert "too_large" in [each["cause"] for each in parked(kafka)]
