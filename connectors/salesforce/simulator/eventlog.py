"""The event log behind the Pub/Sub API: on disk, in one sequence, kept 72 hours, addressed by opaque replay ids."""

from __future__ import annotations

import base64
import struct
import threading
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connectors.testing import RecordStore
from schemas.document import Fields

START = 41_870_000
"""Where sequences begin: nobody may take a replay id for a small number."""


@dataclass(frozen=True)
class LoggedEvent:
    """One event as it is delivered; `sequence` is the place that its replay id stands for."""

    sequence: int
    at_s: float
    entity: str
    schema_id: str
    payload: bytes

    @property
    def replay_id(self) -> bytes:
        """The id that a subscriber resumes from."""
        return replay_id(self.sequence)


def replay_id(sequence: int) -> bytes:
    """Opaque bytes for a place in the log; damage shows."""
    packed = struct.pack(">Q", sequence)
    return packed + struct.pack(">I", zlib.crc32(packed))


def sequence_of(replay: bytes) -> int | None:
    """The place that a replay id stands for; None for a damaged one."""
    if len(replay) != 12 or replay_id(struct.unpack(">Q", replay[:8])[0]) != replay:
        return None
    sequence: int = struct.unpack(">Q", replay[:8])[0]
    return sequence


class EventLog:
    """Append and read; readers wait on `changed`. Thread-safe."""

    def __init__(self, store: RecordStore, now: Callable[[], float], retention_s: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._retention_s = retention_s
        self.changed = threading.Condition()
        self._events: list[LoggedEvent] = []
        self.last = START
        self.restores = 0
        self.load()

    def load(self) -> None:
        """Take the log from the disk, in place of what is in memory; who reads it now sees `restores` grow."""
        with self.changed:
            self._events = [_event(row) for row in self._store.all("events")]
            kept = (self._store.get("org", "log") or {}).get("last", START)
            assert isinstance(kept, int)
            self.last = self._events[-1].sequence if self._events else kept
            self.restores += 1
            self.changed.notify_all()

    def append(self, entries: Sequence[tuple[str, str, bytes]]) -> None:
        """Add events (entity, schema id, payload) and wake the readers."""
        if not entries:
            return
        with self.changed:
            added = [
                LoggedEvent(self.last + number, self._now(), *entry) for number, entry in enumerate(entries, start=1)
            ]
            self._store.put_all("events", {f"{event.sequence:020d}": _row(event) for event in added})
            self._events.extend(added)
            self.last = added[-1].sequence
            self._expire()
            self.changed.notify_all()

    def after(self, sequence: int, entities: Sequence[str], limit: int) -> list[LoggedEvent]:
        """At most `limit` events of these objects behind a place."""
        start = max(0, sequence - self._first() + 1)
        found: list[LoggedEvent] = []
        for event in self._events[start:]:
            if len(found) == limit:
                break
            if event.entity in entities:
                found.append(event)
        return found

    def earliest(self) -> int:
        """The place before the oldest event that is still kept."""
        with self.changed:
            self._expire()
            return self._first() - 1

    def holds(self, sequence: int) -> bool:
        """Whether a subscriber may resume from that place: neither too old nor from the future."""
        return self.earliest() <= sequence <= self.last

    def _first(self) -> int:
        return self._events[0].sequence if self._events else self.last + 1

    def _expire(self) -> None:
        border = self._now() - self._retention_s()
        old = 0
        while old < len(self._events) and self._events[old].at_s < border:
            old += 1
        if old:
            self._store.delete_all("events", [f"{event.sequence:020d}" for event in self._events[:old]])
            del self._events[:old]
            self._store.put("org", "log", {"last": self.last})


def _row(event: LoggedEvent) -> Fields:
    return {
        "sequence": event.sequence,
        "at_us": int(event.at_s * 1e6),
        "entity": event.entity,
        "schema_id": event.schema_id,
        "payload": base64.b64encode(event.payload).decode(),
    }


def _event(row: Fields) -> LoggedEvent:
    sequence, at_us = row["sequence"], row["at_us"]
    assert isinstance(sequence, int)
    assert isinstance(at_us, int)
    payload = base64.b64decode(str(row["payload"]))
    return LoggedEvent(sequence, at_us / 1e6, str(row["entity"]), str(row["schema_id"]), payload)
