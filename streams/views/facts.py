"""What a view keeps of one order, folded from the events about it.

Every fold is commutative and idempotent: least instants, and the first so many of a set. Records that come twice, in
any order and over any restart give the same facts, so a view that was thrown away and rebuilt gives the same numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

from schemas.event import Event, Record
from schemas.wire import TRACEPARENT

MOST_SALES = 200
MOST_TOLD = 500


class Stamped(NamedTuple):
    """One event: the bus's version of it, the far system's stamp (both UTC microseconds; 0: none), its trace id."""

    version_us: int
    changed_us: int
    trace: str


@dataclass(frozen=True)
class OrderFacts:
    """One order. Instants are UTC microseconds.

    `placed_us` and `completed_us` are the far systems' own instants, `job` is the first job order on the bus, `sales`
    are the order's SalesOrders and `told` its public statuses, both sorted by version. Of each the first 200 and 500
    are kept (an order has tens): what an order is told after that is counted but its latency is not measured.
    """

    placed_us: int | None = None
    completed_us: int | None = None
    job: Stamped | None = None
    sales: tuple[Stamped, ...] = ()
    told: tuple[Stamped, ...] = ()

    def to_json(self) -> bytes:
        """The facts as compact JSON."""
        return json.dumps([self.placed_us, self.completed_us, self.job, self.sales, self.told]).encode()

    @classmethod
    def from_json(cls, data: bytes) -> OrderFacts:
        """The opposite of `to_json`."""
        placed, completed, job, sales, told = json.loads(data)
        return cls(
            placed,
            completed,
            None if job is None else Stamped(*job),
            tuple(Stamped(*each) for each in sales),
            tuple(Stamped(*each) for each in told),
        )


def fold(facts: OrderFacts, event: Event) -> OrderFacts:
    """The facts with one more event about the order. Its record must be one of READS."""
    return FOLDS[event.record](facts, event)


def _sales_order(facts: OrderFacts, event: Event) -> OrderFacts:
    placed = _least(facts.placed_us, _instant(event.value, "placed_at"))
    return replace(facts, placed_us=placed, sales=_first(facts.sales, _stamped(event), MOST_SALES))


def _job_order(facts: OrderFacts, event: Event) -> OrderFacts:
    found = Stamped(event.version, 0, _trace(event))
    return replace(facts, job=found if facts.job is None else min(facts.job, found))


def _order_status(facts: OrderFacts, event: Event) -> OrderFacts:
    placed = _least(facts.placed_us, _instant(event.value, "placed_at"))
    told = _first(facts.told, _stamped(event), MOST_TOLD)
    completed = _least(facts.completed_us, _completed(event.value))
    return replace(facts, placed_us=placed, completed_us=completed, told=told)


def _completed(status: Record) -> int | None:
    """When production was completed; where the MES gave no end to any operation, when it reported that it was."""
    if status["state"] not in ("completed", "closed"):
        return None
    return _instant(status, "completed_at") or _instant(status, "changed_at")


FOLDS: Mapping[str, Callable[[OrderFacts, Event], OrderFacts]] = {
    "SalesOrder": _sales_order,
    "JobOrder": _job_order,
    "OrderStatus": _order_status,
}

READS: Mapping[str, tuple[str, ...]] = {
    "SalesOrder": ("placed_at", "changed_at"),
    "JobOrder": (),
    "OrderStatus": ("state", "placed_at", "completed_at", "changed_at"),
}
"""The records that are folded and the fields that are read of each."""


def _stamped(event: Event) -> Stamped:
    return Stamped(event.version, _instant(event.value, "changed_at") or 0, _trace(event))


def _trace(event: Event) -> str:
    """The trace id, which an event shares with what follows from it (W3C traceparent: version-trace-span-flags)."""
    parts = event.headers.get(TRACEPARENT, "").split("-")
    return parts[1] if len(parts) == 4 else ""


def _instant(record: Record, name: str) -> int | None:
    return cast("int | None", record[name])


def _least(known: int | None, new: int | None) -> int | None:
    return min((each for each in (known, new) if each is not None), default=None)


def _first(known: tuple[Stamped, ...], new: Stamped, most: int) -> tuple[Stamped, ...]:
    return known if new in known else tuple(sorted({*known, new})[:most])
