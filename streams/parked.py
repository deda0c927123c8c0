"""Reading what every stage has parked, for lists and traces; only the owning task changes anything."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from schemas.catalog import NAMESPACE, parked_topic, record_names
from schemas.codec import CodecError
from schemas.document import Value, from_json
from schemas.event import Record
from schemas.readable import readable
from streams.bus import Bus
from streams.incoming import Entry, Incoming
from streams.kafka.client import OFFSET_BEGINNING, Message
from streams.kafka.cluster import Cluster
from streams.kafka.consuming import place
from streams.kafka.reading import read_to_end


@dataclass(frozen=True)
class ParkedRecord:
    """One parked record: its stage, the partition its owner has it in, and what it says."""

    stage: str
    partition: int
    value: Record
    cluster: Cluster = field(repr=False)

    @property
    def parked_id(self) -> str:
        """Its id, which commands name."""
        return str(self.value["parked_id"])

    @property
    def attempts(self) -> int:
        """How often it was tried."""
        return cast("int", self.value["attempts"])

    @property
    def destination(self) -> str:
        """The connector whose sink it is on its way into; empty where it has not come that far."""
        return self.stage.removeprefix("sink.") if self.stage.startswith("sink.") else ""

    @property
    def incoming(self) -> Incoming:
        """The record inside, as its owner takes it up again."""
        return Entry(self.partition, self.parked_id, self.value).incoming

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that the record came with."""
        return {each["name"]: each["value"] for each in cast("Sequence[Mapping[str, str]]", self.value["headers"])}

    @property
    def as_it_came(self) -> Value:
        """The record inside in readable form; what nobody can decode is base64 under `undecodable`."""
        content = cast("bytes", self.value["content"])
        if self.value["content_type"] == "reference":
            topic, number, offset = (str(self.value[name]) for name in ("topic", "partition", "offset"))
            return {"reference": f"{topic}[{number}] at {offset}"}
        try:
            return from_json(content) if self.value["content_type"] == "json" else self._decoded(content)
        except (CodecError, ValueError) as error:
            return {"undecodable": base64.b64encode(content).decode(), "reason": str(error)}

    def _decoded(self, content: bytes) -> Value:
        record = self.headers.get("ce_type", "").removeprefix(f"{NAMESPACE}.")
        if record not in record_names():
            raise CodecError(f"no record of the bus: its header ce_type is {record!r}")
        return readable(record, self.cluster.reader(record)(content))


def stages(bus: Bus) -> list[str]:
    """Every stage that can park."""
    return ["pipeline", *(f"source.{name}" for name in bus.sources), *(f"sink.{name}" for name in bus.sinks)]


def parked_now(bus: Bus) -> list[ParkedRecord]:
    """Everything parked now, oldest first."""
    by_topic = {bus.cluster.name(parked_topic(stage)): stage for stage in stages(bus)}
    found: dict[tuple[str, bytes], ParkedRecord] = {}
    read = bus.cluster.reader("Parked")

    def take(message: Message) -> None:
        topic, number = place(message)
        where, data = (topic, message.key() or b""), message.value()
        if data is None:
            found.pop(where, None)
        else:
            found[where] = ParkedRecord(by_topic[topic], number, read(data), bus.cluster)

    begin = {(topic, number): OFFSET_BEGINNING for topic in by_topic for number in range(bus.partitions)}
    read_to_end(bus.cluster, begin, take)
    return sorted(found.values(), key=lambda each: str(each.value["first_at"]))
