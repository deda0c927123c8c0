"""Parked records: what could not be processed, kept as it came with the reason, until somebody resolves it.

A stage keeps them in `parked.<stage>` under a deterministic id, so that parking the same record twice changes
nothing; a tombstone says resolved. Only the task that owns the partition touches them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import cast

from schemas.catalog import parked_topic
from schemas.event import Event, Record
from schemas.identity import ParkedKey
from schemas.wire import Headers, header_texts, headers_of
from streams import metrics
from streams.kafka.client import Message
from streams.kafka.cluster import Cluster
from streams.kafka.consuming import offset_of, place
from streams.kafka.transaction import Outgoing
from streams.outcome import Reason
from streams.state import Table

LONGEST_CONTENT = 800_000
LONGEST_TEXT = 4_000
BY_REFERENCE = "reference"


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
    def place(self) -> tuple[int, str]:
        """Where it stands among the records of its subject, in one partition of one topic or by its revision."""
        return (self.offset, "") if self.topic else (0, self.revision)


def incoming_of(topic: str, message: Message) -> Incoming:
    """A message of a topic (plain name) as it came."""
    headers = header_texts(message.headers())
    key = (message.key() or b"").decode("utf-8", "backslashreplace")
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
    def incoming(self) -> Incoming:
        """The record as it came."""
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


class Parking:
    """The parked records of one stage, in the partitions that this task owns."""

    def __init__(self, cluster: Cluster, stage: str) -> None:
        self.stage = stage
        self.table = Table(cluster, parked_topic(stage))
        self._read, self._write = cluster.reader("Parked"), cluster.writer("Parked")
        self._by_subject: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
        self._by_reference: defaultdict[str, set[tuple[int, str]]] = defaultdict(set)
        self._causes: Counter[str] = Counter()

    def restore(self, partitions: Collection[int]) -> None:
        """Own exactly these partitions."""
        self.table.restore(partitions)
        self._index()

    def drop(self) -> None:
        """The batch was aborted."""
        self.table.drop()
        self._index()

    def disown(self) -> None:
        """Own nothing until the next restore; what was read is kept."""
        self.table.disown()
        self._index()

    def _index(self) -> None:
        self._by_subject.clear()
        self._by_reference.clear()
        for cause in self._causes:
            metrics.PARKED_NOW.labels(self.stage, cause).set(0)
        self._causes.clear()
        for entry in self.entries():
            self._remember(entry)

    def _count(self, entry: Entry, more: int) -> None:
        cause = str(entry.value["cause"])
        self._causes[cause] += more
        metrics.PARKED_NOW.labels(self.stage, cause).set(self._causes[cause])

    def _remember(self, entry: Entry) -> None:
        self._count(entry, 1)
        self._by_subject[entry.partition, str(entry.value["subject"])].add(entry.parked_id)
        if entry.value["waits_for"]:
            self._by_reference[str(entry.value["waits_for"])].add((entry.partition, entry.parked_id))

    def entries(self) -> list[Entry]:
        """All parked records owned here."""
        table = self.table
        return [
            Entry(number, key, self._read(data))
            for number in sorted(table.owned)
            for key, data in table.items(number)
        ]

    def entry(self, partition: int, parked_id: str) -> Entry | None:
        """One parked record, None where it was resolved already."""
        data = self.table.get(partition, parked_id)
        return None if data is None else Entry(partition, parked_id, self._read(data))

    def references(self) -> frozenset[str]:
        """Every reference that some record waits for."""
        return frozenset(name for name, places in self._by_reference.items() if places)

    def waiting_for(self, references: Collection[str]) -> list[Entry]:
        """The records that wait for one of these references (`items/ABC`)."""
        places = sorted({place for name in references for place in self._by_reference.get(name, ())})
        found = [entry for entry in (self.entry(*place) for place in places) if entry is not None]
        return sorted(found, key=lambda entry: (entry.partition, entry.incoming.place))

    def park(self, partition: int, incoming: Incoming, reason: Reason, now_us: int) -> None:
        """Keep a record with its reason; attempts and the first time live on where it was parked before."""
        before = self.entry(partition, incoming.parked_id)
        if before is not None:
            self.resolve(before)
        value = _record(self.stage, incoming, reason, before, now_us)
        self.table.put(partition, incoming.parked_id, self._write(value))
        self._remember(Entry(partition, incoming.parked_id, value))

    def resolve(self, entry: Entry) -> None:
        """The record got through or was superseded."""
        self.table.put(entry.partition, entry.parked_id, None)
        self._count(entry, -1)
        self._by_subject[entry.partition, str(entry.value["subject"])].discard(entry.parked_id)
        if entry.value["waits_for"]:
            self._by_reference[str(entry.value["waits_for"])].discard((entry.partition, entry.parked_id))

    def supersede(self, partition: int, incoming: Incoming) -> None:
        """A record got through: what was parked of its subject before it is history, what came later is not."""
        for parked_id in sorted(self._by_subject.get((partition, incoming.subject), ())):
            entry = self.entry(partition, parked_id)
            if entry is not None and entry.incoming.place <= incoming.place:
                self.resolve(entry)

    def record(self, partition: int, incoming: Incoming, reason: Reason, now_us: int) -> Outgoing:
        """A parked record for a stage that somebody else owns; it needs no restored partition."""
        data = self._write(_record(self.stage, incoming, reason, None, now_us))
        return Outgoing(
            self.table.topic, incoming.parked_id, data, self._headers(incoming.parked_id, data), partition
        )

    def outgoing(self) -> list[Outgoing]:
        """What this batch has to produce to `parked.<stage>`."""
        return [
            Outgoing(
                self.table.topic, parked_id, data, [] if data is None else self._headers(parked_id, data), partition
            )
            for partition, parked_id, data in self.table.changes()
        ]

    def _headers(self, parked_id: str, data: bytes) -> Headers:
        value = self._read(data)
        at, key, attempts = cast(
            "tuple[int, str, int]", tuple(value[n] for n in ("last_at", "order_key", "attempts"))
        )
        event_id = f"{self.stage}/{parked_id}/{attempts}"
        return headers_of(Event("Parked", key, parked_id, event_id, self.stage, at, at, value))


def _record(stage: str, whole: Incoming, reason: Reason, before: Entry | None, now_us: int) -> Record:
    incoming, message = _held(whole, reason.message[:LONGEST_TEXT])
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
        "attempts": 1 if before is None else cast("int", before.value["attempts"]) + 1,
        "first_at": now_us if before is None else before.value["first_at"],
        "last_at": now_us,
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
