"""Tryton as the shop: a real server of its own, and a salesperson who sells in it as its own clients do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.demo import tryton_books
from deploy.demo.compare import Json, Made, ShopBooks, Table, job_order_id
from deploy.demo.log import WorkOrder
from deploy.demo.tryton_system import UNIT, TrytonSystem

DATABASE = "sales"
CUSTOMER = "Acme"


class TrytonShop:
    """The server, and one salesperson."""

    name, unit = tryton_books.SHOP, UNIT

    def __init__(self, system: TrytonSystem) -> None:
        self._system, self._person = system, system.person
        self._products: Mapping[str, int] = {}

    @classmethod
    def opened(cls, folder: Path) -> TrytonShop:
        """Start the server. Raises EnvironmentFailed or ServerFailed."""
        return cls(TrytonSystem(folder, DATABASE))

    @property
    def entry(self) -> Mapping[str, Json]:
        """See `Side`."""
        return self._system.entry("tryton-crm")

    @property
    def addresses(self) -> Mapping[str, str]:
        """See `Side`."""
        return self._system.addresses(self.name)

    def prepare(self, orders: Sequence[WorkOrder]) -> None:
        """See `Side`. Shipments are made by hand: making them with each sale takes as long as the sale itself."""
        self._products = self._system.enter_products(orders, salable=True)
        self._person.call("sale.configuration", "write", [1], {"sale_shipment_method": "manual"})

    def place(self, order: WorkOrder) -> str:
        """See `Shop`."""
        person, customer = self._person, self._system.customer(CUSTOMER)
        line: Table = {
            "product": self._products[order.part],
            "quantity": order.ordered,
            "unit": self._system.unit,
            "unit_price": {"__class__": "Decimal", "decimal": "1"},
        }
        header: Table = {
            "party": customer["party"],
            "invoice_address": customer["address"],
            "shipment_address": customer["address"],
            "reference": order.number,
            "lines": [["create", [line]]],
        }
        [sale] = person.create("sale.sale", [header])
        for button in ("quote", "confirm"):
            person.call("sale.sale", button, [sale])
        [made] = person.find("sale.sale", [["id", "=", sale]], "number", "lines")
        lines = made["lines"]
        assert isinstance(lines, list)
        return job_order_id(str(made["number"]), str(lines[0]))

    def told(self) -> Mapping[str, Made]:
        """See `Shop`."""
        return tryton_books.told(self._person)

    def books(self) -> ShopBooks:
        """See `Shop`."""
        return tryton_books.read_shop(self._person)

    def close(self) -> None:
        """See `Side`."""
        self._system.close()
