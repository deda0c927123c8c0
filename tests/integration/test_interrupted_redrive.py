"""A redrive whose process ends at the worst moment is finished once by the next one, on every kind of stage."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Batch
from connectors.errors import DataError
from schemas.catalog import ITEMS, ORDERS
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


def parked(kafka: BusOnKafka, stage: str) -> list[Any]:
    return [Reader("Parked")(data) for data in kafka.newest(f"parked.{stage}").values()]


def redrive(kafka: BusOnKafka, stage: str) -> None:
    [found] = until(lambda: parked(kafka, stage), "the parked record")
    write = kafka.bus.cluster.writer("Command")
    send(kafka.bus.cluster, [redrive_command(stage, found["parked_id"], 0, write)])


def killed_in_mid_redrive(role: str, kafka: BusOnKafka, ledger: Path) -> None:
    """Let a process of its own do the redrive up to its commit; SIGKILL ends it there."""
    cluster = kafka.bus.cluster
    arguments = (role, cluster.bootstrap, cluster.prefix, str(kafka.bus.partitions), str(ledger))
    command = [sys.executable, "-m", "tests.integration.killed_redrive", *arguments]
    assert subprocess.run(command, timeout=100, check=False).returncode == -signal.SIGKILL


def deeds(kafka: BusOnKafka) -> list[str]:
    return [str(each["action"]) for each in entries(kafka.bus.cluster)]  # type: ignore[index]


def test_in_the_pipeline_the_order_is_made_once(raw: RawKafka, topic_prefix: str, tmp_path: Path) -> None:
    kafka = bus_on_kafka(raw, topic_prefix, 1)
    kafka.put(ORDERS, order_event("1", line={"item": "P-1"}))
    with running(Pipeline(kafka.bus, 0, kafka.plans)):
        until(lambda: parked(kafka, "pipeline"), "the order of an unknown item is parked")
    kafka.put(ITEMS, item_event("P-1"))
    redrive(kafka, "pipeline")
    killed_in_mid_redrive("pipeline", kafka, tmp_path / "none")
    assert kafka.events("sink.plant-a", "JobOrder") == []
    with running(Pipeline(kafka.bus, 0, kafka.plans)):
        until(lambda: not parked(kafka, "pipeline"), "it is resolved")
    assert len(kafka.events("sink.plant-a", "JobOrder")) == 1
    ids = [str(each["deed_id"]) for each in entries(kafka.bus.cluster)]  # type: ignore[index]
    assert len(ids) == len(set(ids))


def test_at_a_source_the_event_is_published_once(raw: RawKafka, topic_prefix: str, tmp_path: Path) -> None:
    script = Script()
    crm = attached("crm", source=lambda _: ScriptedSource(script))
    kafka = far_bus(raw, topic_prefix, 1, {"crm": crm})
    no_note = order("1", Ready="perhaps")
    script.steps.append(Batch([no_note], {"at": 1}, True, "org-1"))
    with running(SourceTask(kafka.bus, crm, kafka.plans)):
        until(lambda: parked(kafka, "source.crm"), "the order is parked")
    redrive(kafka, "source.crm")
    killed_in_mid_redrive("source", kafka, tmp_path / "none")
    assert parked(kafka, "source.crm")[0]["attempts"] == 1
    with running(SourceTask(kafka.bus, crm, kafka.plans)):
        until(lambda: parked(kafka, "source.crm")[0]["attempts"] == 2, "it is tried once")
    with running(SourceTask(kafka.bus, crm, kafka.plans)):
        script.steps.append(Batch([order("2")], {"at": 2}, True, "org-1"))
        until(lambda: kafka.events(ORDERS, "SalesOrder"), "the source goes on")
    assert parked(kafka, "source.crm")[0]["attempts"] == 2
    assert deeds(kafka).count("redrive") == 1


def test_at_a_sink_the_far_system_has_it_once(raw: RawKafka, topic_prefix: str, tmp_path: Path) -> None:
    script, ledger = Script(), tmp_path / "ledger"
    crm = attached("crm", sink=lambda _: ScriptedSink(script))
    kafka = far_bus(raw, topic_prefix, 1, {"crm": crm})

    def refuse(_: Any) -> Any:
        raise DataError("not yet")

    script.answers.append(refuse)
    put(kafka, "1", 50)
    with running(SinkTask(kafka.bus, crm, kafka.plans)):
        until(lambda: parked(kafka, "sink.crm"), "the status is parked")
    script.writes.clear()
    redrive(kafka, "sink.crm")
    killed_in_mid_redrive("sink", kafka, ledger)
    [written] = ledger.read_text().splitlines()
    assert len(parked(kafka, "sink.crm")) == 1  # written, and nobody knows
    with running(SinkTask(kafka.bus, crm, kafka.plans)):
        until(lambda: not parked(kafka, "sink.crm"), "it is resolved")
    again = {f"{document.id} {document.revision}" for write in script.writes for document in write}
    assert again == {written}  # the same document with the same version: the far side's guard lets it change nothing
    assert deeds(kafka).count("redrive") == 1
