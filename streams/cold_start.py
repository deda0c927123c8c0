"""Cold start: a bus that begins with nothing keeps its sinks shut until it knows what the far systems hold.

Shut means: some source has not said that its first backfill is done, or the pipeline has not yet worked through what
the sources published. Then the sinks open, and the newest of each order goes out instead of its whole history.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from threading import Event as Flag

from schemas.catalog import POSITIONS
from streams.bus import Bus, pipeline_topics
from streams.kafka.client import OFFSET_BEGINNING, Message, TopicPartition
from streams.kafka.reading import committed_offsets, read_to_end
from streams.pulse import Pulse

log = logging.getLogger(__name__)

LOOK_S = 1.0


def wait_until_known(bus: Bus, stop: Flag, pulse: Pulse) -> None:
    """Return once the sinks may open, or `stop` is set."""
    told = ""
    while not stop.is_set():
        pulse.beat()
        reason = shut_because(bus)
        if not reason:
            return
        if reason != told:
            log.info("sinks are shut: %s", reason)
            told = reason
        stop.wait(LOOK_S)


def shut_because(bus: Bus) -> str:
    """Why the sinks are shut; empty where they may open."""
    missing = sorted(set(bus.sources) - complete_sources(bus))
    if missing:
        return f"the first backfill of {', '.join(missing)} is not done"
    return "the pipeline has not caught up" if _unread(bus, pipeline_topics()) else ""


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


def _unread(bus: Bus, topics: Sequence[str]) -> bool:
    """Whether any committed record lies behind the pipeline's offsets; markers of transactions are none."""
    asked = [TopicPartition(bus.cluster.name(topic), number) for topic in topics for number in range(bus.partitions)]
    consumer = bus.cluster.free_consumer("pipeline")
    try:
        begin = {(each.topic, each.partition): max(each.offset, 0) for each in committed_offsets(consumer, asked)}
    finally:
        consumer.close()
    unread: list[Message] = []
    read_to_end(bus.cluster, begin, unread.append)
    return bool(unread)
