"""Questions to a bus that need no task: does its clock agree with the broker's, would its open orders get through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import cast

from mappings import MappingFailed, Plan, References
from schemas.catalog import ORDERS, STATE
from schemas.event import Record
from streams.bus import Bus
from streams.clock import check_against_broker, now_us
from streams.kafka.client import OFFSET_BEGINNING, Message
from streams.kafka.consuming import key_of, place
from streams.kafka.reading import read_to_end
from streams.kafka.transaction import Outgoing, Transactions
from streams.order_life import ENDED
from streams.references import ReferenceTables


@dataclass(frozen=True)
class Unresolved:
    """One line of an open order that would be parked, and why."""

    order_key: str
    line_id: str
    item: str
    reason: str


@dataclass(frozen=True)
class Resolution:
    """How the lines of the open orders would fare now: orders that are released and not closed."""

    orders: int
    lines: int
    unresolved: Sequence[Unresolved]

    @property
    def items(self) -> list[str]:
        """The codes of the items that do not resolve."""
        return sorted({each.item for each in self.unresolved})


def check_clock(bus: Bus) -> None:
    """Raise ClockApart where this machine's clock is more than 5 s from the broker's; the topics must exist."""
    transactions = Transactions(bus.cluster, "check")
    try:
        began, probe = now_us(), Outgoing(STATE, "clock", None, partition=0)
        check_against_broker(transactions.broker_time_ms(probe), began, now_us())
    finally:
        transactions.close()


def resolution(bus: Bus, plan: Plan) -> Resolution:
    """Whether every line that is to be made has a known item and a route, for the newest of every order."""
    orders = _open_orders(bus, plan)
    with closing(ReferenceTables(bus.cluster)) as references:
        references.load()
        lines = [(key, order, line) for key, order in orders.items() for line in _wanted(order)]
        found = [_problem(plan, references, *each) for each in lines]
    return Resolution(len(orders), len(lines), [each for each in found if each is not None])


def _open_orders(bus: Bus, plan: Plan) -> Mapping[str, Record]:
    """The newest SalesOrder per key of orders that are released, not cancelled, and not at their end."""
    newest: dict[str, Record] = {}
    ended: set[str] = set()
    state, order = bus.cluster.reader("OrderState", {"closed", "order", "status"}), bus.cluster.reader("SalesOrder")

    def take(message: Message) -> None:
        key, data = key_of(message), message.value()
        if data is None:
            return
        if place(message)[0] == bus.cluster.name(ORDERS):
            newest[key] = order(data)
            return
        known = state(data)
        (ended.add if _has_ended(known) else ended.discard)(key)
        if known["order"] is not None:
            newest.setdefault(key, cast("Record", known["order"]))

    numbers = range(bus.partitions)
    begin = {(bus.cluster.name(topic), n): OFFSET_BEGINNING for topic in (ORDERS, STATE) for n in numbers}
    read_to_end(bus.cluster, begin, take)
    return {k: v for k, v in newest.items() if k not in ended and not v["cancelled"] and plan.routes.release(v)}


def _has_ended(state: Record) -> bool:
    status = cast("Record | None", state["status"])
    return bool(state["closed"]) or (status is not None and status["state"] in ENDED)


def _wanted(order: Record) -> Iterator[Record]:
    for line in cast("Sequence[Record]", order["lines"]):
        if not line["cancelled"] and cast("int", line["quantity"]) > 0:
            yield line


def _problem(plan: Plan, references: References, key: str, order: Record, line: Record) -> Unresolved | None:
    code = str(line["item"])
    item = references.item(code)
    if item is None:
        return Unresolved(key, str(line["id"]), code, "no such item in ref.items")
    try:
        routed = plan.routes.destination(order, line, item) is not None
    except MappingFailed as failed:
        return Unresolved(key, str(line["id"]), code, failed.message)
    return None if routed else Unresolved(key, str(line["id"]), code, f"no route for site {item.get('site')!r}")
