"""The salespeople: they place each work order of the log as an order in their shop, when its first row is due."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event as Flag
from threading import Lock

from deploy.demo.log import WorkOrder
from deploy.demo.sides import Shop
from deploy.demo.timetable import Timetable


@dataclass
class Placed:
    """Which work order each job order id belongs to, as far as orders were placed."""

    _numbers: dict[str, str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def add(self, job_order_id: str, number: str) -> None:
        """One more order was placed."""
        with self._lock:
            self._numbers[job_order_id] = number

    def number(self, job_order_id: str) -> str | None:
        """The work order behind a job order id; None for one that nobody placed."""
        with self._lock:
            return self._numbers.get(job_order_id)

    def __len__(self) -> int:
        with self._lock:
            return len(self._numbers)


def sell(shop: Shop, orders: Sequence[WorkOrder], times: Timetable, placed: Placed, stop: Flag) -> None:
    """Place every order when its first row is due."""
    for order in orders:
        if stop.wait(max(0.0, times.due(order.rows[0].start) - time.monotonic())):
            return
        placed.add(shop.place(order), order.number)
