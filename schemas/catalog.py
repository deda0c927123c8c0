"""Every record of the bus: its Avro schema, the topics it lives in and how long they keep it.

The schemas are the files in schemas/avro; a type that several records share (`lineshaft.Cover`) has a file of its
own and is put in where it is first named, so that each record's schema is complete by itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeAlias, cast

Schema: TypeAlias = "str | int | list[Schema] | dict[str, Schema] | None"
"""An Avro schema as JSON."""

NAMESPACE = "lineshaft"
SHARED_TYPES = frozenset({"Priority", "Cover"})
DAY_MS = 24 * 3600 * 1000
DELIVERY_RETENTION_MS = 30 * DAY_MS
FOR_EVER = -1


class UnknownRecord(LookupError):
    """No record of that name is shipped."""


@dataclass(frozen=True)
class TopicKind:
    """How the topics of one kind are made.

    `name` may hold `{name}` for a sink's, stage's or reference's name. Topics of orders have the bus's partition
    count, others the fixed `partitions`. `compacted` topics keep the newest record per key for ever.
    """

    name: str
    record: str
    compacted: bool = False
    partitions: int | None = None
    retention_ms: int = DELIVERY_RETENTION_MS
    settings: Mapping[str, str] | None = None


STATE_SETTINGS = {  # DESIGN section 4: a restore reads little more than what is live
    "segment.bytes": str(64 * 1024 * 1024),
    "segment.ms": str(10 * 60 * 1000),
    "min.cleanable.dirty.ratio": "0.1",
}

AUDIT_SETTINGS = {"retention.bytes": "-1"}  # whatever the brokers' default is

TOPICS: Mapping[str, TopicKind] = {
    "crm.orders": TopicKind("crm.orders", "SalesOrder"),
    "mes.production": TopicKind("mes.production", "JobResponse"),
    "sink": TopicKind("sink.{name}", ""),
    "bulk": TopicKind("sink.{name}.bulk", ""),
    "order.status": TopicKind("order.status", "OrderStatus"),
    "bus.order-state": TopicKind("bus.order-state", "OrderState", True, settings=STATE_SETTINGS),
    "bus.positions": TopicKind("bus.positions", "Position", True, settings=STATE_SETTINGS),
    "bus.audit": TopicKind("bus.audit", "AuditEntry", partitions=1, retention_ms=FOR_EVER, settings=AUDIT_SETTINGS),
    "bus.definitions": TopicKind("bus.definitions", "Definition", True, 1),
    "ref.items": TopicKind("ref.items", "Item", True),
    "ref.links": TopicKind("ref.links", "Link", True),
    "parked": TopicKind("parked.{name}", "Parked", True, settings=STATE_SETTINGS),
    "commands": TopicKind("commands.{name}", "Command"),
}

ORDERS, PRODUCTION, STATUS, STATE = "crm.orders", "mes.production", "order.status", "bus.order-state"
POSITIONS, DEFINITIONS, ITEMS, LINKS = "bus.positions", "bus.definitions", "ref.items", "ref.links"
AUDIT = "bus.audit"

TOPIC_OF_RECORD: Mapping[str, str] = {
    "SalesOrder": ORDERS,
    "JobResponse": PRODUCTION,
    "OrderStatus": STATUS,
    "Item": ITEMS,
    "Link": LINKS,
}
"""Where a source publishes each record that it may emit."""


IN_SEQUENCE = frozenset({"Notification", "QualityCase"})
"""The records of which a later one does not replace an earlier one of its subject: each waits its turn."""


def sink_topic(name: str) -> str:
    """The topic of the sink of one connector."""
    return TOPICS["sink"].name.format(name=name)


def bulk_topic(name: str) -> str:
    """The second topic of the sink of one connector, for bursts and backfills."""
    return TOPICS["bulk"].name.format(name=name)


def parked_topic(stage: str) -> str:
    """The topic of what a stage parked."""
    return TOPICS["parked"].name.format(name=stage)


def command_topic(stage: str) -> str:
    """The topic of an operator's commands to a stage."""
    return TOPICS["commands"].name.format(name=stage)


@cache
def record_names() -> tuple[str, ...]:
    """The names of all records that travel in topics, sorted."""
    found = (entry.name for entry in files("schemas").joinpath("avro").iterdir())
    names = (name.removesuffix(".avsc") for name in found if name.endswith(".avsc"))
    return tuple(sorted(name for name in names if name not in SHARED_TYPES))


@cache
def schema(record: str) -> Mapping[str, Schema]:
    """The complete Avro schema of a record, as JSON. Raises UnknownRecord for a name that is not shipped."""
    return cast("dict[str, Schema]", _complete(f"{NAMESPACE}.{record}", set()))


@cache
def history(record: str) -> dict[int, Mapping[str, Schema]]:
    """The released versions of a record's schema, by number."""
    found = {}
    for entry in files("schemas").joinpath("avro/history").iterdir():
        name, _, rest = entry.name.partition(".")
        if name == record and rest.endswith("avsc"):
            found[int(rest.split(".")[0])] = cast("Mapping[str, Schema]", json.loads(entry.read_text("utf-8")))
    return dict(sorted(found.items()))


@cache
def fields_of(record: str) -> tuple[str, ...]:
    """The names of a record's own fields, in order."""
    return tuple(
        str(cast("dict[str, Schema]", each)["name"]) for each in cast("list[Schema]", schema(record)["fields"])
    )


def _complete(node: Schema, known: set[str]) -> Schema:
    if isinstance(node, str):
        return _named(node, known)
    if isinstance(node, list):
        return [_complete(branch, known) for branch in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") in ("record", "enum"):
        known.add(f"{NAMESPACE}.{node['name']}")
    return {key: _complete(each, known) if key in ("type", "items", "fields") else each for key, each in node.items()}


def _named(name: str, known: set[str]) -> Schema:
    if not name.startswith(f"{NAMESPACE}.") or name in known:
        return name
    file = files("schemas").joinpath(f"avro/{name.removeprefix(NAMESPACE + '.')}.avsc")
    if not file.is_file():
        raise UnknownRecord(f"no record {name!r} is shipped; there are {', '.join(record_names())}")
    return _complete(cast("Schema", json.loads(file.read_text("utf-8"))), known)
