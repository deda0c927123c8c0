"""The two lanes of a sink on the real Kafka: a burst waits for what somebody waits for, and nothing of it is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from connectors.contract import Rejection
from connectors.errors import DataError
from schemas.catalog import ORDERS
from schemas.document import Document
from schemas.event import Event
from schemas.wire import Reader
from streams.bus import Bus
from streams.clock import now_us
from streams.kafka import topics
from streams.kafka.cluster import Cluster
from streams.lane_reader import BULK_BATCH
from streams.lanes import BURST
from streams.pipeline import Pipeline
from streams.sink_task import SinkTask
from tests.bus_on_kafka import BusOnKafka, bus_on_kafka, item_event, order_event, running, until
from tests.integration.scripted_far_system import Script, ScriptedSink, attached, far_bus
from tests.raw_kafka import RawKafka

pytestmark = pytest.mark.kafka
FAST, BULK, PARKED = "sink.crm", "sink.crm.bulk", "parked.sink.crm"
QUEUED = 2_000


@pytest.fixture(scope="module")
def scripts() -> dict[str, Script]:
    return {}


@pytest.fixture(scope="module")
def kafka(raw: RawKafka, scripts: dict[str, Script]) -> BusOnKafka:
    return far_bus(raw, "lanes.", 2, {"crm": attached("crm", sink=lambda _: ScriptedSink(scripts["now"]))})


@pytest.fixture
def script(scripts: dict[str, Script]) -> Script:
    scripts["now"] = Script()
    return scripts["now"]


@pytest.fixture
def sink(kafka: BusOnKafka, script: Script) -> Iterator[Callable[[], Any]]:
    yield lambda: running(SinkTask(kafka.bus, kafka.bus.attached["crm"], kafka.plans))


def status(number: str, percent: int = 0, version: int = 0) -> Event:
    key, at = f"crm:{number}", version or now_us()
    zero = dict.fromkeys(("good", "scrap", "rework"), 0)
    value: Any = {"order_key": key, "number": number, "state": "running", "percent": percent, **zero}
    return Event("OrderStatus", key, key, f"{key}/{at}", "pipeline", at, at, value)


def left(kafka: BusOnKafka, *names: str) -> int:
    """How many records of the topics the sink's group has not committed."""
    group, named = kafka.topic("sink.crm"), [kafka.topic(topic) for topic in names]
    ends = sum(sum(kafka.raw.end_offsets(topic).values()) for topic in named)
    return ends - sum(sum(kafka.raw.committed_offsets(group, topic).values()) for topic in named)


def test_a_record_of_the_fast_lane_waits_for_one_batch_of_the_bulk_lane_at_most(
    kafka: BusOnKafka, script: Script, sink: Any
) -> None:
    kafka.put_all(BULK, [status(f"loaded-{number}") for number in range(QUEUED)])
    calls: list[list[str]] = []
    put_after: list[int] = []

    def answer(documents: Sequence[Document]) -> Sequence[Rejection]:
        calls.append([each.id for each in documents])
        if len(calls) == 3:
            kafka.put(FAST, status("urgent"))
            put_after.append(len(calls))
        return ()

    script.answers.extend([answer] * (QUEUED // 20))
    with sink():
        until(lambda: left(kafka, FAST, BULK) == 0, "everything is committed")
    [at] = [number for number, ids in enumerate(calls) if "crm:urgent" in ids]
    assert at <= put_after[0] + 1
    assert all(len(ids) <= BULK_BATCH for ids in calls)
    written = [each for ids in calls for each in ids]
    assert sorted(written) == sorted(["crm:urgent", *(f"crm:loaded-{number}" for number in range(QUEUED))])

    calls.clear()
    kafka.put(FAST, status("after"))
    with sink():
        until(lambda: left(kafka, FAST, BULK) == 0, "the other record is committed")
    assert calls == [["crm:after"]]  # the bulk lane's offsets are the group's as well


def test_what_was_parked_from_the_bulk_lane_is_superseded_by_version_and_not_by_what_is_older(
    kafka: BusOnKafka, script: Script, sink: Any
) -> None:
    def parked() -> list[int]:
        found = [Reader("Parked")(data) for data in kafka.newest(PARKED).values()]
        return [int(str(each["revision"])) for each in found if each["order_key"] == "crm:both"]

    def refused(documents: Sequence[Document]) -> Sequence[Rejection]:
        return [Rejection(0, DataError("not now"))]

    now = now_us()
    script.answers.append(refused)
    kafka.put(BULK, status("both", 2, now + 2))
    with sink():
        until(lambda: parked() == [now + 2], "it is parked")
        kafka.put(FAST, status("both", 1, now + 1))
        until(lambda: left(kafka, FAST, BULK) == 0, "the older one is written")
        assert parked() == [now + 2]
        kafka.put(FAST, status("both", 3, now + 3))
        until(lambda: parked() == [], "the newer one closes it")


def test_a_burst_of_orders_goes_to_the_bulk_lane_and_an_urgent_one_before_it(raw: RawKafka) -> None:
    kafka = bus_on_kafka(raw, "burst.", 1)
    kafka.put("ref.items", item_event("P-1"))
    kafka.put_all(ORDERS, [order_event(str(number)) for number in range(BURST + 20)])
    kafka.put(ORDERS, order_event("urgent", priority="urgent"))
    with running(Pipeline(kafka.bus, 0, kafka.plans)):
        until(lambda: len(kafka.events("order.status", "OrderStatus")) == BURST + 21, "every order")
    fast = [each.key for each in kafka.events("sink.plant-a", "JobOrder")]
    assert len(fast) == BURST + 1
    assert fast[-1] == "crm:urgent"
    assert len(kafka.events("sink.plant-a.bulk", "JobOrder")) == 20
    assert len(kafka.events("sink.crm.bulk", "OrderStatus")) == 20


def test_applying_the_topics_gives_a_bus_of_an_older_release_its_bulk_lanes_and_their_first_offsets(
    raw: RawKafka,
) -> None:
    bus = Bus(Cluster(raw.bootstrap, "older."), 2, {"crm": attached("crm", sink=lambda _: ScriptedSink(Script()))})
    older = [each for each in bus.topics if each.name != BULK]
    groups = [(group, [name for name in names if name != BULK]) for group, names in bus.groups]
    topics.apply(bus.cluster, older, groups)
    made = [each.topic.name for each in topics.apply(bus.cluster, bus.topics, bus.groups) if each.action == "create"]
    assert made == [BULK]
    assert raw.committed_offsets("older.sink.crm", f"older.{BULK}") == {0: 0, 1: 0}
