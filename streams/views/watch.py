"""The watchdog: does the view read what there is to read?

Of twelve starts of Faust one said that it was ready and then consumed nothing, with no error.
So the positions are compared with the topics' ends by another client. An end that was not reached proves nothing yet:
transaction markers and aborted records take offsets too. Where nothing moves, that client looks whether there really
is a committed record to read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing

from streams.kafka.client import Consumer, KafkaError, KafkaException, TopicPartition
from streams.kafka.cluster import Cluster
from streams.views.store import Place

PATIENCE_S = 30.0
QUIET_S = 1.0
PROBE_S = 10.0

Offsets = Mapping[Place, int]


class StandsStill(RuntimeError):
    """There are records to read and the view has read none for too long; starting the process again helps."""


class Watch:
    """Looks at the progress every now and then. `probe` finds the places that have a committed record from an offset
    on; `clock` gives seconds.
    """

    def __init__(self, probe: Callable[[Offsets], set[Place]], clock: Callable[[], float] = time.monotonic) -> None:
        self._probe, self._clock = probe, clock
        self._nothing_before: dict[Place, int] = {}
        self._handled = -1
        self._moved_at = self._blocked_since = clock()
        self.caught_up = False

    def look(self, handled: int, positions: Offsets, ends: Offsets) -> None:
        """Compare. `handled` is how many records were read so far. Raises StandsStill."""
        now = self._clock()
        if handled != self._handled:
            self._handled, self._moved_at, self._blocked_since = handled, now, now
        ahead = {
            place: positions[place]
            for place, end in ends.items()
            if end > max(positions[place], self._nothing_before.get(place, 0))
        }
        if ahead and now - self._moved_at >= QUIET_S:
            ahead = self._really(ahead, ends)
        self.caught_up = not ahead
        if not ahead:
            self._blocked_since = now
        elif now - self._blocked_since >= PATIENCE_S:
            raise StandsStill(
                f"nothing was read for {now - self._blocked_since:.0f} s though there are records in "
                + ", ".join(f"{topic}[{number}] from offset {offset}" for (topic, number), offset in ahead.items())
            )

    def blind(self) -> None:
        """Nobody could say how far the topics are: what was seen before says nothing about how long it lasts."""
        self._blocked_since = self._clock()

    def _really(self, ahead: Offsets, ends: Offsets) -> dict[Place, int]:
        """Of the places that seem to be ahead, those that hold a committed record."""
        found = self._probe(ahead)
        self._nothing_before |= {place: ends[place] for place in ahead if place not in found}
        return {place: offset for place, offset in ahead.items() if place in found}


def committed_from(cluster: Cluster, offsets: Offsets) -> set[Place]:
    """The places that have a committed record at or after their offset. Raises KafkaException."""
    found: set[Place] = set()
    open_places = set(offsets)
    deadline = time.monotonic() + PROBE_S
    with closing(cluster.free_consumer()) as consumer:
        consumer.assign([TopicPartition(topic, number, offset) for (topic, number), offset in offsets.items()])
        while open_places and time.monotonic() < deadline:
            for place, is_record in _heard(consumer):
                open_places.discard(place)
                if is_record:
                    found.add(place)
    return found | open_places


def _heard(consumer: Consumer) -> list[tuple[Place, bool]]:
    """What came: per message its place, and whether it is a record or the end of the partition."""
    heard = []
    for message in consumer.consume(100, timeout=0.2):
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(error)
        heard.append(((str(message.topic()), int(message.partition() or 0)), error is None))
    return heard
