"""Orders, reports and references as values, for the pure steps of the pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from mappings import Plan, compile_plan, shipped
from schemas.event import Event, Record
from schemas.identity import content_hash
from schemas.wire import REVISION, TRACEPARENT

ONE = 1_000_000
TRACE = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01"


@dataclass(frozen=True)
class Known:
    """Reference data made by hand (`mappings.References`)."""

    items: Mapping[str, Record] = field(default_factory=lambda: {"P-1": item("P-1"), "P-2": item("P-2")})
    links: Mapping[tuple[str, str, str, str], str] = field(default_factory=dict)

    def item(self, code: str) -> Record | None:
        return self.items.get(code)

    def link(self, kind: str, system: str, id: str, to_system: str) -> str | None:
        return self.links.get((kind, system, id, to_system))


@cache
def plan() -> Plan:
    """The definitions that ship, without the far systems' sides."""
    return compile_plan([each for each in shipped() if each.name in ("job-order", "orders")], {})


def item(code: str, site: str = "plant-a") -> Record:
    return {"item": code, "unit": "pcs", "site": site, "mes_item": None, "description": None, "units": []}


def line(line_id: str = "L1", quantity: int = 5, **changes: Any) -> dict[str, Any]:
    return {
        "id": line_id,
        "parent_id": None,
        "item": "P-1",
        "description": None,
        "quantity": quantity * ONE,
        "unit": "pcs",
        "requested_date": None,
        "cancelled": False,
        "options": [],
        **changes,
    }


def order(*lines: Record, **changes: Any) -> dict[str, Any]:
    return {
        "number": "1",
        "type": "sale",
        "released": True,
        "cancelled": False,
        "reference": None,
        "customer": None,
        "customer_name": None,
        "priority": "normal",
        "requested_date": None,
        "placed_at": 1,
        "changed_at": 1,
        "lines": list(lines or (line(),)),
        **changes,
    }


def operation(name: str = "Turning", good: int = 0, scrap: int = 0, rework: int = 0, **times: int | None) -> Record:
    return {
        "operation": name,
        "equipment": None,
        "good": good * ONE,
        "scrap": scrap * ONE,
        "rework": rework * ONE,
        "started_at": times.get("started_at"),
        "ended_at": times.get("ended_at"),
        "lots": [],
    }


def report(*operations: Record, line_id: str = "L1", state: str = "running", changed_at: int = 1) -> Record:
    return {
        "job_order_id": f"crm:1/{line_id}",
        "order_key": "crm:1",
        "far_id": None,
        "state": state,
        "cancel_requested": False,
        "quantity": None,
        "unit": None,
        "changed_at": changed_at,
        "created_at": None,
        "operations": list(operations),
        "covers": [],
    }


def stamped(at: int, value: Any) -> str:
    return f"{at:017d}-{content_hash(value)}"


def event(record: str, at: int, value: Any) -> Event:
    """A SalesOrder or JobResponse as its source publishes it, its far revision being of the time `at`."""
    revision, subject = stamped(at, value), str(value.get("job_order_id", "crm:1"))
    headers = {REVISION: revision, TRACEPARENT: TRACE}
    return Event(record, "crm:1", subject, f"far/{subject}/{revision}", "far", at, at, value, headers)
