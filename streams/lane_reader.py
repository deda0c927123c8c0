"""Reads the two lanes of one sink: the fast one by the group's consumer, the bulk one by a second consumer.

The group's subscription names both lanes and the commands, so that an assignment covers the same partitions of all
three and the brokers keep the offsets of all; the bulk partitions are handed to the second consumer, which is no
member. Its offsets are committed by the group's consumer with the group's generation: a zombie is fenced.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from schemas.catalog import bulk_topic
from streams.beginnings import Beginnings
from streams.bus import sink_topics
from streams.kafka.client import Consumer, Message, TopicPartition
from streams.kafka.cluster import Cluster
from streams.kafka.consuming import good, next_offsets, place, seek_back, without_ends
from streams.kafka.reading import committed_offsets, end_offsets

FAST_BATCH = 100
BULK_BATCH = 50
"""Records read at once: what an urgent record waits for is one of these batches at most."""

POLL_S = 0.2
BETWEEN_S = 0.02  # for what is on its way to the fast lane, while the bulk lane flows

OnAssign: TypeAlias = Callable[[Consumer, Sequence[TopicPartition]], None]


class LaneReader:
    """The two consumers of one sink task; `group` is the one whose polling holds the partitions.

    `beginnings` counts what killed workers; while it is careful a batch is one record.
    """

    def __init__(self, cluster: Cluster, stage: str, name: str) -> None:
        self._cluster, self._name = cluster, name
        self.group: Consumer = cluster.group_consumer(stage)
        self._bulk: Consumer = cluster.free_consumer(stage)
        self._bulk_topic = cluster.name(bulk_topic(name))
        self._owned: frozenset[tuple[str, int]] = frozenset()
        self._bulk_flows = False
        self._admin = cluster.admin()
        self.beginnings = Beginnings(self.group)

    def subscribe(self, on_assign: OnAssign, on_revoke: OnAssign) -> None:
        """Join the group; `on_assign` calls `take_over`, `on_revoke` calls `give_away`."""
        topics = [self._cluster.name(topic) for topic in sink_topics(self._name)]
        self.group.subscribe(topics, on_assign=on_assign, on_revoke=on_revoke, on_lost=on_revoke)

    def take_over(self, partitions: Sequence[TopicPartition]) -> None:
        """Read these partitions on from the group's offsets."""
        offsets = committed_offsets(self.group, partitions)
        fast = [each for each in offsets if each.topic != self._bulk_topic]
        self.group.assign(fast)
        self.group.resume(fast)
        self._bulk.assign([each for each in offsets if each.topic == self._bulk_topic])
        self._owned = frozenset((each.topic, each.partition) for each in partitions)
        self.beginnings.taken_over(offsets)

    def give_away(self) -> None:
        """Read nothing any more."""
        self.beginnings.given_away()
        self._owned = frozenset()
        self._bulk_flows = False
        self.group.unassign()
        self._bulk.unassign()

    def next(self, bulk: bool) -> list[Message]:
        """The next batch: of the fast lane and the commands, else, with `bulk`, of the bulk lane."""
        wait = BETWEEN_S if bulk and self._bulk_flows else POLL_S
        found = self._owned_ones(self.group, good(self.group.consume(self._size(FAST_BATCH), timeout=wait)))
        if not found and bulk:
            read = good(without_ends(self._bulk.consume(self._size(BULK_BATCH), timeout=0)))
            found = self._owned_ones(self._bulk, read)
            self._bulk_flows = bool(found)
        return found

    def _size(self, batch: int) -> int:
        return 1 if self.beginnings.careful else batch

    def _owned_ones(self, consumer: Consumer, messages: Sequence[Message]) -> list[Message]:
        """Without what a rebalance may leave over."""
        return self.beginnings.narrowed([each for each in messages if place(each) in self._owned], consumer)

    def is_bulk(self, messages: Sequence[Message]) -> bool:
        """Whether a batch is of the bulk lane; one batch is never of both."""
        return bool(messages) and place(messages[0])[0] == self._bulk_topic

    def seek_back(self, messages: Sequence[Message]) -> None:
        """Read this batch again with the next ones."""
        seek_back(self._bulk if self.is_bulk(messages) else self.group, messages)

    def backlog(self) -> int:
        """How many records of both lanes wait in the owned partitions."""
        committed = committed_offsets(self.group, [TopicPartition(*where) for where in sorted(self._owned)])
        ends = end_offsets(self._admin, self._owned)
        return sum(ends[each.topic, each.partition] - max(each.offset, 0) for each in committed)

    def commit(self, messages: Sequence[Message]) -> None:
        """Commit what was done of either lane as a member of the group. Raises KafkaException where it is refused."""
        if messages:
            offsets = next_offsets(messages)
            self.group.commit(offsets=self.beginnings.to_commit(offsets), asynchronous=False)
            self.beginnings.committed(offsets)

    def close(self) -> None:
        """Leave the group."""
        self.group.close()
        self._bulk.close()
