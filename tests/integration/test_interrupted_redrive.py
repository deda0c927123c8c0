"""A redrive whose process ends at the worst moment is finished once by the next one, on every kind of stage."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from connectors.contract import Batch
from connectors.errors import DataError
from schemas.catalog import ITEMS, ORDERS
from schemas.document import Document
from schemas.wire import Reader
from streams.audit import entries
from streams.commands import redrive_command, send
from streams.pipeline import Pipeline
from streams.sink_task import SinkTask
from streams.source_task import SourceTask
from tests.bus_on_kafka import BusOnKafka, bus_on_kafka, item_event, order_event, running, until
from tests.integration.scripted_far_system import Script, ScriptedSink, ScriptedSource, attached, far_bus, order
from tests.integration.test_sink_task import put
from tests.raw_kafka import RawKafka

pytestmark = pytest.mark.kafka


class Killed(Exception):
    """Stands for the end of the process: nothing after it happens."""


def parked(kafka: BusOnKafka, stage: str) -> list[Any]:
    return [Reader("Parked")(data) for data in kafka.newest(f"parked.{stage}").values()]


def redrive(kafka: BusOnKafka, stage: str) -> None:
    [found] = until(lambda: parked(kafka, stage), "the parked record")
    write = kafka.bus.cluster.writer("Command")
    send(kafka.bus.cluster, [redrive_command(stage, found["parked_id"], 0, write)])


def killed_before_its_commit(task: Any) -> None:
    def dies() -> None:
        raise Killed

    task._transactions._commit = dies
    with pytest.raises(Killed):
        task.run(threading.Event())


def deeds(kafka: BusOnKafka) -> list[str]:
    return [str(each["action"]) for each in entries(kafka.bus.cluster)]  # type: ignore[index]


def test_in_the_pipeline_the_order_is_made_once(raw: RawKafka, topic_prefix: str) -> None:
    kafka = bus_on_kafka(raw, topic_prefix, 1)
    kafka.put(ORDERS, order_event("1", line={"item": "P-1"}))
    with running(Pipeline(kafka.bus, 0, kafka.plans)):
        until(lambda: parked(kafka, "pipeline"), "the order of an unknown item is parked")
    kafka.put(ITEMS, item_event("P-1"))
    redrive(kafka, "pipeline")
    killed_before_its_commit(Pipeline(kafka.bus, 0, kafka.plans))
    assert kafka.events("sink.plant-a", "JobOrder") == []
    with running(Pipeline(kafka.bus, 0, kafka.plans)):
        until(lambda: not parked(kafka, "pipeline"), "it is resolved")
    assert len(kafka.events("sink.plant-a", "JobOrder")) == 1
    ids = [str(each["deed_id"]) for each in entries(kafka.bus.cluster)]  # type: ignore[index]
    assert len(ids) == len(set(ids))


def test_at_a_source_the_event_is_published_once(raw: RawKafka, topic_prefix: str) -> None:
    script = Script()
    crm = attached("crm", source=lambda _: ScriptedSource(script))
    kafka = far_bus(raw, topic_prefix, 1, {"crm": crm})
    no_note = order("1", Ready="perhaps")
    script.steps.append(Batch([no_note], {"at": 1}, True, "org-1"))
    with running(SourceTask(kafka.bus, crm, kafka.plans)):
        until(lambda: parked(kafka, "source.crm"), "the order is parked")
    redrive(kafka, "source.crm")
    killed_before_its_commit(SourceTask(kafka.bus, crm, kafka.plans))
    assert parked(kafka, "source.crm")[0]["attempts"] == 1
    with running(SourceTask(kafka.bus, crm, kafka.plans)):
        until(lambda: parked(kafka, "source.crm")[0]["attempts"] == 2, "it is tried once")
    with running(SourceTask(kafka.bus, crm, kafka.plans)):
        script.steps.append(Batch([order("2")], {"at": 2}, True, "org-1"))
        until(lambda: kafka.events(ORDERS, "SalesOrder"), "the source goes on")
    assert parked(kafka, "source.crm")[0]["attempts"] == 2
    assert deeds(kafka).count("redrive") == 1


def test_at_a_sink_the_far_system_has_it_once(raw: RawKafka, topic_prefix: str) -> None:
    script, ledger = Script(), dict[tuple[str, str], int]()

    class Ledger(ScriptedSink):
        def write(self, documents: Any) -> Any:
            refused = super().write(documents)
            for each in documents:
                ledger[each.id, each.revision] = ledger.get((each.id, each.revision), 0) + 1
            return refused

    crm = attached("crm", sink=lambda _: Ledger(script))
    kafka = far_bus(raw, topic_prefix, 1, {"crm": crm})

    def refuse(_: Any) -> Any:
        raise DataError("not yet")

    script.answers.append(refuse)
    put(kafka, "1", 50)
    with running(SinkTask(kafka.bus, crm, kafka.plans)):
        until(lambda: parked(kafka, "sink.crm"), "the status is parked")
    redrive(kafka, "sink.crm")
    dying = SinkTask(kafka.bus, crm, kafka.plans)

    def dies() -> None:
        raise Killed

    dying._publish_parked = dies  # type: ignore[method-assign]
    with pytest.raises(Killed):
        dying.run(threading.Event())
    assert (len(ledger), len(parked(kafka, "sink.crm"))) == (1, 1)  # written, and nobody knows
    with running(SinkTask(kafka.bus, crm, kafka.plans)):
        until(lambda: not parked(kafka, "sink.crm"), "it is resolved")
    written = [document for write in script.writes for document in write]
    assert {(each.id, each.revision) for each in written} == set(ledger)
    assert len(ledger) == 1  # the same document with the same version: the far side's guard lets it change nothing
    assert all(isinstance(each, Document) for each in written)
    assert deeds(kafka).count("redrive") == 1
