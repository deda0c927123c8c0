"""Reading topics to their end, where the end is the high watermark and not the last stable offset.

A read-committed consumer's own end stops before a predecessor's open transaction; state restored up to there would
miss it. So the target is asked with read-uncommitted ListOffsets, and the reading goes on until it is reached,
counting the end-of-partition marks, because transaction markers take offsets that no message has.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing
from typing import TypeVar

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.kafka.cluster import TRANSACTION_TIMEOUT_MS, Cluster
from streams.kafka.consuming import good, without_ends
from streams.kafka.typing_gaps import OffsetSpec, earliest, latest

WAIT_S = 60.0
LOOK_S = 0.02  # `consume` waits all of it for a full batch, also where the end of the topic is there long before
PASSING = frozenset(
    {
        KafkaError.UNSTABLE_OFFSET_COMMIT,
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.NOT_LEADER_FOR_PARTITION,  # a topic that was just made
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.FENCED_LEADER_EPOCH,
    }
)

HELD = frozenset({KafkaError.UNSTABLE_OFFSET_COMMIT, KafkaError._TIMED_OUT})
"""A transaction holds an offset open; librdkafka asks again by itself until its deadline."""

HELD_S = 3 * TRANSACTION_TIMEOUT_MS / 1000

Answer = TypeVar("Answer")

log = logging.getLogger(__name__)


class EndNotReached(Exception):
    """A partition's end was not reached in time, as when a transaction stays open; the message names it."""


