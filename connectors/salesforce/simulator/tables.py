"""The org's records: in memory with indexes on lookups and external ids, every commit on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from connectors.salesforce.simulator.model import OBJECTS, ObjectDef
from connectors.testing import RecordStore
from schemas.document import Value

Record: TypeAlias = dict[str, Value]


class Table:
    """Records of one object, deleted ones included until they are purged."""

    def __init__(self, definition: ObjectDef) -> None:
        self.definition = definition
        self._records: dict[str, Record] = {}
        self._indexes: dict[str, dict[Value, dict[str, None]]] = {
            field.name: {} for field in definition.own if field.type == "reference" or field.external_id
        }

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def get(self, record_id: Value) -> Record | None:
        """The record with that id, deleted or not."""
        return self._records.get(record_id) if isinstance(record_id, str) else None

    def where(self, field: str, value: Value) -> list[Record]:
        """Records whose lookup or external id holds `value`, in the order of their creation."""
        return [self._records[key] for key in self._indexes[field].get(value, {})]

    def put(self, record: Record) -> Record | None:
        """Store a record; returns what stood there before."""
        before = self.remove(str(record["Id"]))
        self._records[str(record["Id"])] = record
        for field, index in self._indexes.items():
            index.setdefault(record[field], {})[str(record["Id"])] = None
        return before

    def remove(self, record_id: str) -> Record | None:
        """Take a record out; returns it."""
        record = self._records.pop(record_id, None)
        if record is not None:
            for field, index in self._indexes.items():
                index[record[field]].pop(record_id, None)
        return record


class Tables(Mapping[str, Table]):
    """All tables of the org, as they stand on disk."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._tables: dict[str, Table] = {}
        self.load()

    def load(self) -> None:
        """Take everything from the disk, in place of what is in memory."""
        self._tables = {name: Table(definition) for name, definition in OBJECTS.items()}
        for name, table in self._tables.items():
            for record in self._store.all(name):
                table.put(dict(record))

    def __getitem__(self, name: str) -> Table:
        return self._tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def save(self, touched: Iterable[tuple[str, str]]) -> None:
        """Bring the named records to disk as they stand now; those that are gone are taken off it."""
        by_object: dict[str, list[str]] = {}
        for name, record_id in dict.fromkeys(touched):
            by_object.setdefault(name, []).append(record_id)
        for name, ids in by_object.items():
            found = {key: record for key in ids if (record := self._tables[name].get(key)) is not None}
            self._store.put_all(name, found)
            self._store.delete_all(name, [key for key in ids if key not in found])
