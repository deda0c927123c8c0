"""The records of a stand-in: JSON objects by table and id, on disk."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from schemas.document import Fields, from_json, to_json

BACKUP = "backup"

SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    kind TEXT NOT NULL, id TEXT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (kind, id)
) WITHOUT ROWID
"""


class RecordStore:
    """JSON objects by table and id. Thread-safe; what a call wrote survives a SIGKILL when the call returns.

    Tables come into being by use. Records come out in the order of their ids (as text).
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False)
        with self._connection:
            # A write-ahead log outlives the process; it need not outlive the power, this is a stand-in.
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute(SCHEMA)

    def put(self, table: str, record_id: str, record: Fields) -> None:
        """Store or replace one record."""
        self.put_all(table, {record_id: record})

    def put_all(self, table: str, records: Mapping[str, Fields]) -> None:
        """Store or replace several records, all of them or none."""
        rows = [(table, record_id, to_json(record)) for record_id, record in records.items()]
        with self._lock, self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", rows)

    def get(self, table: str, record_id: str) -> Fields | None:
        """One record, or None."""
        query = "SELECT content FROM records WHERE kind = ? AND id = ?"
        with self._lock:
            row = self._connection.execute(query, (table, record_id)).fetchone()
        return None if row is None else _object(row[0])

    def all(self, table: str, after: str = "") -> list[Fields]:
        """The records of one table whose id sorts behind `after`."""
        query = "SELECT content FROM records WHERE kind = ? AND id > ? ORDER BY id"
        with self._lock:
            rows = self._connection.execute(query, (table, after)).fetchall()
        return [_object(content) for (content,) in rows]

    def delete(self, table: str, record_id: str) -> bool:
        """Remove one record; says whether it was there."""
        return self.delete_all(table, [record_id]) == 1

    def delete_all(self, table: str, record_ids: Iterable[str]) -> int:
        """Remove several records, all of them or none; says how many were there."""
        rows = [(table, record_id) for record_id in record_ids]
        with self._lock, self._connection:
            cursor = self._connection.executemany("DELETE FROM records WHERE kind = ? AND id = ?", rows)
            return max(cursor.rowcount, 0)

    def back_up(self, name: str, tables: Sequence[str]) -> None:
        """Keep a copy of some tables under a name; an earlier one of that name is replaced."""
        with self._lock, self._connection:
            for table in tables:
                self._copy(table, f"{BACKUP}/{name}/{table}")
            self._connection.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", (BACKUP, name, "{}"))

    def restore(self, name: str, tables: Sequence[str]) -> bool:
        """Put tables back as they were when backed up, all or none; False where there is no such backup."""
        if self.get(BACKUP, name) is None:
            return False
        with self._lock, self._connection:
            for table in tables:
                self._copy(f"{BACKUP}/{name}/{table}", table)
        return True

    def _copy(self, table: str, to: str) -> None:
        self._connection.execute("DELETE FROM records WHERE kind = ?", (to,))
        copy = "INSERT INTO records SELECT ?, id, content FROM records WHERE kind = ?"
        self._connection.execute(copy, (to, table))

    def close(self) -> None:
        """Close the file; nothing may be called afterwards."""
        with self._lock:
            self._connection.close()


def _object(content: str) -> Fields:
    value = from_json(content)
    if not isinstance(value, dict):
        raise ValueError(f"the store holds JSON objects, not {content[:80]!r}")
    return value
