"""What a consumer hands over: messages, or errors that pass by themselves, or errors that must stop the task."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from streams.stopping import MustStop

log = logging.getLogger(__name__)

LOST = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE})


class PositionLost(MustStop):
    """The group's offset points to records that the topic no longer has: going on would skip records."""


def good(messages: Iterable[Message]) -> list[Message]:
    """The messages without the passing errors among them. Raises PositionLost or KafkaException for the others."""
    found = []
    for message in messages:
        error = message.error()
        if error is None:
            found.append(message)
        elif error.code() in LOST:
            raise PositionLost(
                f"{message.topic()}[{message.partition()}]: {error.str()}. Records between the group's offset and "
                "the topic's first one are gone; resync the sources, then set the group's offsets by hand."
            )
        elif error.fatal() or error.code() == KafkaError._MAX_POLL_EXCEEDED:  # the group took this task for dead
            raise KafkaException(error)
        else:
            log.warning("kafka: %s", error.str())
    return found


def without_ends(messages: Iterable[Message]) -> list[Message]:
    """The messages without the marks of a partition's end, which only consumers that ask for them get."""
    errors = ((message, message.error()) for message in messages)
    return [message for message, error in errors if error is None or error.code() != KafkaError._PARTITION_EOF]


def key_of(message: Message) -> str:
    """A message's key as text, also where somebody else wrote bytes that are none; empty where there is no key."""
    return (message.key() or b"").decode("utf-8", "backslashreplace")


def place(message: Message) -> tuple[str, int]:
    """The topic (as on the cluster) and partition of a message."""
    return str(message.topic()), int(message.partition() or 0)


def offset_of(message: Message) -> int:
    """The message's offset."""
    return int(message.offset() or 0)


def first_offsets(messages: Sequence[Message]) -> list[TopicPartition]:
    """Per partition, the offset of its first message: where to go back to when the batch is undone."""
    first: dict[tuple[str, int], int] = {}
    for message in messages:
        first.setdefault(place(message), offset_of(message))
    return [TopicPartition(topic, number, offset) for (topic, number), offset in first.items()]


def next_offsets(messages: Sequence[Message]) -> list[TopicPartition]:
    """Per partition, the offset after its last message: what to commit."""
    last = {place(message): offset_of(message) + 1 for message in messages}
    return [TopicPartition(topic, number, offset) for (topic, number), offset in last.items()]


def seek_back(consumer: Consumer, messages: Sequence[Message]) -> None:
    """Read this batch again with the next consume. Raises KafkaException where a partition is no longer assigned."""
    for where in first_offsets(messages):
        consumer.seek(where)
