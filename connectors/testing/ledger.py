"""What a stand-in was asked and what it accepted, on disk before the answer goes out."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from schemas.document import Fields, Value, from_json, to_json


class Ledger:
    """An append-only file of JSON lines that survives a restart and a SIGKILL. Thread-safe.

    Each entry has `kind`, `number` (from 1, without a gap) and `at_us` (UTC microseconds), and what it was given.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = threading.Lock()
        self._number = _mend(path)
        self._file = path.open("ab")

    def record(self, kind: str, **entry: Value) -> None:
        """Append one entry; when this returns a killed process no longer loses it."""
        with self._lock:
            self._number += 1
            full = {**entry, "kind": kind, "number": self._number, "at_us": time.time_ns() // 1000}
            self._file.write(to_json(full).encode() + b"\n")
            self._file.flush()

    def entries(self, kind: str | None = None) -> list[Fields]:
        """All entries, oldest first; with `kind` only those."""
        with self._lock:
            lines = self._path.read_bytes().splitlines()
        parsed = [_entry(line) for line in lines]
        return [entry for entry in parsed if kind is None or entry["kind"] == kind]

    def close(self) -> None:
        """Close the file; nothing may be recorded afterwards."""
        self._file.close()


def _mend(path: Path) -> int:
    """Cut off a last line that a kill left half written, and count the whole ones."""
    if not path.exists():
        return 0
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        with path.open("r+b") as file:
            file.truncate(len(whole))
    return whole.count(b"\n")


def _entry(line: bytes) -> Fields:
    value = from_json(line)
    if not isinstance(value, dict):
        raise ValueError(f"a ledger holds one JSON object a line, not {line[:80]!r}")
    return value
