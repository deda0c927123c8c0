"""The selling side of the generator: a seeded stream of orders, changes, cancellations, bursts and deletions.

It is the one that knows what is wanted: an act counts from the moment Salesforce has acknowledged it.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from threading import Event as Flag
from typing import Any

import httpx

from tests.chaos.facts import CONNECTOR, Line, Wanted
from tests.chaos.journal import Journal
from tests.chaos.salesforce import Org, Refused

ITEMS = tuple(f"PART-{number:02d}" for number in range(1, 13))
PRIORITIES = ("Low", "Normal", "High", "Urgent")
FIRST_DAY = date(2030, 1, 7)
BURST = 40
OPEN_KEPT = 250

ORDERS = (
    "SELECT OrderNumber, Status, Requested_Delivery__c, Priority__c, "
    "(SELECT Id, Quantity, Product2.ProductCode FROM OrderItems) FROM Order"
)

WEIGHTS: Mapping[str, int] = {
    "place": 50,
    "quantity": 14,
    "priority": 10,
    "line": 5,
    "edit": 6,
    "cancel": 8,
    "delete": 4,
    "burst": 1,
}
"""How often each act is drawn."""


@dataclass
class Order:
    """One order of the generator with its ids in Salesforce."""

    id: str
    reference: str
    wanted: Wanted


class Sales:
    """Acts `rate` times a second from `seed` until stopped. `person` edits on the org's screens."""

    def __init__(self, org: Org, person: Callable[..., Any], journal: Journal, seed: int, rate: float) -> None:
        self._org, self._person, self._journal = org, person, journal
        self._random, self._rate = random.Random(f"sales-{seed}"), rate
        self._account = ""
        self._open: list[Order] = []
        self._count = 0
        self.unknown: set[str] = set()
        self._keys: dict[str, str] = {}
        self.lock = threading.Lock()
        self._acts: Mapping[str, Callable[[], None]] = {
            "place": self._place,
            "quantity": self._change_quantity,
            "priority": self._change_priority,
            "line": self._add_line,
            "edit": self._edit,
            "cancel": self._cancel,
            "delete": self._delete,
            "burst": self._burst,
        }
        self._products: dict[str, str] = {}

    def prepare(self) -> None:
        """Create the customer and the products."""
        self._account = self._org.create("Account", {"Name": "Chaos Works"})
        for item in ITEMS:
            self._products[item] = self._org.create("Product2", {"Name": f"Part {item}", "ProductCode": item})

    def run(self, stop: Flag) -> None:
        """Act until `stop` is set."""
        due = time.monotonic()
        while not stop.wait(max(0.0, due - time.monotonic())):
            due = max(due + self._random.expovariate(self._rate), time.monotonic() - 1.0)
            name = self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            if name != "place" and len(self._open) < 5:
                name = "place"
            self._acts[name]()

    def resolve(self) -> None:
        """Look up in Salesforce what became of every order whose last act got no answer."""
        for reference in sorted(self.unknown):
            rows = self._org.query(f"{ORDERS} WHERE Work_Order__c = '{reference}'")
            key = self._keys.get(reference)
            if not rows and key is not None:
                gone = replace(self._journal.wanted[key], cancelled=True, deleted=True)
                self._journal.note(key, "looked up", "deleted", gone)
            for row in rows:
                lines = {
                    str(line["Id"]): Line(str(line["Product2"]["ProductCode"]), float(line["Quantity"]))
                    for line in (row["OrderItems"] or {"records": []})["records"]
                }
                wanted = Wanted(
                    f"{CONNECTOR}:{row['OrderNumber']}",
                    lines,
                    str(row["Requested_Delivery__c"]),
                    str(row["Priority__c"]).lower(),
                    cancelled=row["Status"] == "Cancelled",
                )
                self._journal.note(wanted.key, "looked up", str(row["Status"]), wanted)
        self.unknown.clear()

    def forget(self, key: str) -> None:
        """No further changes of an order: its work is about to end."""
        with self.lock:
            self._open = [each for each in self._open if each.wanted.key != key]

    def _one(self) -> Order:
        with self.lock:
            return self._random.choice(self._open[-OPEN_KEPT:])

    def _due(self) -> str:
        return (FIRST_DAY + timedelta(days=self._random.randrange(300))).isoformat()

    def _place(self) -> None:
        self._count += 1
        reference, due, priority = f"C-{self._count:05d}", self._due(), self._random.choice(PRIORITIES)
        header = {
            "AccountId": self._account,
            "Status": "Draft",
            "EffectiveDate": FIRST_DAY.isoformat(),
            "Work_Order__c": reference,
            "Requested_Delivery__c": due,
            "Priority__c": priority,
        }
        items = self._random.sample(ITEMS, self._random.choice((1, 1, 1, 2)))
        lines = [Line(item, float(self._random.randint(1, 40))) for item in items]
        made = self._composed(reference, header, lines)
        if made is None:
            return
        key = f"{CONNECTOR}:{made['read']['OrderNumber']}"
        ids = {str(made[f"line{index}"]["id"]): line for index, line in enumerate(lines)}
        order = Order(str(made["order"]["id"]), reference, Wanted(key, ids, due, priority.lower()))
        self._note(order, "placed", " ".join(f"{each.item}×{each.quantity:g}" for each in lines))
        self._keys[reference] = key
        with self.lock:
            self._open.append(order)

    def _composed(self, reference: str, header: Mapping[str, Any], lines: list[Line]) -> dict[str, Any] | None:
        parts: list[tuple[str, str, str, Mapping[str, Any] | None]] = [("order", "POST", "sobjects/Order", header)]
        for index, line in enumerate(lines):
            parts.append((f"line{index}", "POST", "sobjects/OrderItem", self._row("@{order.id}", line)))
        parts.append(("active", "PATCH", "sobjects/Order/@{order.id}", {"Status": "Activated"}))
        parts.append(("read", "GET", "sobjects/Order/@{order.id}", None))
        try:
            return self._org.composite(parts)
        except (httpx.HTTPError, Refused) as error:
            self.unknown.add(reference)
            self._journal.note("", "unknown outcome", f"place {reference}: {error}")
            return None

    def _row(self, order: str, line: Line) -> Mapping[str, Any]:
        return {
            "OrderId": order,
            "Product2Id": self._products[line.item],
            "Quantity": line.quantity,
            "UnitPrice": 1,
            "Unit__c": "Each",
        }

    def _change_quantity(self) -> None:
        order = self._one()
        line_id, line = self._random.choice(list(order.wanted.lines.items()))
        new = replace(line, quantity=float(self._random.randint(1, 40)))
        wanted = replace(order.wanted, lines={**order.wanted.lines, line_id: new})
        self._done(order, "quantity", f"{line.quantity:g}→{new.quantity:g}", wanted, lambda: self._org.call(
            "PATCH", f"sobjects/OrderItem/{line_id}", {"Quantity": new.quantity}))  # fmt: skip

    def _change_priority(self) -> None:
        order, priority, due = self._one(), self._random.choice(PRIORITIES), self._due()
        wanted = replace(order.wanted, priority=priority.lower(), due=due)
        fields = {"Priority__c": priority, "Requested_Delivery__c": due}
        self._done(order, "priority", f"{priority}, due {due}", wanted, lambda: self._org.call(
            "PATCH", f"sobjects/Order/{order.id}", fields))  # fmt: skip

    def _add_line(self) -> None:
        order, line = self._one(), Line(self._random.choice(ITEMS), float(self._random.randint(1, 40)))
        try:
            line_id = self._org.create("OrderItem", self._row(order.id, line))
        except (httpx.HTTPError, Refused) as error:
            self._lost(order, f"line: {error}")
            return
        order.wanted = replace(order.wanted, lines={**order.wanted.lines, line_id: line})
        self._note(order, "line", f"{line.item}×{line.quantity:g}")

    def _edit(self) -> None:
        """A person on the order's screen."""
        order, due = self._one(), self._due()
        wanted = replace(order.wanted, due=due)
        self._done(order, "edited by a person", f"due {due}", wanted, lambda: self._person(
            "POST", f"person/Order/{order.id}", {"Requested_Delivery__c": due}))  # fmt: skip

    def _cancel(self) -> None:
        order = self._one()
        self.forget(order.wanted.key)
        wanted = replace(order.wanted, cancelled=True)
        self._done(order, "cancelled", "", wanted, lambda: self._org.call(
            "PATCH", f"sobjects/Order/{order.id}", {"Status": "Cancelled"}))  # fmt: skip

    def _delete(self) -> None:
        order = self._one()
        self.forget(order.wanted.key)
        wanted = replace(order.wanted, cancelled=True, deleted=True)
        self._done(order, "deleted by a person", "", wanted, lambda: self._person(
            "DELETE", f"person/Order/{order.id}"))  # fmt: skip

    def _burst(self) -> None:
        """The data loader: one date for many orders at once."""
        due = self._due()
        with self.lock:
            orders = self._random.sample(self._open, min(len(self._open), BURST))
        rows = [{"Id": order.id, "Requested_Delivery__c": due} for order in orders]
        try:
            taken = self._org.update_rows("Order", rows)
        except (httpx.HTTPError, Refused) as error:
            for order in orders:
                self._lost(order, f"burst: {error}")
            return
        for order, accepted in zip(orders, taken, strict=True):
            if accepted:
                order.wanted = replace(order.wanted, due=due)
                self._note(order, "loaded", f"due {due}")

    def _done(self, order: Order, what: str, detail: str, wanted: Wanted, act: Callable[[], Any]) -> None:
        try:
            act()
        except (httpx.HTTPError, RuntimeError) as error:
            self._lost(order, f"{what}: {error}")
            return
        order.wanted = wanted
        self._note(order, what, detail)

    def _note(self, order: Order, what: str, detail: str) -> None:
        self._journal.note(order.wanted.key, what, detail, order.wanted)

    def _lost(self, order: Order, why: str) -> None:
        """Nobody knows what became of it: read the order at the end instead."""
        self.unknown.add(order.reference)
        self._journal.note(order.wanted.key, "unknown outcome", why)
        self.forget(order.wanted.key)
