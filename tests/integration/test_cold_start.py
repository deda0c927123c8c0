"""A bus that begins with nothing keeps its sinks shut until it knows what the far systems hold."""

from __future__ import annotations

import pytest

from schemas.catalog import ITEMS, ORDERS, POSITIONS
from schemas.event import Event, Record
from streams.clock import now_us
from streams.cold_start import ColdStart
from streams.pipeline import Pipeline
from streams.source_task import SourceTask
from tests.bus_on_kafka import BusOnKafka, bus_on_kafka, far, item_event, order_event, running, until
from tests.integration.scripted_far_system import ScriptedWebhook
from tests.raw_kafka import RawKafka

pytestmark = pytest.mark.kafka


def _position(kafka: BusOnKafka, source: str, complete: bool) -> None:
    at = now_us()
    value: Record = {"source": source, "position": "{}", "system": "", "complete": complete, "moved_at": at}
    kafka.put(POSITIONS, Event("Position", source, source, f"{source}/{at}", source, at, at, value))


def test_sinks_stay_shut_until_every_backfill_is_done_and_the_pipeline_has_caught_up(
    raw: RawKafka, topic_prefix: str
) -> None:
    kafka = bus_on_kafka(raw, topic_prefix)
    door = ColdStart(kafka.bus)
    _position(kafka, "crm", complete=False)
    assert door.shut_because() == "the first backfill of crm, plant-a is not done"
    _position(kafka, "plant-a", complete=True)
    assert door.shut_because() == "the first backfill of crm is not done"
    kafka.put(ITEMS, item_event("P-1"))
    kafka.put(ORDERS, order_event("1"))
    _position(kafka, "crm", complete=True)
    assert door.shut_because() == "the pipeline has not caught up"
    with running(Pipeline(kafka.bus, 0, kafka.plans)):
        until(lambda: door.shut_because() == "", "the sinks may open")
    _position(kafka, "crm", complete=False)
    assert door.shut_because() == "", "once a backfill was done the bus knows the far system"


def test_orders_that_go_on_coming_do_not_keep_the_sinks_shut(raw: RawKafka, topic_prefix: str) -> None:
    kafka = bus_on_kafka(raw, topic_prefix)
    for source in ("crm", "plant-a"):
        _position(kafka, source, complete=True)
    door = ColdStart(kafka.bus)
    assert door.shut_because() == ""
    kafka.put(ORDERS, order_event("1"))
    assert door.shut_because() == "", "it came after the backfill"
    assert ColdStart(kafka.bus).shut_because() == "the pipeline has not caught up"


def test_a_connector_that_only_pushes_has_no_backfill_that_sinks_would_wait_for(
    raw: RawKafka, topic_prefix: str
) -> None:
    pushes = far("shop", source=None, webhook=lambda _: ScriptedWebhook())
    kafka = bus_on_kafka(raw, topic_prefix, attached={"shop": pushes})
    door = ColdStart(kafka.bus)
    assert door.shut_because() == "the first backfill of shop is not done"
    with running(SourceTask(kafka.bus, pushes, kafka.plans)):
        until(lambda: door.shut_because() == "", "the sinks may open")
