"""Carrying out a parsed query on the org: records as the REST API shows them, in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.salesforce.simulator.answers import ApiError
from connectors.salesforce.simulator.conditions import Reader, compiled, sort_key
from connectors.salesforce.simulator.ids import canonical
from connectors.salesforce.simulator.model import OBJECTS, FieldDef, object_of
from connectors.salesforce.simulator.org import Org
from connectors.salesforce.simulator.pages import Pages
from connectors.salesforce.simulator.soql import Both, Comparison, Condition, Query, parse
from connectors.salesforce.simulator.tables import Record
from schemas.document import Value


@dataclass(frozen=True)
class Scope:
    """How a query is run: with deleted records or not, over which API version, in pages of how many rows."""

    deleted: bool
    version: str
    page_rows: int


class Queries:
    """Runs SOQL on one org."""

    def __init__(self, org: Org, pages: Pages) -> None:
        self._org = org
        self._pages = pages

    def run(self, soql: str, scope: Scope) -> Value:
        """The first page of the answer."""
        query = parse(soql)
        definition = object_of(query.source)
        if definition is None:
            raise ApiError(400, "INVALID_TYPE", f"sObject type '{query.source}' is not supported.")
        with self._org.lock:
            records = self._selected(definition.name, query, self._candidates(definition.name, query), scope)
            if query.count:
                return {"totalSize": len(records), "done": True, "records": []}
            shown = [self._shown(definition.name, query, record, scope) for record in records]
        return self._pages.first(shown, scope.version, scope.page_rows)

    def show(self, entity: str, record: Record, names: Iterable[str], version: str) -> Value:
        """One record as a REST answer shows it."""
        return {"attributes": attributes(entity, record, version), **{name: record[name] for name in names}}

    def _candidates(self, entity: str, query: Query) -> Iterable[Record]:
        """Records that may match: by id or lookup where the condition names some, else all."""
        table = self._org.tables[entity]
        pinned = _pinned(query.where)
        if pinned is None:
            return list(table)
        path, values = pinned
        if path == "Id":
            found = [table.get(canonical(value)) for value in dict.fromkeys(values)]
            return [record for record in found if record is not None]
        field = OBJECTS[entity].fields.get(path)
        if field is not None and field.type == "reference":
            return [record for value in dict.fromkeys(map(canonical, values)) for record in table.where(path, value)]
        return list(table)

    def _selected(self, entity: str, query: Query, candidates: Iterable[Record], scope: Scope) -> list[Record]:
        test = compiled(query.where, lambda path: self._resolve(entity, path))
        records = [record for record in candidates if (scope.deleted or not record["IsDeleted"]) and test(record)]
        records.sort(key=lambda record: str(record["Id"]))
        for path, descending in reversed(query.order):
            field, read = self._resolve(entity, path)
            records.sort(key=_keyed(field, read), reverse=descending)
        end = None if query.limit is None else query.offset + query.limit
        return records[query.offset : end]

    def _resolve(self, entity: str, path: str) -> tuple[FieldDef, Reader]:
        relation, dot, leaf = path.partition(".")
        if not dot:
            field = self._field(entity, relation)
            return field, lambda record: record[field.name]
        lookup = OBJECTS[entity].relation(relation)
        if lookup is None:
            raise ApiError(
                400, "INVALID_FIELD", f"Didn't understand relationship '{relation}' in field path '{path}'."
            )
        field, read = self._resolve(lookup.refers_to, leaf)
        table = self._org.tables[lookup.refers_to]

        def follow(record: Record) -> Value:
            target = table.get(record[lookup.name])
            return None if target is None else read(target)

        return field, follow

    def _field(self, entity: str, name: str) -> FieldDef:
        visible = self._org.visible(entity)
        field = visible.get(name) or next(
            (each for each in visible.values() if each.name.lower() == name.lower()), None
        )
        if field is None:
            raise ApiError(
                400,
                "INVALID_FIELD",
                f"No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure "
                "to append the '__c' after the custom field name.",
            )
        return field

    def _shown(self, entity: str, query: Query, record: Record, scope: Scope) -> Value:
        shown: Record = {"attributes": attributes(entity, record, scope.version)}
        relations: dict[str, list[str]] = {}
        for path in query.fields:
            relation, dot, leaf = path.partition(".")
            if dot:
                relations.setdefault(relation, []).append(leaf)
                shown.setdefault(relation, None)
            else:
                field = self._field(entity, path)
                shown[field.name] = record[field.name]
        for relation, leaves in relations.items():
            shown[relation] = self._related(entity, relation, leaves, record, scope)
        for child in query.children:
            shown[child.source] = self._children(entity, child, record, scope)
        return shown

    def _related(self, entity: str, relation: str, leaves: Sequence[str], record: Record, scope: Scope) -> Value:
        self._resolve(entity, f"{relation}.{leaves[0]}")
        lookup = OBJECTS[entity].relation(relation)
        assert lookup is not None
        target = self._org.tables[lookup.refers_to].get(record[lookup.name])
        if target is None:
            return None
        return self._shown(lookup.refers_to, Query(tuple(leaves), (), False, lookup.refers_to), target, scope)

    def _children(self, entity: str, query: Query, record: Record, scope: Scope) -> Value:
        child = OBJECTS[entity].child(query.source)
        if child is None:
            raise ApiError(
                400, "INVALID_TYPE", f"Didn't understand relationship '{query.source}' in FROM part of query call."
            )
        found = self._org.tables[child.of].where(child.by, record["Id"])
        records = self._selected(child.of, query, found, scope)
        if not records:
            return None
        shown = [self._shown(child.of, query, each, scope) for each in records]
        return self._pages.first(shown, scope.version, scope.page_rows)


def attributes(entity: str, record: Record, version: str) -> Value:
    """What every record shows about itself."""
    return {"type": entity, "url": f"/services/data/{version}/sobjects/{entity}/{record['Id']}"}


def _keyed(field: FieldDef, read: Reader) -> Callable[[Record], tuple[bool, Any]]:
    return lambda record: sort_key(field, read(record))


def _pinned(condition: Condition | None) -> tuple[str, tuple[str, ...]] | None:
    """The field and the values that a condition is tied to by = or IN."""
    parts = condition.parts if isinstance(condition, Both) else (condition,)
    for part in parts:
        if isinstance(part, Comparison) and _pins(part):
            return part.path, tuple(constant.text for constant in part.constants)
    return None


def _pins(part: Comparison) -> bool:
    tied = part.operator in ("=", "IN") and part.path.endswith("Id") and "." not in part.path
    return tied and all(constant.kind == "string" for constant in part.constants)
