"""One transaction: writes that see each other, with the rules of the org, and what is told about them."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from connectors.salesforce.simulator.answers import ApiError
from connectors.salesforce.simulator.ids import canonical, new_id
from connectors.salesforce.simulator.model import OBJECTS, ObjectDef
from connectors.salesforce.simulator.rules import RULES, Rights
from connectors.salesforce.simulator.tables import Record, Tables
from connectors.salesforce.simulator.values import kept, stamp
from schemas.document import Fields, Value

ChangeKind: TypeAlias = Literal["CREATE", "UPDATE", "DELETE", "UNDELETE"]


@dataclass(frozen=True)
class Change:
    """What one write did to one record; `before` is None for a new one."""

    kind: ChangeKind
    entity: str
    before: Record | None
    after: Record


class Transaction:
    """Use through `Org.transaction`; every method raises ApiError and then has done nothing."""

    def __init__(self, tables: Tables, number: Callable[[str], int], rights: Rights, now_s: float) -> None:
        self._tables = tables
        self._number = number
        self._rights = rights
        self._stamp = stamp(datetime.datetime.fromtimestamp(now_s, datetime.UTC))
        self._undo: list[Callable[[], object]] = []
        self.changes: list[Change] = []
        self.touched: list[tuple[str, str]] = []

    def mark(self) -> tuple[int, int, int]:
        """A place to come back to with `undo`."""
        return len(self._undo), len(self.changes), len(self.touched)

    def undo(self, mark: tuple[int, int, int] = (0, 0, 0)) -> None:
        """Take back everything since the mark."""
        while len(self._undo) > mark[0]:
            self._undo.pop()()
        del self.changes[mark[1] :], self.touched[mark[2] :]

    def create(self, entity: str, values: Fields) -> Record:
        """A new record of the object."""
        definition = OBJECTS[entity]
        sent = self._sent(definition, values, creating=True)
        record: Record = {field.name: field.default for field in definition.fields.values()}
        record |= {field.name: False for field in definition.own if field.type == "boolean" and not field.default}
        record |= sent | self._system(definition)
        self._check(definition, None, record)
        self._put("CREATE", entity, None, record)
        return record

    def update(self, entity: str, record_id: str, values: Fields) -> Record:
        """Change fields of a record; what is equal already is no change."""
        before = self.live(entity, record_id)
        after = before | self._sent(OBJECTS[entity], values, creating=False)
        self._check(OBJECTS[entity], before, after)
        after |= {"LastModifiedDate": self._stamp, "SystemModstamp": self._stamp}
        self._put("UPDATE", entity, before, after)
        return after

    def delete(self, entity: str, record_id: str) -> None:
        """Put a record and the records it owns into the recycle bin."""
        before = self.live(entity, record_id)
        after = before | {"IsDeleted": True, "LastModifiedDate": self._stamp, "SystemModstamp": self._stamp}
        self._rules(entity, before, after)
        for child in OBJECTS[entity].children:
            for record in self._tables[child.of].where(child.by, before["Id"]) if child.owned else ():
                if not record["IsDeleted"]:
                    gone = record | {"IsDeleted": True, "SystemModstamp": self._stamp}
                    self._put("DELETE", child.of, record, gone)
        self._put("DELETE", entity, before, after)

    def undelete(self, entity: str, record_id: str) -> None:
        """Take a record and the records it owns out of the recycle bin."""
        before = self._tables[entity].get(canonical(record_id))
        if before is None or not before["IsDeleted"]:
            raise ApiError(400, "UNDELETE_FAILED", "entity is not in the recycle bin")
        self._put("UNDELETE", entity, before, before | {"IsDeleted": False, "SystemModstamp": self._stamp})
        for child in OBJECTS[entity].children:
            for record in self._tables[child.of].where(child.by, before["Id"]) if child.owned else ():
                if record["IsDeleted"] and record["SystemModstamp"] == before["SystemModstamp"]:
                    self.undelete(child.of, str(record["Id"]))

    def purge(self, entity: str, record_id: str) -> None:
        """Remove a deleted record from the recycle bin, with the records it owns; nothing is told about it."""
        record = self._tables[entity].get(canonical(record_id))
        if record is None or not record["IsDeleted"]:
            raise ApiError(400, "DELETE_FAILED", "only a deleted record can be purged")
        for child in OBJECTS[entity].children:
            for owned in self._tables[child.of].where(child.by, record["Id"]) if child.owned else ():
                self._drop(child.of, owned)
        self._drop(entity, record)

    def live(self, entity: str, record_id: str) -> Record:
        """The record, not deleted. Raises ApiError where there is none."""
        return self.find(self._tables, entity, record_id)

    @staticmethod
    def find(tables: Tables, entity: str, record_id: str) -> Record:
        """The record outside of any transaction, not deleted. Raises ApiError where there is none."""
        record = tables[entity].get(canonical(record_id))
        if record is None:
            raise ApiError(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: Id")
        if record["IsDeleted"]:
            raise ApiError(404, "ENTITY_IS_DELETED", "entity is deleted")
        return record

    def by_external_id(self, entity: str, field: str, value: Value) -> list[Record]:
        """The live records whose external id holds that value."""
        if field == "Id":
            record = self._tables[entity].get(canonical(str(value)))
            found = [] if record is None else [record]
        else:
            found = self._tables[entity].where(field, value)
        return [record for record in found if not record["IsDeleted"]]

    def _sent(self, definition: ObjectDef, values: Fields, *, creating: bool) -> Record:
        sent: Record = {}
        for name, value in values.items():
            field = definition.fields.get(name)
            if field is None:
                raise ApiError(
                    400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {definition.name}", (name,)
                )
            if field.system or (field.fixed and not creating):
                raise ApiError(
                    400,
                    "INVALID_FIELD_FOR_INSERT_UPDATE",
                    f"Unable to create/update fields: {name}. Please check the security settings of this field",
                    (name,),
                )
            sent[name] = kept(field, value)
        return sent

    def _system(self, definition: ObjectDef) -> Record:
        record: Record = {"Id": new_id(definition.prefix, self._number(definition.name)), "IsDeleted": False}
        record |= dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), self._stamp)
        if definition.auto_number:
            name, digits = definition.auto_number
            record[name] = f"{self._number(f'{definition.name}.{name}'):0{digits}d}"
        return record

    def _check(self, definition: ObjectDef, before: Record | None, after: Record) -> None:
        missing = tuple(field.name for field in definition.own if field.required and after[field.name] in (None, ""))
        if missing:
            raise ApiError(
                400, "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", missing
            )
        for field in definition.own:
            if field.refers_to and after[field.name] is not None:
                self._check_reference(field.refers_to, field.name, after[field.name])
            if field.external_id and after[field.name] is not None:
                self._check_unique(definition.name, field.name, after)
        self._rules(definition.name, before, after)

    def _check_reference(self, entity: str, name: str, value: Value) -> None:
        target = self._tables[entity].get(value)
        if target is None or target["IsDeleted"]:
            raise ApiError(400, "INVALID_CROSS_REFERENCE_KEY", f"invalid cross reference id: {value}", (name,))

    def _check_unique(self, entity: str, name: str, after: Record) -> None:
        for other in self.by_external_id(entity, name, after[name]):
            if other["Id"] != after["Id"]:
                raise ApiError(
                    400,
                    "DUPLICATE_VALUE",
                    f"duplicate value found: {name} duplicates value on record with id: {other['Id']}",
                    (name,),
                )

    def _rules(self, entity: str, before: Record | None, after: Record) -> None:
        for rule in RULES.get(entity, ()):
            rule(self._tables, self._rights, before, after)

    def _put(self, kind: ChangeKind, entity: str, before: Record | None, after: Record) -> None:
        table, record_id = self._tables[entity], str(after["Id"])
        table.put(after)
        self._undo.append(lambda: table.remove(record_id) if before is None else table.put(before))
        self.changes.append(Change(kind, entity, before, after))
        self.touched.append((entity, record_id))

    def _drop(self, entity: str, record: Record) -> None:
        table = self._tables[entity]
        table.remove(str(record["Id"]))
        self._undo.append(lambda: table.put(record))
        self.touched.append((entity, str(record["Id"])))
