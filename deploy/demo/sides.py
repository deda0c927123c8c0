"""The two sides of the story, as narrow as it needs them: a shop that sells, and a floor that makes.

Each is a far system of its own with its people in it. The story opens it, lets the people act, and reads its books;
the bus is told of it by its entry in lineshaft.yaml alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from deploy.demo.compare import FloorBooks, Json, Made, ShopBooks
from deploy.demo.jiandaoyun_floor import JianDaoYunFloor
from deploy.demo.log import Row, WorkOrder
from deploy.demo.salesforce_shop import SalesforceShop
from deploy.demo.tryton_floor import TrytonFloor
from deploy.demo.tryton_shop import TrytonShop


class Side(Protocol):
    """What both have. `name` is the system's own, `unit` its word for pieces."""

    name: str
    unit: str

    @property
    def entry(self) -> Mapping[str, Json]:
        """Its entry in lineshaft.yaml, secrets in clear."""
        ...

    @property
    def addresses(self) -> Mapping[str, str]:
        """Where a person finds it, by what is there."""
        ...

    def prepare(self, orders: Sequence[WorkOrder]) -> None:
        """Enter the master data that the orders need. Called once, before anything else happens."""
        ...

    def close(self) -> None:
        """Everybody goes home, and the system ends. Safe twice."""
        ...


class Shop(Side, Protocol):
    """A system that sells."""

    def place(self, order: WorkOrder) -> str:
        """Place an order and release it. Returns the id of the job order that it must get."""
        ...

    def told(self) -> Mapping[str, Made]:
        """The production status told for each order key, as it is now."""
        ...

    def books(self) -> ShopBooks:
        """What the shop itself says."""
        ...


class Floor(Side, Protocol):
    """A system that makes. `report` is called by several threads at once, never for the same job order."""

    def aim(self, ingress: str) -> None:
        """Have its pushes go to the bus's ingress, where it pushes."""
        ...

    def look(self) -> Sequence[str]:
        """The ids of the job orders that may be started and that no earlier look has named."""
        ...

    def report(self, job_order_id: str, rows: Sequence[Row], rest: bool) -> int:
        """Report the first of these rows, or as many as go into one entry; returns how many those are.

        `rest` says that they are all that is left of the order: with the last one it is completed.
        """
        ...

    def books(self) -> FloorBooks:
        """What the floor itself says."""
        ...


SHOPS: Mapping[str, Callable[[Path], Shop]] = {"salesforce": SalesforceShop.opened, "tryton": TrytonShop.opened}
"""By the word for it: opens the system in a folder of its own."""

FLOORS: Mapping[str, Callable[[Path], Floor]] = {"jiandaoyun": JianDaoYunFloor.opened, "tryton": TrytonFloor.opened}
