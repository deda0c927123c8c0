"""Reading what every stage has parked, for lists and traces; only the owning task changes anything."""

from __future__ import annotations

from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Message

from schemas.catalog import parked_topic
from schemas.event import Record
from schemas.wire import Reader
from streams.bus import Bus
from streams.kafka.consuming import place
from streams.kafka.reading import read_to_end


@dataclass(frozen=True)
class ParkedRecord:
    """One parked record: its stage, the partition its owner has it in, and what it says."""

    stage: str
    partition: int
    value: Record


def stages(bus: Bus) -> list[str]:
    """Every stage that can park."""
    return ["pipeline", *(f"source.{name}" for name in bus.sources), *(f"sink.{name}" for name in bus.sinks)]


def parked_now(bus: Bus) -> list[ParkedRecord]:
    """Everything parked now, oldest first."""
    by_topic = {bus.cluster.name(parked_topic(stage)): stage for stage in stages(bus)}
    found: dict[tuple[str, bytes], ParkedRecord] = {}
    read = Reader("Parked")

    def take(message: Message) -> None:
        topic, number = place(message)
        where, data = (topic, message.key() or b""), message.value()
        if data is None:
            found.pop(where, None)
        else:
            found[where] = ParkedRecord(by_topic[topic], number, read(data))

    begin = {(topic, number): OFFSET_BEGINNING for topic in by_topic for number in range(bus.partitions)}
    read_to_end(bus.cluster, begin, take)
    return sorted(found.values(), key=lambda each: str(each.value["first_at"]))
