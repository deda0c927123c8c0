"""State that a compacted topic keeps: restored by partition, changed through an overlay, merged after the commit.

Values stay bytes until they are asked for. A batch's changes live in the overlay; `merge` makes them the truth once
Kafka has committed them, `drop` forgets them after an abort. A partition that was given away is kept, and caught up
from where its reading stopped when it comes back.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterator

from streams.kafka.client import Message
from streams.kafka.cluster import Cluster
from streams.kafka.reading import read_to_end

FIRST_OFFSET = 0
KEPT_S = 12 * 3600  # half of Kafka's delete.retention.ms, the least time that a tombstone stays


class Table:
    """The owned partitions of one compacted topic."""

    def __init__(self, cluster: Cluster, topic: str) -> None:
        self._cluster = cluster
        self.topic = topic
        self._base: dict[int, dict[str, bytes]] = {}
        self._read_to: dict[int, int] = {}
        self._overlay: dict[tuple[int, str], bytes | None] = {}
        self._owned: frozenset[int] = frozenset()
        self._left_at: dict[int, float] = {}

    def restore(self, partitions: Collection[int]) -> None:
        """Own exactly these partitions, each read up to the high watermark. Any overlay is dropped."""
        self.disown()
        self._forget_stale(partitions)
        name = self._cluster.name(self.topic)
        begin = {(name, number): self._read_to.get(number, FIRST_OFFSET) for number in partitions}
        reached = read_to_end(self._cluster, begin, self._take)
        self._read_to |= {number: offset for (_, number), offset in reached.items()}
        self._owned = frozenset(partitions)

    def disown(self) -> None:
        """Own nothing until the next restore, which goes on where the reading stopped."""
        self.drop()
        self._left_at |= dict.fromkeys(self._owned, time.monotonic())
        self._owned = frozenset()

    def _forget_stale(self, partitions: Collection[int]) -> None:
        """A partition that was away for long is read anew: tombstones written meanwhile may be compacted away."""
        for number in partitions:
            if time.monotonic() - self._left_at.get(number, math.inf) > KEPT_S:
                self._base.pop(number, None)
                self._read_to.pop(number, None)

    def _take(self, message: Message) -> None:
        part = self._base.setdefault(int(message.partition() or 0), {})
        key = (message.key() or b"").decode()
        value = message.value()
        if value is None:
            part.pop(key, None)
        else:
            part[key] = value

    def get(self, partition: int, key: str) -> bytes | None:
        """The newest value of a key, of this batch or before it. Raises KeyError for a partition not owned."""
        if partition not in self._owned:
            raise KeyError(f"partition {partition} of {self.topic} is not owned here")
        if (partition, key) in self._overlay:
            return self._overlay[partition, key]
        return self._base.get(partition, {}).get(key)

    def put(self, partition: int, key: str, value: bytes | None) -> None:
        """Set a key in the overlay; None removes it."""
        self.get(partition, key)
        self._overlay[partition, key] = value

    def items(self, partition: int) -> Iterator[tuple[str, bytes]]:
        """All keys and values of an owned partition, the overlay included."""
        merged: dict[str, bytes | None] = dict(self._base.get(partition, {}))
        merged |= {key: value for (number, key), value in self._overlay.items() if number == partition}
        return ((key, value) for key, value in merged.items() if value is not None)

    @property
    def owned(self) -> frozenset[int]:
        """The owned partitions."""
        return self._owned

    def changes(self) -> list[tuple[int, str, bytes | None]]:
        """What the batch changed and has to produce: partition, key, value (None is a tombstone)."""
        return [(partition, key, value) for (partition, key), value in self._overlay.items()]

    def merge(self) -> None:
        """The changes were committed: they are the truth now."""
        for (partition, key), value in self._overlay.items():
            part = self._base.setdefault(partition, {})
            if value is None:
                part.pop(key, None)
            else:
                part[key] = value
        self._overlay.clear()

    def drop(self) -> None:
        """The changes were aborted: they never happened."""
        self._overlay.clear()
