"""The pipeline on the real Kafka, asserted from a second raw client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY

from schemas.catalog import ITEMS, ORDERS, PRODUCTION, STATE, STATUS
from schemas.wire import Reader
from streams.pipeline import Pipeline
from tests.bus_on_kafka import (
    ONE,
    BusOnKafka,
    bus_on_kafka,
    item_event,
    order_event,
    report_event,
    running,
    until,
)
from tests.raw_kafka import RawKafka

pytestmark = pytest.mark.kafka
SINK = "sink.plant-a"


@pytest.fixture
def kafka(raw: RawKafka, topic_prefix: str) -> BusOnKafka:
    made = bus_on_kafka(raw, topic_prefix)
    made.put(ITEMS, item_event("P-1"))
    return made


def test_a_released_order_becomes_one_job_order_and_a_planned_status(kafka: BusOnKafka) -> None:
    kafka.put(ORDERS, order_event("1"))
    with running(Pipeline(kafka.bus, 0, kafka.plans)):
        until(lambda: kafka.events(STATUS, "OrderStatus"), "a status")
    [job] = kafka.events(SINK, "JobOrder")
    assert (job.key, job.subject, job.value["quantity"]) == ("crm:1", "crm:1/L1", 5 * ONE)
    assert [each.value["state"] for each in kafka.events("sink.crm", "OrderStatus")] == ["planned"]


def test_a_repeated_order_makes_nothing_new(kafka: BusOnKafka) -> None:
    event = order_event("1")
    for _ in range(3):
        kafka.put(ORDERS, event)
    kafka.put(ORDERS, order_event("2"))
    with running(Pipeline(kafka.bus, 0, kafka.plans)):
        until(lambda: len(kafka.events(SINK, "JobOrder")) >= 2, "two job orders")
    assert sorted(each.subject for each in kafka.events(SINK, "JobOrder")) == ["crm:1/L1", "crm:2/L1"]


def test_an_older_revision_never_undoes_a_newer_one(kafka: BusOnKafka) -> None:
    kafka.put(ORDERS, order_event("1", at_us=2_000_000, line={"quantity": 7 * ONE}))
    kafka.put(ORDERS, order_event("1", at_us=1_000_000))
    kafka.put(ORDERS, order_event("1", at_us=3_000_000, line={"quantity": 9 * ONE}))
    with running(Pipeline(kafka.bus, 0, kafka.plans)):
        until(lambda: len(kafka.events(SINK, "JobOrder")) >= 2, "two job orders")
    assert [each.value["quantity"] for each in kafka.events(SINK, "JobOrder")] == [7 * ONE, 9 * ONE]
    first, second = kafka.events(SINK, "JobOrder")
    assert second.version > first.version


def test_a_report_reaches_the_status_with_good_scrap_and_state(kafka: BusOnKafka) -> None:
    kafka.put(ORDERS, order_event("1"))
    kafka.put(PRODUCTION, report_event("1", good=5, state="completed"))
    with running(Pipeline(kafka.bus, 0, kafka.plans)):
        until(lambda: _told(kafka) == ("completed", 5 * ONE, 100), "the completed status")


def _told(kafka: BusOnKafka) -> tuple[object, object, object] | None:
    told = kafka.events("sink.crm", "OrderStatus")
    return (told[-1].value["state"], told[-1].value["good"], told[-1].value["percent"]) if told else None


def test_an_order_of_an_unknown_item_is_parked_and_redriven_when_the_item_arrives(kafka: BusOnKafka) -> None:
    kafka.put(ORDERS, order_event("1", line={"item": "P-9"}))
    kafka.put(ORDERS, order_event("2"))
    with running(Pipeline(kafka.bus, 0, kafka.plans)):
        parked = until(lambda: kafka.newest("parked.pipeline"), "a parked order")
        [value] = [Reader("Parked")(data) for data in parked.values()]
        assert (value["cause"], value["waits_for"]) == ("unknown_reference", "items/P-9")
        until(lambda: [e.key for e in kafka.events(SINK, "JobOrder")] == ["crm:2"], "the other order goes on")
        assert _parked_now("unknown_reference") == 1
        kafka.put(ITEMS, item_event("P-9"))
        until(lambda: len(kafka.events(SINK, "JobOrder")) == 2, "the parked order is redriven by itself")
    assert kafka.newest("parked.pipeline") == {}
    assert _parked_now("unknown_reference") == 0


def _parked_now(cause: str) -> float | None:
    return REGISTRY.get_sample_value("lineshaft_parked_now_records", {"stage": "pipeline", "cause": cause})


def test_a_record_nobody_can_read_is_parked_and_the_others_go_on(kafka: BusOnKafka) -> None:
    kafka.raw.produce(kafka.topic(ORDERS), b"\x00garbage", b"crm:1", 0)
    kafka.put(ORDERS, order_event("2"))
    with running(Pipeline(kafka.bus, 0, kafka.plans)):
        until(lambda: kafka.events(SINK, "JobOrder"), "the other order")
        parked = until(lambda: kafka.newest("parked.pipeline"), "the parked record")
    [value] = [Reader("Parked")(data) for data in parked.values()]
    assert value["cause"] == "undecodable"


def test_state_after_a_restart_and_a_rebalance_equals_a_fresh_replay(
    raw: RawKafka, topic_prefix: str, names: Callable[[str], str]
) -> None:
    kafka, fresh = bus_on_kafka(raw, topic_prefix), bus_on_kafka(raw, topic_prefix + "fresh.")
    for each in (kafka, fresh):
        each.put(ITEMS, item_event("P-1"))
    orders = [order_event(str(n)) for n in range(30)]
    reports = [report_event(str(n), good=g) for n in range(30) for g in (1, 3)]
    for event in orders:
        kafka.put(ORDERS, event)
    with running(Pipeline(kafka.bus, 0, kafka.plans)):
        until(lambda: len(kafka.newest(STATE)) == 30, "the orders")
        for event in reports[:30]:
            kafka.put(PRODUCTION, event)
        with running(Pipeline(kafka.bus, 1, kafka.plans)):
            for event in reports[30:]:
                kafka.put(PRODUCTION, event)
            until(lambda: _progress(kafka) == 30, "all reports")
    for event in (*orders, *reports):
        fresh.put(ORDERS if event.record == "SalesOrder" else PRODUCTION, event)
    with running(Pipeline(fresh.bus, 0, fresh.plans)):
        until(lambda: _progress(fresh) == 30, "all reports again")
    assert _facts(kafka) == _facts(fresh)
    assert len(kafka.events(SINK, "JobOrder")) == 30


def _progress(kafka: BusOnKafka) -> int:
    return sum(1 for state in _facts(kafka).values() if state[1] == 3 * ONE)


def _facts(kafka: BusOnKafka) -> dict[bytes, tuple[object, ...]]:
    """Per order what must not depend on when a worker was restarted: all but the versions."""
    read = Reader("OrderState")
    found: dict[bytes, tuple[object, ...]] = {}
    for key, data in kafka.newest(STATE).items():
        state: Any = read(data)
        jobs = [(job["job_order_id"], job["content_hash"]) for job in state["jobs"]]
        status = state["status"]
        found[key] = (state["order"], status["good"], status["state"], state["progress"], jobs)
    return found
