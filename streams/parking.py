"""Parked records: what could not be processed, kept as it came with the reason, until somebody resolves it.

A stage keeps them in `parked.<stage>` under a deterministic id, so that parking the same record twice changes
nothing; a tombstone says resolved. Only the task that owns the partition touches them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from typing import cast

from schemas import catalog
from schemas.catalog import parked_topic
from schemas.event import Canonical, Event
from schemas.wire import Headers, headers_of
from streams import metrics
from streams.incoming import LONGEST_TEXT, Entry, Incoming, Place, parked_record
from streams.kafka.cluster import Cluster
from streams.kafka.transaction import Outgoing
from streams.outcome import InTurn, Reason
from streams.state import Table


class Parking:
    """The parked records of one stage, in the partitions that this task owns.

    `definition` is the id of the definitions that records are tried with now; each parked record keeps it.
    """

    def __init__(self, cluster: Cluster, stage: str, definition: str = "") -> None:
        self.stage, self.definition = stage, definition
        self.table = Table(cluster, parked_topic(stage))
        self._read, self._write = cluster.reader("Parked"), cluster.writer("Parked")
        self._by_subject: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
        self._by_reference: defaultdict[str, set[Place]] = defaultdict(set)
        self._retries: dict[Place, int] = {}
        self._in_turn: dict[Place, str] = {}
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
        self._retries.clear()
        self._in_turn.clear()
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
            self._by_reference[str(entry.value["waits_for"])].add(entry.place)
        if entry.value["cause"] == "in_turn":
            self._in_turn[entry.place] = str(entry.value["subject"])
        if entry.value["retry_at"] is not None:
            self._retries[entry.place] = cast("int", entry.value["retry_at"])

    def _forget(self, entry: Entry) -> None:
        self._count(entry, -1)
        self._by_subject[entry.partition, str(entry.value["subject"])].discard(entry.parked_id)
        if entry.value["waits_for"]:
            self._by_reference[str(entry.value["waits_for"])].discard(entry.place)
        self._retries.pop(entry.place, None)
        self._in_turn.pop(entry.place, None)

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
        places = {place for name in references for place in self._by_reference.get(name, ())}
        found = [entry for entry in (self.entry(*place) for place in places) if entry is not None]
        return sorted(found, key=lambda entry: (entry.partition, *entry.incoming.order, entry.parked_id))

    def due(self, now_us: int) -> list[Place]:
        """The records whose next try by itself is due, the one that waited longest first."""
        return sorted(
            (place for place, at in self._retries.items() if at <= now_us), key=lambda place: self._retries[place]
        )

    def park(self, partition: int, incoming: Incoming, reason: Reason, now_us: int) -> None:
        """Keep a record with its reason; attempts and the first time live on where it was parked before."""
        before = self.entry(partition, incoming.parked_id)
        if before is not None:
            self._forget(before)
        value = parked_record(self.stage, incoming, reason, before, now_us, self.definition)
        self._keep(Entry(partition, incoming.parked_id, value))

    def change(self, entry: Entry, **changes: Canonical) -> Entry:
        """Keep the record with these fields changed; it stays parked."""
        self._forget(entry)
        changed = Entry(entry.partition, entry.parked_id, {**entry.value, **changes})
        self._keep(changed)
        return changed

    def refuse(self, entry: Entry, command_id: str, message: str) -> None:
        """A command could not be carried out on the record: it stays parked as it is, and says so."""
        self.change(entry, message=message[:LONGEST_TEXT], last_command=command_id)

    def _keep(self, entry: Entry) -> None:
        self.table.put(*entry.place, self._write(entry.value))
        self._remember(entry)

    def resolve(self, entry: Entry) -> None:
        """The record got through, was superseded or was discarded."""
        self.table.put(*entry.place, None)
        self._forget(entry)

    def must_wait(self, partition: int, incoming: Incoming, record: str) -> bool:
        """Whether a record of that name does not supersede and an earlier one of its subject is parked."""
        return record in catalog.IN_SEQUENCE and any(
            entry.parked_id != incoming.parked_id and entry.incoming.order < incoming.order
            for entry in self._of_subject(partition, incoming.subject)
        )

    def check_turn(self, partition: int, incoming: Incoming, record: str) -> None:
        """Raise InTurn where the record must wait."""
        if self.must_wait(partition, incoming, record):
            raise InTurn(f"another {record} of {incoming.subject} is parked before it")

    def _of_subject(self, partition: int, subject: str) -> list[Entry]:
        ids = sorted(self._by_subject.get((partition, subject), ()))
        return [entry for entry in (self.entry(partition, each) for each in ids) if entry is not None]

    def next_in_turn(self) -> list[Place]:
        """The records that have waited in turn and have none before them any more."""
        subjects = {(number, subject) for (number, _), subject in self._in_turn.items()}
        firsts = (min(self._of_subject(*each), key=lambda entry: entry.incoming.order) for each in subjects)
        return sorted(first.place for first in firsts if first.place in self._in_turn)

    def got_through(self, partition: int, incoming: Incoming, record: str) -> None:
        """A record of that name got through: it is resolved, and what it supersedes with it."""
        if record not in catalog.IN_SEQUENCE:
            self.supersede(partition, incoming)
            return
        entry = self.entry(partition, incoming.parked_id)
        if entry is not None:
            self.resolve(entry)

    def supersede(self, partition: int, incoming: Incoming) -> None:
        """What was parked of the subject before this record is history, what came later is not."""
        for entry in self._of_subject(partition, incoming.subject):
            if incoming.covers(entry.incoming):
                self.resolve(entry)

    def record(self, partition: int, incoming: Incoming, reason: Reason, now_us: int) -> Outgoing:
        """A parked record for a stage that somebody else owns; it needs no restored partition."""
        data = self._write(parked_record(self.stage, incoming, reason, None, now_us, self.definition))
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
