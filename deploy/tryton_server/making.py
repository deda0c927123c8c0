"""What people of a company that makes do in Tryton, and the productions that the bus may ask them for."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from connectors.testing.bench import Facts, Held
from deploy.tryton_server.people import Company, iso_day, typed_day
from deploy.tryton_server.person import Json, Table
from schemas.document import Document, Fields, Value

DRAFTED, WANTED = "P-100", "P-400"
"""The bus wants a product without a bill of material: what Tryton makes of one takes it as long again."""

NOT_IN_A_LINE = frozenset("\t\n\r\v\f")


class Making:
    """Productions: bare ones that people make, and those that the bus asks for."""

    FACTS = Facts(
        text_field="reference",
        date_field="due",
        sink_text_field="reference",
        sink_date_field="due",
        batch_size=10,
        call_timeout_s=3.0,
    )

    def make(self, company: Company, values: Fields) -> int:
        """A draft."""
        product: Table = {"product": company.product(DRAFTED), "unit": company.unit, "quantity": 5}
        return company.enter("production", {**product, **_typed(values)})

    def change(self, company: Company, production: int, values: Fields) -> None:
        """Another reference or another day."""
        company.enter("production", _typed(values), production)

    def delete(self, company: Company, production: int) -> None:
        """A draft may be deleted."""
        company.person.call("production", "delete", [production])

    def document(self, company: Company, number: int, version: int, values: Fields) -> Document:
        """A released job order. Raises ValueError for a reference that Tryton's field of one line cannot hold."""
        if NOT_IN_A_LINE & set(str(values.get("reference"))):
            raise ValueError(f"{values['reference']!r} is more than one line")
        fields: dict[str, Value] = {
            "version": f"{version:020d}",
            "desired": "released",
            "known": False,
            "item": WANTED,
            "quantity": Decimal(5),
            "unit": "u",
            "due": None,
            "reference": None,
        }
        return Document("Production", f"bench:{number}/1", "", {**fields, **values})

    def unwritable(self, company: Company, number: int) -> Document:
        """A job order of something that nobody makes."""
        return self.document(company, number, 1, {"item": "NOTHING"})

    def held(self, company: Company, job_order_id: str) -> Sequence[Held]:
        """Every production with that id."""
        domain: list[Json] = [["lineshaft_id", "=", job_order_id]]
        found = company.person.find("production", domain, "lineshaft_version", "reference", "planned_date")
        return [
            Held(
                int(str(each["lineshaft_version"])), {"reference": _text(each), "due": iso_day(each["planned_date"])}
            )
            for each in found
        ]


def _text(production: Table) -> str | None:
    return None if production["reference"] is None else str(production["reference"])


def _typed(values: Fields) -> Table:
    """A planned date goes with a planned start, which Tryton's clients compute."""
    found: Table = {name: str(each) for name, each in values.items() if name != "due" and each is not None}
    if "due" in values:
        found |= {"planned_date": typed_day(values["due"]), "planned_start_date": typed_day(values["due"])}
    return found