def end_offsets(admin: AdminClient, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """The high watermarks, open transactions included. Raises KafkaException for an unknown partition."""
    return _listed(admin, partitions, latest())


def first_offsets(admin: AdminClient, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """The offsets of the first records that the topics still have."""
    return _listed(admin, partitions, earliest())


def _listed(
    admin: AdminClient, partitions: Iterable[tuple[str, int]], spec: OffsetSpec
) -> dict[tuple[str, int], int]:
    asked = {TopicPartition(topic, number): spec for topic, number in partitions}
    if not asked:
        return {}
    admin.list_topics(timeout=15)  # a new client that does not know the leaders yet stands still for 3 s at times

    def answered() -> dict[tuple[str, int], int]:
        answers = admin.list_offsets(asked, request_timeout=15)
        found = {(tp.topic, tp.partition): answer.result().offset for tp, answer in answers.items()}
        if any(offset < 0 for offset in found.values()):  # no error, and no offset either: state would seem empty
            raise KafkaException(KafkaError(KafkaError.LEADER_NOT_AVAILABLE))
        return found

    return until_coordinated(answered)


def partition_count(admin: AdminClient, topic: str) -> int:
    """How many partitions a topic has. Raises KafkaException where it does not exist."""
    found = admin.list_topics(topic, timeout=15).topics[topic]
    if found.error is not None:
        raise KafkaException(found.error)
    return len(found.partitions)


def read_to_end(
    cluster: Cluster,
    begin: Mapping[tuple[str, int], int],
    take: Callable[[Message], None],
    wait_s: float = WAIT_S,
) -> dict[tuple[str, int], int]:
    """Give every committed message from `begin` (topic, partition → offset) up to the present end to `take`.

    Returns where to go on from, per partition. Raises EndNotReached after `wait_s`.
    """
    ends = end_offsets(cluster.admin(), begin)
    reached = {where: offset for where, offset in begin.items() if max(offset, 0) >= ends[where]}
    open_ones = {where: offset for where, offset in begin.items() if where not in reached}
    if open_ones:
        with closing(cluster.free_consumer()) as consumer:
            consumer.assign([TopicPartition(topic, number, offset) for (topic, number), offset in open_ones.items()])
            reached |= _read(consumer, {where: ends[where] for where in open_ones}, take, wait_s)
    return reached


def _read(
    consumer: Consumer, targets: dict[tuple[str, int], int], take: Callable[[Message], None], wait_s: float
) -> dict[tuple[str, int], int]:
    reached: dict[tuple[str, int], int] = {}
    deadline = time.monotonic() + wait_s
    while len(reached) < len(targets):
        if time.monotonic() > deadline:
            missing = sorted(set(targets) - set(reached))
            raise EndNotReached(f"not read to the end within {wait_s:.0f} s: {missing} (a transaction may be open)")
        for message in consumer.consume(1000, timeout=LOOK_S):
            where = (str(message.topic()), int(message.partition() or 0))
            offset = int(message.offset() or 0)
            if _is_end(message):
                if offset >= targets[where]:
                    reached[where] = offset
                continue
            take(message)
            if offset + 1 >= targets[where]:
                reached[where] = offset + 1
    return reached


def _is_end(message: Message) -> bool:
    error = message.error()
    if error is None:
        return False
    if error.code() == KafkaError._PARTITION_EOF:
        return True
    raise KafkaException(error)


def message_at(cluster: Cluster, topic: str, partition: int, offset: int) -> Message | None:
    """The one message at an offset of a topic (plain name); None where the topic no longer has it."""
    with closing(cluster.free_consumer()) as consumer:
        consumer.assign([TopicPartition(cluster.name(topic), partition, offset)])
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            message = consumer.poll(0.2)
            if message is None:
                continue
            error = message.error()
            if error is None:
                return message if message.offset() == offset else None
            if error.code() in (
                KafkaError._PARTITION_EOF,
                KafkaError._AUTO_OFFSET_RESET,
                KafkaError.OFFSET_OUT_OF_RANGE,
            ):
                return None
            raise KafkaException(error)
    raise EndNotReached(f"{topic}[{partition}] did not answer for the record at {offset}")


def committed_offsets(consumer: Consumer, partitions: Iterable[TopicPartition]) -> list[TopicPartition]:
    """The group's committed offsets, asked until no transaction holds one of them open."""
    asked = list(partitions)
    return until_coordinated(lambda: list(consumer.committed(asked, timeout=15)))


def settled_offsets(
    cluster: Cluster, group: str, consumer: Consumer, partitions: Iterable[TopicPartition], patience_s: float = HELD_S
) -> list[TopicPartition]:
    """The offsets that a group commits by transactions, asked until no transaction holds one of them open.

    Every transaction of the bus is decided within TRANSACTION_TIMEOUT_MS. What is held for much longer came to the
    broker behind the end of its transaction (a broker was killed, then every connection cut), and nothing decides it
    any more. Then what is committed counts: the state is read to the high watermark in any case, and knows what it
    has folded, so an input that is read again changes nothing.
    """
    asked = list(partitions)
    try:
        return until_coordinated(
            lambda: list(consumer.committed(asked, timeout=5)), passing=PASSING | HELD, wait_s=patience_s
        )
    except KafkaException as error:
        if not _passes(error, PASSING | HELD):
            raise
    with closing(cluster.last_resort_consumer(group)) as reader:
        offsets = list(reader.committed(asked, timeout=15))
    log.error("%s: its offsets are held by a transaction that nobody ends; going on from those before it", group)
    return offsets


def until_coordinated(
    ask: Callable[[], Answer], passing: Collection[int] = PASSING, wait_s: float = WAIT_S
) -> Answer:
    """What `ask` gives once the group's coordinator is found, loaded and sure of every offset.

    Raises the last error after `wait_s`, and at once one that is neither retriable nor among those `passing`.
    """
    deadline = time.monotonic() + wait_s
    while True:
        try:
            return ask()
        except KafkaException as error:
            if not _passes(error, passing) or time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _passes(error: KafkaException, passing: Collection[int]) -> bool:
    return error.args[0].code() in passing or bool(error.args[0].retriable())


class Follower:
    """Reads a topic whole, then what is added to it: reference data, definitions, an operator's commands."""

    def __init__(self, cluster: Cluster, topic: str) -> None:
        self._cluster = cluster
        self._topic = cluster.name(topic)
        self._consumer = cluster.free_consumer()

    def read_whole(self) -> Iterator[Message]:
        """Every committed message up to the present end; later ones come from `news`."""
        found: list[Message] = []
        count = partition_count(self._cluster.admin(), self._topic)
        begin = {(self._topic, number): OFFSET_BEGINNING for number in range(count)}
        reached = read_to_end(self._cluster, begin, found.append)
        self._consumer.assign([TopicPartition(topic, number, reached[topic, number]) for topic, number in reached])
        return iter(found)

    def news(self) -> list[Message]:
        """What was added since, without waiting."""
        return good(without_ends(self._consumer.consume(500, timeout=0)))

    def close(self) -> None:
        """Release the consumer."""
        self._consumer.close()
