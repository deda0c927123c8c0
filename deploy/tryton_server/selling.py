"""What people of a company that sells do in Tryton, and the statuses that the bus may tell them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from connectors.testing.bench import Facts, Held
from deploy.tryton_server.people import Company, iso_day, typed_day
from deploy.tryton_server.person import Json, Table
from schemas.document import Document, Fields, Value

CUSTOMER, PRODUCT = "Acme", "P-100"
CONNECTOR = "crm"
NUMBERED_AT_ONCE = 60


class Selling:
    """Sales, of which the bench makes bare ones, and statuses, each of a sale that has a number."""

    FACTS = Facts(
        text_field="reference",
        date_field="shipping_date",
        sink_text_field="reason",
        sink_date_field="forecast",
        batch_size=50,
        call_timeout_s=2.0,
    )

    def __init__(self) -> None:
        self._free: list[str] = []
        self._numbers: dict[int, str] = {}

    def make(self, company: Company, values: Fields) -> int:
        """A draft."""
        return company.enter("sale.sale", {**self._header(company), **_typed(values)})

    def change(self, company: Company, sale: int, values: Fields) -> None:
        """Another reference or another day."""
        company.enter("sale.sale", _typed(values), sale)

    def delete(self, company: Company, sale: int) -> None:
        """A draft may be deleted."""
        company.person.call("sale.sale", "delete", [sale])

    def document(self, company: Company, number: int, version: int, values: Fields) -> Document:
        """The status of a sale; its reference says of which number of the suite's it is."""
        sold = self._number_of(company, number)
        fields: dict[str, Value] = {
            "number": sold,
            "version": f"{version:020d}",
            "state": "running",
            "percent": 40,
            "good": Decimal(4),
            "scrap": Decimal(1),
            "rework": Decimal(0),
            "forecast": None,
            "late": False,
            "reason": None,
        }
        return Document("Status", f"{CONNECTOR}:{sold}", "", {**fields, **values})

    def unwritable(self, company: Company, number: int) -> Document:
        """The status of a sale that nobody has."""
        document, nobody = self.document(company, number, 1, {}), f"nobody-{number}"
        return Document("Status", f"{CONNECTOR}:{nobody}", "", {**document.fields, "number": nobody})

    def held(self, company: Company, order_key: str) -> Sequence[Held]:
        """Every status with that key."""
        domain: list[Json] = [["order_key", "=", order_key]]
        found = company.person.find("lineshaft.status", domain, "version", "reason", "forecast")
        return [
            Held(int(str(each["version"])), {"reason": _text(each["reason"]), "forecast": iso_day(each["forecast"])})
            for each in found
        ]

    def _header(self, company: Company) -> Table:
        customer = company.customer(CUSTOMER)
        address = customer["address"]
        return {"party": customer["party"], "invoice_address": address, "shipment_address": address}

    def _number_of(self, company: Company, number: int) -> str:
        """The number of the sale for a number of the suite's; many are quoted at once, which is quicker."""
        if number not in self._numbers:
            if not self._free:
                self._free = self._quoted(company)
            self._numbers[number] = self._free.pop()
        return self._numbers[number]

    def _quoted(self, company: Company) -> list[str]:
        """The numbers of new sales; a sale gets one when it is quoted."""
        line: Table = {"product": company.product(PRODUCT), "unit": company.unit, "quantity": 5}
        price: Table = {"unit_price": {"__class__": "Decimal", "decimal": "1"}}
        sale: Table = {**self._header(company), "lines": [["create", [{**line, **price}]]]}
        made: list[Json] = [*company.person.create("sale.sale", [sale] * NUMBERED_AT_ONCE)]
        company.person.call("sale.sale", "quote", made)
        return [str(each["number"]) for each in company.person.find("sale.sale", [["id", "in", made]], "number")]


def _typed(values: Fields) -> Table:
    return {name: typed_day(each) if name == "shipping_date" else _text(each) for name, each in values.items()}


def _text(value: object) -> str | None:
    return None if value is None else str(value)
