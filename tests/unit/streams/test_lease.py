"""The right of a sink to write, against a scripted consumer; and references that nobody can read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event as Flag
from typing import Any, cast

import pytest

from schemas.wire import Reader, Writer
from streams.kafka.client import Consumer, KafkaError, Message, TopicPartition
from streams.kafka.consuming import PositionLost
from streams.lease import AssignmentLost, PartitionLease
from streams.pulse import Pulse
from streams.references import _take


@dataclass
class Polled:
    """A message as a consumer hands it over."""

    value_: bytes | None = b""
    key_: bytes = b"k"
    error_: KafkaError | None = None

    def error(self) -> KafkaError | None:
        return self.error_

    def topic(self) -> str:
        return "sink.crm"

    def partition(self) -> int:
        return 3

    def offset(self) -> int:
        return 41

    def key(self) -> bytes:
        return self.key_

    def value(self) -> bytes | None:
        return self.value_


@dataclass
class Scripted:
    """A consumer that hands over what it is told, in the order of its calls."""

    polls: deque[Callable[[], Polled | None]] = field(default_factory=deque)
    calls: list[Any] = field(default_factory=list)

    def poll(self, _: float) -> Polled | None:
        return self.polls.popleft()() if self.polls else None

    def seek(self, where: TopicPartition) -> None:
        self.calls.append(("seek", where.topic, where.partition, where.offset))

    def assignment(self) -> list[TopicPartition]:
        return []

    def pause(self, _: object) -> None:
        self.calls.append("pause")

    def resume(self, _: object) -> None:
        self.calls.append("resume")


@pytest.fixture
def consumer() -> Scripted:
    return Scripted()


@pytest.fixture
def lease(consumer: Scripted) -> PartitionLease:
    made = PartitionLease(cast("Consumer", consumer), Pulse())
    made.begin()
    return made


def test_a_wait_pauses_the_partitions_and_resumes_them(lease: PartitionLease, consumer: Scripted) -> None:
    lease.wait(0.0)
    assert consumer.calls == ["pause", "resume"]


def test_what_a_rebalance_hands_over_during_the_wait_is_put_back_for_the_next_batch(
    lease: PartitionLease, consumer: Scripted
) -> None:
    def rebalanced() -> Polled:
        lease.changed()
        return Polled()

    consumer.polls.append(rebalanced)
    with pytest.raises(AssignmentLost, match="the assignment changed"):
        lease.wait(60.0)
    assert ("seek", "sink.crm", 3, 41) in consumer.calls


def test_a_lost_position_is_told_during_a_wait_too(lease: PartitionLease, consumer: Scripted) -> None:
    consumer.polls.append(lambda: Polled(error_=KafkaError(KafkaError._AUTO_OFFSET_RESET)))
    with pytest.raises(PositionLost):
        lease.wait(60.0)


def test_no_far_call_starts_after_the_assignment_changed_or_the_task_was_told_to_end(lease: PartitionLease) -> None:
    lease.check()
    lease.changed()
    with pytest.raises(AssignmentLost, match="left to its new owner"):
        lease.check()
    lease.begin()
    lease.check()
    stop = Flag()
    lease.ends_with(stop)
    stop.set()
    with pytest.raises(AssignmentLost, match="the task ends"):
        lease.check()


def test_a_reference_that_nobody_can_read_is_left_out_and_the_last_good_one_stays() -> None:
    good = Writer("Link")({"kind": "unit", "system": "a", "id": "b", "to_system": "c", "to_id": "d"})
    store: dict[str, Any] = {"old": {"to_id": "x"}}
    arrived = [Polled(good, b"new"), Polled(b"garbage", b"old"), Polled(b"\0\0", b"\xff"), Polled(None, b"gone")]
    names = _take(cast("list[Message]", arrived), Reader("Link"), store)
    assert names == ["new", "gone"]
    assert (store["old"], store["new"]["to_id"]) == ({"to_id": "x"}, "d")
