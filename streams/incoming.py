"""A record as it came, and the form in which a stage keeps it while it cannot be processed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

from schemas.catalog import NAMESPACE
from schemas.event import Canonical, Record
from schemas.identity import ParkedKey, revision_time_us
from schemas.wire import FETCHED, VERSION, header_texts
from streams.kafka.client import Message
from streams.kafka.consuming import key_of, offset_of, place
from streams.newer import Reading, is_newer
from streams.outcome import Reason
from streams.schedule import planned

LONGEST_CONTENT = 800_000
LONGEST_TEXT = 4_000
BY_REFERENCE = "reference"

Place: TypeAlias = tuple[int, str]
"""A partition of `parked.<stage>` and the id of a parked record in it."""


@dataclass(frozen=True)
class Incoming:
    """A record as it came: from a topic (`content_type` avro) or as a document of a far system (json).

    Where it was too large to be kept the `content_type` is "reference" and the content is empty.
    """

    parked_id: str
    topic: str
    partition: int
    offset: int
    order_key: str
    subject: str
    revision: str
    content_type: str
    content: bytes
    headers: Mapping[str, str]

    @property
    def record(self) -> str:
        """The name of its canonical record; empty for a document and for what says nothing about itself."""
        return self.headers.get("ce_type", "").removeprefix(f"{NAMESPACE}.")

    @property
    def reading(self) -> Reading | None:
        """Its revision, or at a sink the bus's version, and when it was read; None where it has neither."""
        fetched = self.headers.get(FETCHED)
        try:
            stamp = revision_time_us(self.revision)
            return Reading(self.revision, int(fetched or self.headers.get(VERSION) or stamp), fetched is not None)
        except ValueError:
            return None

    @property
    def order(self) -> tuple[int, int]:
        """What sorts the records of one subject from the oldest to the newest."""
        return (0 if self.reading is None else self.reading.stamp_us, self.offset)

    def covers(self, other: Incoming) -> bool:
        """Whether `other`, of the same subject, is not newer, whatever topic either is from (`newer.is_newer`).

        What has no revision is told apart by arrival.
        """
        mine, theirs = self.reading, other.reading
        if mine is None or theirs is None or mine.revision == theirs.revision:
            return self.offset >= other.offset or self.topic != other.topic
        return is_newer(mine, theirs)


def incoming_of(topic: str, message: Message) -> Incoming:
    """A message of a topic (plain name) as it came."""
    headers = header_texts(message.headers())
    key = key_of(message)
    number, offset = place(message)[1], offset_of(message)
    return Incoming(
        parked_id=str(ParkedKey(key, topic, offset)),
        topic=topic,
        partition=number,
        offset=offset,
        order_key=key,
        subject=headers.get("ce_subject", key),
        revision=headers.get("ce_revision") or headers.get("ce_version", ""),
        content_type="avro",
        content=message.value() or b"",
        headers=headers,
    )


@dataclass(frozen=True)
class Entry:
    """One parked record and the partition of `parked.<stage>` it lives in."""

    partition: int
    parked_id: str
    value: Record

    @property
    def place(self) -> Place:
        """Where it is parked."""
        return (self.partition, self.parked_id)

    @property
    def attempts(self) -> int:
        """How often it was tried."""
        return cast("int", self.value["attempts"])

    @property
    def incoming(self) -> Incoming:
        """The record as it came, or as it was edited."""
        value = self.value
        named = cast("list[Mapping[str, str]]", value["headers"])
        return Incoming(
            self.parked_id,
            str(value["topic"]),
            cast("int", value["partition"]),
            cast("int", value["offset"]),
            str(value["order_key"]),
            str(value["subject"]),
            str(value["revision"]),
            str(value["content_type"]),
            cast("bytes", value["content"]),
            {each["name"]: each["value"] for each in named},
        )


def parked_record(
    stage: str, whole: Incoming, given: Reason, before: Entry | None, now_us: int, definition: str
) -> Record:
    """The Parked record of what came; attempts, the first time and what people did live on from `before`."""
    attempts = 1 if before is None else before.attempts + 1
    reason, retry_at = planned(given, attempts, now_us, random.random())  # noqa: S311 (only spreads the tries)
    incoming, message = _held(whole, reason.message[:LONGEST_TEXT])
    known: Mapping[str, Canonical] = {} if before is None else before.value
    return {
        "parked_id": incoming.parked_id,
        "stage": stage,
        "cause": reason.cause,
        "message": message,
        "owner": reason.owner,
        "waits_for": reason.waits_for,
        "topic": incoming.topic,
        "partition": incoming.partition,
        "offset": incoming.offset,
        "order_key": incoming.order_key,
        "subject": incoming.subject,
        "revision": incoming.revision,
        "attempts": attempts,
        "first_at": known.get("first_at", now_us),
        "last_at": now_us,
        "retry_at": retry_at,
        "definition": definition,
        "last_command": known.get("last_command"),
        "edited_by": known.get("edited_by"),
        "content_type": incoming.content_type,
        "content": incoming.content,
        "headers": [{"name": name, "value": value[:LONGEST_TEXT]} for name, value in incoming.headers.items()],
    }


def _held(incoming: Incoming, message: str) -> tuple[Incoming, str]:
    """The record as it is kept: one too large to be produced again is held by the place that it came from."""
    size = len(incoming.content)
    if size <= LONGEST_CONTENT:
        return incoming, message
    where = (
        f"{incoming.topic}[{incoming.partition}] at {incoming.offset}" if incoming.topic else "the far system only"
    )
    told = f"{message} (its {size:,} bytes are too many to be parked; they are in {where})"
    return replace(incoming, content=b"", content_type=BY_REFERENCE), told
