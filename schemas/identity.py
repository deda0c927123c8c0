"""Every id of the bus is made and taken apart here and nowhere else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.document import Value, to_json

HASH_LENGTH = 16


def order_key(connector: str, number: str) -> str:
    """The key of an order: `<connector>:<number>`. It chooses the partition of everything about the order."""
    return f"{connector}:{number}"


def is_order_key(key: str) -> bool:
    """Whether a text is the key of an order."""
    connector, colon, number = key.partition(":")
    return bool(connector and colon and number)


def order_number(key: str) -> str:
    """The far system's own number in an order key."""
    return key.split(":", 1)[1]


def connector_of(key: str) -> str:
    """The name of the connector that an order key's order came from."""
    return key.split(":", 1)[0]


def job_order_id(key: str, line_id: str) -> str:
    """The id of the job order that makes one order line: `<order key>/<line id>`. Stable for ever."""
    return f"{key}/{line_id}"


def order_key_of_job(job_id: str) -> str:
    """The order key inside a job order id; raises ValueError where `job_id` is not one of the bus's ids."""
    key, slash, line = job_id.rpartition("/")
    if not slash or not line or ":" not in key:
        raise ValueError(f"{job_id!r} is not a job order id of the bus (<connector>:<number>/<line>)")
    return key


def link_key(kind: str, system: str, far_id: str, to_system: str) -> str:
    """The key of a Link: what `to_system` calls the thing that `system` calls `far_id`."""
    return f"{kind}|{system}|{far_id}|{to_system}"


def item_reference(code: str) -> str:
    """What a record that misses an item waits for."""
    return f"items/{code}"


def link_reference(key: str) -> str:
    """What a record that misses a cross-reference waits for, from the Link's key."""
    return f"links/{key}"


def content_hash(value: Value) -> str:
    """A short hash of a JSON value that is equal for equal values, whatever the order of their keys."""
    return hashlib.sha256(to_json(value).encode()).hexdigest()[:HASH_LENGTH]


def entry_hash(entry: Mapping[str, Value]) -> str:
    """The hash of an audit entry over everything in it but the hash itself: the SHA-256 of its compact JSON.

    What is null is left out, so that a field that is added later changes no hash of an older entry.
    """
    content = {name: value for name, value in entry.items() if name != "hash" and value is not None}
    return hashlib.sha256(to_json(content).encode()).hexdigest()


def content_digest(content: bytes) -> str:
    """The SHA-256 of a record's bytes, hexadecimal: what an audit entry says of a content without telling it."""
    return hashlib.sha256(content).hexdigest()


def revision(changed_us: int, value: Value) -> str:
    """The revision of a far record: its newest stamp (UTC microseconds), then the hash of its content.

    Revisions of one record sort as text in the order of its stamps.
    """
    return f"{changed_us:017d}-{content_hash(value)}"


def revision_time_us(text: str) -> int:
    """The stamp inside a revision, UTC microseconds."""
    return int(text.split("-", 1)[0])


def event_id(source: str, subject: str, at_revision: str) -> str:
    """`ce_id` of an event at a source: a repeat of the same content of the same record has the same id."""
    return f"{source}/{subject}/{at_revision}"


def derived_event_id(parent: str, stage: str, definition: str) -> str:
    """`ce_id` of an event that a stage made from another one under one definition."""
    return f"{parent}/{stage}/{definition}"


@dataclass(frozen=True)
class ParkedKey:
    """The key of a parked record: which order, and which record of which topic."""

    key: str
    topic: str
    offset: int

    def __str__(self) -> str:
        return f"{self.key}|{self.topic}|{self.offset}"

    @classmethod
    def parse(cls, text: str) -> ParkedKey:
        """The parts of a parked record's id; raises ValueError on any other text."""
        key, topic, offset = text.rsplit("|", 2)
        return cls(key, topic, int(offset))
