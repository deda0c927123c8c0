"""A bus on the session's broker for tests: its topics, its live definitions, and events made by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from connectors.config import ConnectorConfig
from connectors.contract import Connector
from mappings import shipped
from schemas.catalog import ITEMS
from schemas.event import Event, Record
from schemas.identity import content_hash, revision
from schemas.wire import (
    REVISION,
    Headers,
    Reader,
    SchemaIds,
    ShippedSchemas,
    Writer,
    event_of,
    header_texts,
    headers_of,
)
from streams.bus import Attached, Bus
from streams.clock import now_us
from streams.definitions import activate
from streams.kafka import topics
from streams.kafka.cluster import Cluster
from streams.kafka.partitions import partition_of
from streams.live_plans import LivePlans
from tests.raw_kafka import RawKafka

ONE = 1_000_000
DAY_US = 86_400_000_000


def _never(_: ConnectorConfig) -> Any:
    raise AssertionError("this test has no far system")


def far(name: str, **sides: Any) -> Attached:
    """A connector that only has a name, unless sides are given."""
    made = {"source": _never, "sink": _never, **sides}
    return Attached(name, Connector(f"type-{name}", ConnectorConfig, lambda _: (), **made), ConnectorConfig())


@dataclass(frozen=True)
class BusOnKafka:
    """A bus whose topics exist, with a raw client beside it."""

    bus: Bus
    raw: RawKafka

    @property
    def plans(self) -> LivePlans:
        """The live definitions as one more process follows them."""
        return LivePlans(self.bus)

    def topic(self, plain: str) -> str:
        return self.bus.cluster.name(plain)

    def put(self, topic: str, event: Event) -> None:
        """Publish an event as somebody else's producer would."""
        data, headers = Writer(event.record)(event.value), cast("list[tuple[str, bytes]]", headers_of(event))
        partition = partition_of(event.key, self.bus.partitions) if topic != ITEMS else -1
        self.raw.produce(self.topic(topic), data, event.key.encode(), partition, headers)

    def put_all(self, topic: str, events: Sequence[Event]) -> None:
        """Publish many events at once."""
        producer = self.bus.cluster.producer()
        for event in events:
            data, partition = Writer(event.record)(event.value), partition_of(event.key, self.bus.partitions)
            producer.produce(self.topic(topic), data, event.key.encode(), partition, headers=headers_of(event))
        assert producer.flush(30) == 0

    def events(self, topic: str, record: str) -> list[Event]:
        """Every committed event of a topic, read by the raw client."""
        read = Reader(record, ids=self.bus.cluster.ids)
        return [
            event_of(record, read(each.value), header_texts(cast("Headers", list(each.headers))))
            for each in self.raw.read_committed(self.topic(topic))
        ]

    def newest(self, topic: str) -> dict[bytes, bytes]:
        """The newest committed value per key of a compacted topic, tombstones taken out."""
        found: dict[bytes, bytes | None] = {}
        for each in self.raw.read_committed(self.topic(topic)):
            found[each.key or b""] = each.value
        return {key: value for key, value in found.items() if value is not None}


def bus_on_kafka(
    raw: RawKafka,
    prefix: str,
    partitions: int = 3,
    attached: Mapping[str, Attached] | None = None,
    ids: SchemaIds | None = None,
) -> BusOnKafka:
    """A bus with the connectors crm and plant-a, its topics made and the shipped definitions live."""
    cluster = Cluster(raw.bootstrap, prefix, ids=ids or ShippedSchemas())
    bus = Bus(cluster, partitions, attached or {"crm": far("crm"), "plant-a": far("plant-a")})
    topics.apply(cluster, bus.topics, bus.groups)
    activate(cluster, shipped(), "a test")
    return BusOnKafka(bus, raw)


def order_event(number: str, at_us: int | None = None, **changes: Any) -> Event:
    """A released SalesOrder of one line of item P-1, 5 pieces."""
    at = at_us or now_us()
    line: Any = {"id": "L1", "item": "P-1", "quantity": 5 * ONE, "unit": "pcs", **changes.pop("line", {})}
    value: Record = {
        "number": number,
        "type": "sale",
        "released": True,
        "cancelled": False,
        "placed_at": at,
        "changed_at": at,
        "lines": [line],
        **changes,
    }
    key = f"crm:{number}"
    stamped = revision(at, {"content": content_hash(cast("Any", value))})
    return Event("SalesOrder", key, key, f"crm/{key}/{stamped}", "crm", at, at, value, {REVISION: stamped})


def report_event(number: str, at_us: int | None = None, good: int = 0, **changes: Any) -> Event:
    """A JobResponse of the order's line L1 with one operation."""
    at, key = at_us or now_us(), f"crm:{number}"
    job = f"{key}/L1"
    operation: Any = {
        "operation": "Turning",
        "good": good * ONE,
        "scrap": 0,
        "rework": 0,
        "started_at": at,
        "ended_at": at,
    }
    value: Record = {
        "job_order_id": job,
        "order_key": key,
        "state": "running",
        "changed_at": at,
        "operations": [operation],
        **changes,
    }
    stamped = revision(at, {"content": content_hash(cast("Any", value))})
    return Event("JobResponse", key, job, f"mes/{job}/{stamped}", "plant-a", at, at, value, {REVISION: stamped})


def item_event(code: str, site: str = "plant-a") -> Event:
    """An Item."""
    at = now_us()
    return Event("Item", code, code, f"ref/{code}/{at}", "ref", at, at, {"item": code, "unit": "pcs", "site": site})


@contextmanager
def running(task: Any) -> Any:
    """The task's `run` in a thread until the block ends; what it raised is raised here."""
    stop, raised = threading.Event(), []

    def work() -> None:
        try:
            task.run(stop)
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield task
    finally:
        stop.set()
        thread.join(60)
    if raised:
        raise raised[0]


def until(condition: Callable[[], Any], what: str, seconds: float = 45.0) -> Any:
    """What the condition gives as soon as it gives something true."""
    end = now_us() + int(seconds * ONE)
    while now_us() < end:
        found = condition()
        if found:
            return found
        threading.Event().wait(0.1)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")
