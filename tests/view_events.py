"""Events for the views, made by hand: orders, job orders and statuses with the traces that tie them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from schemas.event import Event, Record
from schemas.wire import TRACEPARENT

SECOND = 1_000_000
START = 1_790_000_000 * SECOND


def trace(name: str) -> str:
    """A traceparent whose trace id is made from a name."""
    return f"00-{name.encode().hex():0>32}-{'1' * 16}-01"


def _event(record: str, number: str, subject: str, version: int, value: Record, cause: str) -> Event:
    key = f"crm:{number}"
    event_id = f"test/{record}/{subject}/{version}"
    return Event(record, key, subject, event_id, "test", version, version, value, {TRACEPARENT: trace(cause)})


def sale(number: str, version: int, changed: int, cause: str, placed: int | None = None) -> Event:
    """A SalesOrder."""
    value: Record = {
        "number": number,
        "type": "sale",
        "released": True,
        "cancelled": False,
        "placed_at": changed if placed is None else placed,
        "changed_at": changed,
        "lines": [],
    }
    return _event("SalesOrder", number, f"crm:{number}", version, value, cause)


def job(number: str, version: int, cause: str, line: str = "L1") -> Event:
    """A JobOrder."""
    value: Record = {
        "job_order_id": f"crm:{number}/{line}",
        "order_key": f"crm:{number}",
        "destination": "plant-a",
        "desired": "released",
        "item": "P-1",
        "quantity": SECOND,
        "unit": "pcs",
    }
    return _event("JobOrder", number, f"crm:{number}/{line}", version, value, cause)


def status(
    number: str, version: int, changed: int, cause: str, state: str = "running", completed: int | None = None
) -> Event:
    """An OrderStatus."""
    value: Record = {
        "order_key": f"crm:{number}",
        "number": number,
        "state": state,
        "percent": 0,
        "good": 0,
        "scrap": 0,
        "rework": 0,
        "placed_at": None,
        "changed_at": changed,
        "completed_at": completed,
    }
    return _event("OrderStatus", number, f"crm:{number}", version, value, cause)


def without_trace(event: Event) -> Event:
    """The event as somebody published it who carries no trace."""
    return replace(event, headers={})


@dataclass(frozen=True)
class Life:
    """The events of one order that was placed, released and completed."""

    orders: Sequence[Event]
    jobs: Sequence[Event]
    statuses: Sequence[Event]


def life(index: int, at: int = START) -> Life:
    """An order that is placed 7 s after the one before, edited once, made in two jobs and reported three times."""
    name, placed = f"{index:05d}", at + index * 7 * SECOND
    released, edited = placed + (1 + index % 4) * SECOND, placed + 20 * SECOND
    start, end = placed + (30 + index % 11) * SECOND + 123_456, placed + (90 + index % 37) * SECOND + 654_321
    bought, changed, began, ended = (f"{what}{name}" for what in "bcse")
    return Life(
        orders=[
            sale(name, placed + 150_000 + index, placed, bought),
            sale(name, edited + 250_000, edited, changed, placed),
        ],
        jobs=[
            job(name, released + index * 1000, bought),
            job(name, released + index * 1000 + 5, bought, "L2"),
            job(name, edited + 300_000, changed),
        ],
        statuses=[
            status(name, released + index * 1000, placed, bought, "planned"),
            status(name, start + 40_000 + index * 3000, start, began),
            status(name, edited + 310_000, edited, changed),
            status(name, end + 70_000 + index * 2000, end, ended, "completed" if index % 5 else "running", end)
            if index % 5
            else status(name, end + 70_000 + index * 2000, end, ended),
        ],
    )
