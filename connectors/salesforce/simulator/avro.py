"""Change events as Avro: one schema per object and version, payloads, and the bitmaps of their header.

Contract section 5. Field 0 of every event is the header; bit n of a bitmap is field n.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

import fastavro

from connectors.salesforce.simulator.model import OBJECTS, FieldDef
from connectors.salesforce.simulator.values import moment_of
from schemas.document import Value

NOT_IN_EVENTS = ("Id", "IsDeleted", "SystemModstamp")
CHANGE_TYPES = [
    "CREATE", "UPDATE", "DELETE", "UNDELETE",
    "GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE", "GAP_OVERFLOW",
]  # fmt: skip
AVRO_TYPES = {"date": "long", "datetime": "long", "double": "double", "boolean": "boolean"}


@dataclass(frozen=True)
class Header:
    """What a change event says about itself, bitmaps apart."""

    entity: str
    record_ids: tuple[str, ...]
    change_type: str
    origin: str
    transaction: str
    sequence: int
    commit_ms: int
    commit_number: int
    user: str


def schema_json(entity: str, version: int) -> str:
    """The Avro schema of one object's events; every further version has one more custom field."""
    name = f"{entity[:-3]}__ChangeEvent" if entity.endswith("__c") else f"{entity}ChangeEvent"
    fields = [{"name": "ChangeEventHeader", "type": _header_schema()}, *_columns(entity)]
    fields += [{"name": f"Added_{n}__c", "type": ["null", "string"], "default": None} for n in range(2, version + 1)]
    return json.dumps({"type": "record", "name": name, "namespace": "com.sforce.eventbus", "fields": fields})


@cache
def schema_id(entity: str, version: int) -> str:
    """The schema's fingerprint, as texts that say nothing."""
    return hashlib.sha256(schema_json(entity, version).encode()).hexdigest()[:22]


@cache
def _parsed(entity: str, version: int) -> Any:
    return fastavro.parse_schema(json.loads(schema_json(entity, version)))


def payload(
    header: Header, values: Mapping[str, Value], changed: Sequence[str], nulled: Sequence[str], version: int
) -> bytes:
    """One event; `values` are what it carries, `changed` and `nulled` what its bitmaps name."""
    event: dict[str, Any] = {"ChangeEventHeader": _header(header, changed, nulled, version)}
    definition = OBJECTS[header.entity].fields
    for name, value in values.items():
        field = definition[name]
        if field.compound:
            event.setdefault(field.compound, {})[_part(field)] = value
        else:
            event[name] = _plain(field, value)
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, _parsed(header.entity, version), event)
    return buffer.getvalue()


def bitmaps(entity: str, names: Sequence[str], version: int) -> list[str]:
    """Field names as bitmaps: one for the top level, then one for each compound field."""
    fields = json.loads(schema_json(entity, version))["fields"]
    place = {field["name"]: number for number, field in enumerate(fields)}
    top, parts = 0, dict[int, int]()
    definition = OBJECTS[entity].fields
    for name in names:
        field = definition[name]
        if field.compound:
            inner = [part["name"] for part in fields[place[field.compound]]["type"][1]["fields"]]
            number = place[field.compound]
            parts[number] = parts.get(number, 0) | 1 << inner.index(_part(field))
        else:
            top |= 1 << place[name]
    return [f"0x{top:X}"] * bool(top) + [f"{number}-0x{bits:X}" for number, bits in sorted(parts.items())]


def _columns(entity: str) -> list[dict[str, Any]]:
    columns: dict[str, dict[str, Any]] = {}
    for field in OBJECTS[entity].fields.values():
        if field.name in NOT_IN_EVENTS:
            continue
        if not field.compound:
            type_name = AVRO_TYPES.get(field.type, "string")
            columns[field.name] = {"name": field.name, "type": ["null", type_name], "default": None}
        elif field.compound not in columns:
            columns[field.compound] = {
                "name": field.compound,
                "type": ["null", {"type": "record", "name": "Address", "fields": []}],
                "default": None,
            }
        if field.compound:
            inner = columns[field.compound]["type"][1]["fields"]
            inner.append({"name": _part(field), "type": ["null", "string"], "default": None})
    return list(columns.values())


def _part(field: FieldDef) -> str:
    return field.name.removeprefix(field.compound.removesuffix("Address"))


def _header_schema() -> dict[str, Any]:
    texts = {"type": "array", "items": "string"}
    kinds = {"type": "enum", "name": "ChangeType", "symbols": CHANGE_TYPES}
    columns = {
        "entityName": "string", "recordIds": texts, "changeType": kinds, "changeOrigin": "string",
        "transactionKey": "string", "sequenceNumber": "int", "commitTimestamp": "long", "commitNumber": "long",
        "commitUser": "string", "nulledFields": texts, "diffFields": texts, "changedFields": texts,
    }  # fmt: skip
    fields = [{"name": name, "type": kind} for name, kind in columns.items()]
    return {"type": "record", "name": "ChangeEventHeader", "fields": fields}


def _header(header: Header, changed: Sequence[str], nulled: Sequence[str], version: int) -> dict[str, Any]:
    return {
        "entityName": header.entity,
        "recordIds": list(header.record_ids),
        "changeType": header.change_type,
        "changeOrigin": header.origin,
        "transactionKey": header.transaction,
        "sequenceNumber": header.sequence,
        "commitTimestamp": header.commit_ms,
        "commitNumber": header.commit_number,
        "commitUser": header.user,
        "nulledFields": bitmaps(header.entity, nulled, version),
        "diffFields": [],
        "changedFields": bitmaps(header.entity, changed, version),
    }


def _plain(field: FieldDef, value: Value) -> Any:
    if value is None:
        return None
    if field.type in ("date", "datetime"):
        return int(moment_of(f"{value}T00:00:00+00:00" if field.type == "date" else str(value)).timestamp() * 1000)
    return float(value) if isinstance(value, Decimal) else value
