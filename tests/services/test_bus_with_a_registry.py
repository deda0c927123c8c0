"""A bus whose lineshaft.yaml names a registry: what stands in its topics, on a real Kafka and a real registry."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event as Flag
from typing import Any, cast

import httpx
import pytest

from schemas.catalog import ITEMS, ORDERS, STATE, STATUS, record_names, schema
from schemas.registry import Registry, RegistryAway
from schemas.wire import FRAME, Writer, headers_of
from streams.kafka.partitions import partition_of
from streams.pipeline import Pipeline
from tests.bus_on_kafka import BusOnKafka, bus_on_kafka, item_event, order_event, running, until
from tests.raw_kafka import RawKafka, RawRecord
from tests.services.apicurio import Apicurio

pytestmark = pytest.mark.kafka

JOBS = "sink.plant-a"
NEWER = 900
"""The id of a schema that only another program knows."""


def everything_registered(registry: Registry) -> Registry:
    """What `lineshaft topics apply` has done before any role starts."""
    for record in record_names():
        registry.register(record)
    return registry


@pytest.fixture
def kafka(raw: RawKafka, topic_prefix: str, registry: Callable[[], Registry]) -> BusOnKafka:
    """A bus of processes that look their ids up."""
    everything_registered(registry())
    return bus_on_kafka(raw, topic_prefix, ids=registry())


def with_a_note(record: str) -> dict[str, Any]:
    """The schema of a newer version of the record."""
    today: dict[str, Any] = dict(schema(record))
    return {**today, "fields": [*today["fields"], {"name": "note", "type": ["null", "string"], "default": None}]}


def put_foreign(kafka: BusOnKafka, schema_id: int, number: str) -> None:
    """An order as a program of a newer version writes it: with that id, and with a note (which is null)."""
    event = order_event(number)
    data = FRAME.pack(0, schema_id) + Writer("SalesOrder")(event.value)[FRAME.size :] + b"\x00"
    partition = partition_of(event.key, kafka.bus.partitions)
    headers = cast("list[tuple[str, bytes]]", headers_of(event))
    kafka.raw.produce(kafka.topic(ORDERS), data, event.key.encode(), partition, headers)


def records(kafka: BusOnKafka, topic: str) -> list[RawRecord]:
    return kafka.raw.read_committed(kafka.topic(topic))


def schema_ids(kafka: BusOnKafka, topic: str) -> set[int]:
    return {FRAME.unpack_from(each.value)[1] for each in records(kafka, topic) if each.value is not None}


def test_every_record_that_the_bus_writes_has_the_registrys_id(
    kafka: BusOnKafka, registry: Callable[[], Registry]
) -> None:
    kafka.put(ITEMS, item_event("P-1"))
    kafka.put(ORDERS, order_event("1"))
    kafka.put(ORDERS, order_event("2", line={"item": "P-9"}))
    with running(Pipeline(kafka.bus, 0, kafka.plans)):
        until(lambda: kafka.events(STATUS, "OrderStatus"), "a status")
        until(lambda: kafka.newest("parked.pipeline"), "the order of the unknown item")
    expected = {
        "bus.definitions": "Definition",
        STATE: "OrderState",
        STATUS: "OrderStatus",
        JOBS: "JobOrder",
        "parked.pipeline": "Parked",
    }
    ids = registry()
    found = {topic: schema_ids(kafka, topic) for topic in expected}
    assert found == {topic: {ids.id_of(record)} for topic, record in expected.items()}


def test_an_order_that_another_program_wrote_with_a_newer_schema_is_made(
    kafka: BusOnKafka, far_side: httpx.Client
) -> None:
    text = {"schema": json.dumps(with_a_note("SalesOrder"))}
    answer = far_side.post("/subjects/lineshaft.SalesOrder/versions", json=text).raise_for_status()
    kafka.put(ITEMS, item_event("P-1"))
    put_foreign(kafka, int(answer.json()["id"]), "7")
    with running(Pipeline(kafka.bus, 0, kafka.plans)):
        until(lambda: kafka.events(JOBS, "JobOrder"), "the job order")
    assert [each.key for each in kafka.events(JOBS, "JobOrder")] == ["crm:7"]


def test_while_the_registry_is_away_the_pipeline_stops_and_nothing_is_parked(
    raw: RawKafka, topic_prefix: str, tmp_path: Path
) -> None:
    with httpx.Client(timeout=30.0) as client:
        with Apicurio(tmp_path) as short_lived:
            ids = everything_registered(Registry(short_lived.url, client))
            kafka = bus_on_kafka(raw, topic_prefix, ids=ids)
            put_foreign(kafka, NEWER, "1")
            pipeline = Pipeline(kafka.bus, 0, kafka.plans)
        with pytest.raises(RegistryAway):
            pipeline.run(Flag())
    assert records(kafka, "parked.pipeline") == []
    assert sum(kafka.raw.committed_offsets(kafka.topic("pipeline"), kafka.topic(ORDERS)).values()) == 0


def lineshaft(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.main", "--project", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def project(folder: Path, raw: RawKafka, **settings: str) -> Path:
    """A project without connectors on the session's broker."""
    lines: Mapping[str, str] = {"kafka": f"{{bootstrap: '{raw.bootstrap}'}}", "partitions": "3", **settings}
    (folder / "lineshaft.yaml").write_text("".join(f"{key}: {value}\n" for key, value in lines.items()))
    return folder


def test_topics_apply_registers_every_record_and_every_topic_by_its_name_on_the_cluster(
    raw: RawKafka, topic_prefix: str, tmp_path: Path, apicurio: Apicurio, far_side: httpx.Client
) -> None:
    folder = project(tmp_path, raw, topic_prefix=topic_prefix, registry=apicurio.url)
    done = lineshaft(folder, "topics", "apply")
    assert done.returncode == 0, done.stderr
    subjects = set(far_side.get("/subjects").json())
    assert {f"lineshaft.{record}" for record in record_names()} <= subjects
    topics = ("crm.orders", "bus.order-state", "parked.pipeline", "commands.pipeline")
    assert {f"{topic_prefix}{topic}-value" for topic in topics} <= subjects
    assert not any(subject.endswith("sink.plant-a-value") for subject in subjects)  # it holds two kinds of records


def test_a_registry_that_refuses_keeps_topics_apply_from_making_any_topic(
    raw: RawKafka, topic_prefix: str, tmp_path: Path, apicurio: Apicurio, far_side: httpx.Client
) -> None:
    other = {"type": "record", "name": "Item", "namespace": "lineshaft", "fields": [{"name": "i", "type": "int"}]}
    subject = f"{topic_prefix}ref.items-value"
    far_side.post(f"/subjects/{subject}/versions", json={"schema": json.dumps(other)}).raise_for_status()
    folder = project(tmp_path, raw, topic_prefix=topic_prefix, registry=apicurio.url)
    done = lineshaft(folder, "topics", "apply")
    assert done.returncode == 2
    assert f"/subjects/{subject}/versions: HTTP 409" in done.stderr
    assert "No topic was made. Look at `registry:` in lineshaft.yaml." in done.stderr
    assert not any(name.startswith(topic_prefix) for name in raw.topics())


def test_a_registry_that_is_not_reachable_keeps_topics_apply_from_making_any_topic(
    raw: RawKafka, topic_prefix: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, raw, topic_prefix=topic_prefix, registry="http://127.0.0.1:1")
    done = lineshaft(folder, "topics", "apply")
    assert done.returncode == 3
    assert "http://127.0.0.1:1/config/" in done.stderr
    assert "not reachable" in done.stderr
    assert not any(name.startswith(topic_prefix) for name in raw.topics())
