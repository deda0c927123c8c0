"""The right of a sink task to write: its partitions, as long as the group is polled.

Between the last poll and a far call another task may have become the owner unseen; the lease bounds that time. What
race is left is named in docs/reliability.md.
"""

from __future__ import annotations

import time
from threading import Event as Flag
from typing import Protocol

from streams.kafka.client import Consumer, Message, TopicPartition
from streams.kafka.consuming import good, offset_of, place
from streams.pulse import Pulse

RENEW_AFTER_S = 10.0


class AssignmentLost(Exception):
    """The partitions went to another task, or this one ends; whatever is left of the batch is the next owner's."""


class Lease(Protocol):
    """The right to write, which is held by polling."""

    def check(self) -> None:
        """Raise where the right is lost; called before every far call."""
        ...

    def wait(self, seconds: float) -> None:
        """Wait while keeping the right. Raises where it is lost."""
        ...


class PartitionLease:
    """Counts the changes of the assignment and keeps polling while the far system is waited for."""

    def __init__(self, consumer: Consumer, pulse: Pulse) -> None:
        self._consumer, self._pulse = consumer, pulse
        self._changes = 0
        self._begun_at = 0
        self._polled_at = 0.0
        self._stop = Flag()

    def ends_with(self, stop: Flag) -> None:
        """Give the lease up as soon as `stop` is set."""
        self._stop = stop

    def changed(self) -> None:
        """The group assigned or revoked partitions."""
        self._changes += 1

    def begin(self) -> None:
        """A batch begins: the group was just polled."""
        self._begun_at, self._polled_at = self._changes, time.monotonic()

    def check(self) -> None:
        """Raise AssignmentLost where the batch is no longer ours; renew a lease that has grown old."""
        if time.monotonic() - self._polled_at > RENEW_AFTER_S:
            self.wait(0.0)
        self._check()

    def _check(self) -> None:
        if self._stop.is_set():
            raise AssignmentLost("the task ends; the rest of the batch is left to its next owner")
        if self._changes != self._begun_at:
            raise AssignmentLost("the assignment changed; the rest of the batch is left to its new owner")

    def _put_back(self, message: Message | None) -> None:
        """A rebalance during the poll may begin to read at once: what it hands over belongs to the next batch."""
        for each in good([] if message is None else [message]):
            self._consumer.seek(TopicPartition(*place(each), offset_of(each)))

    def wait(self, seconds: float) -> None:
        """Pause the partitions and keep polling, so that the group does not take us for dead."""
        self._consumer.pause(self._consumer.assignment())
        until = time.monotonic() + seconds
        while True:
            self._put_back(self._consumer.poll(0.1))
            self._polled_at = time.monotonic()
            self._pulse.beat()
            self._check()
            if self._polled_at >= until:
                break
        self._consumer.resume(self._consumer.assignment())
