"""Cold start: a bus that begins with nothing keeps its sinks shut until it knows what the far systems hold.

Shut means: some source has not said that its first backfill is done, or the pipeline has not yet worked through what
the sources published. Then the sinks open, and the newest of each order goes out instead of its whole history.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from threading import Event as Flag
from typing import TypeAlias

from schemas.catalog import POSITIONS
from streams.bus import Bus, pipeline_topics
from streams.kafka.client import OFFSET_BEGINNING, Message, TopicPartition
from streams.kafka.consuming import offset_of, place
from streams.kafka.reading import committed_offsets, end_offsets, read_to_end
from streams.pulse import Pulse

log = logging.getLogger(__name__)

LOOK_S = 1.0

Ends: TypeAlias = Mapping[tuple[str, int], int]


def wait_until_known(bus: Bus, stop: Flag, pulse: Pulse) -> None:
    """Return once the sinks may open, or `stop` is set."""
    door, told = ColdStart(bus), ""
    while not stop.is_set():
        pulse.beat()
        reason = door.shut_because()
        if not reason:
            return
        if reason != told:
            log.info("sinks are shut: %s", reason)
            told = reason
        stop.wait(LOOK_S)


class ColdStart:
    """Why the sinks are still shut. What is published after the last backfill keeps them shut no longer."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._targets: Ends | None = None

    def shut_because(self) -> str:
        """The reason; empty where they may open."""
        missing = sorted(set(self._bus.sources) - complete_sources(self._bus))
        if missing:
            return f"the first backfill of {', '.join(missing)} is not done"
        if self._targets is None:
            self._targets = _ends(self._bus)
        return "the pipeline has not caught up" if _unread(self._bus, self._targets) else ""


def complete_sources(bus: Bus) -> set[str]:
    """The sources that have said that their first backfill is done; once said it stays so."""
    read, found = bus.cluster.reader("Position"), set()

    def take(message: Message) -> None:
        data = message.value()
        if data is not None and read(data)["complete"]:
            found.add((message.key() or b"").decode())

    topic = bus.cluster.name(POSITIONS)
    read_to_end(bus.cluster, {(topic, number): OFFSET_BEGINNING for number in range(bus.partitions)}, take)
    return found


def _inputs(bus: Bus) -> list[tuple[str, int]]:
    return [(bus.cluster.name(topic), number) for topic in pipeline_topics() for number in range(bus.partitions)]


def _ends(bus: Bus) -> Ends:
    return end_offsets(bus.cluster.admin(), _inputs(bus))


def _unread(bus: Bus, targets: Ends) -> bool:
    """Whether a committed record lies between the pipeline's offsets and the targets; markers are none."""
    asked = [TopicPartition(topic, number) for topic, number in _inputs(bus)]
    consumer = bus.cluster.free_consumer("pipeline")
    try:
        begin = {(each.topic, each.partition): max(each.offset, 0) for each in committed_offsets(consumer, asked)}
    finally:
        consumer.close()
    unread: list[int] = []

    def take(message: Message) -> None:
        if offset_of(message) < targets[place(message)]:
            unread.append(offset_of(message))

    read_to_end(bus.cluster, {where: begin[where] for where in begin if begin[where] < targets[where]}, take)
    return bool(unread)
