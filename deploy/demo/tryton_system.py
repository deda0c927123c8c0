"""One real Tryton server with one company, the person who works in it, and the products that the log names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from deploy.demo.compare import Json, Table
from deploy.demo.log import WorkOrder
from deploy.demo.reference import item_code
from deploy.output import note
from deploy.tryton_server import TrytonServer
from deploy.tryton_server.person import Person

UNIT = "u"
POLL_S = 1.0
OVERLAP_S = 30.0


class TrytonSystem:
    """A running server. Raises EnvironmentFailed or ServerFailed where it does not start."""

    def __init__(self, folder: Path, database: str) -> None:
        self._server, self._database = TrytonServer(folder, database, say=note), database
        self._server.start()
        self.company, self.unit = (int(str(self._server.facts[name])) for name in ("company", "unit"))
        people = self._fact("people")
        login, password = str(people["login"]), str(people["password"])
        self.person = Person(self._server.url, database, self.company, login, password)

    def close(self) -> None:
        """End it; its books stay in the folder. Safe twice."""
        self.person.close()
        self._server.stop()

    def entry(self, type_name: str) -> Mapping[str, Json]:
        """An entry of lineshaft.yaml for a connector of that type."""
        return {
            "type": type_name,
            "url": self._server.url,
            "database": self._database,
            "company": self.company,
            "key": self._server.key,
            "poll_interval_s": POLL_S,
            "overlap_s": OVERLAP_S,
        }

    def addresses(self, name: str) -> Mapping[str, str]:
        """Where a person finds it, and what he logs in with."""
        people = self._fact("people")
        found = f"{self._server.url}/{self._database}/, user {people['login']}, password {people['password']}"
        return {name: found}

    def customer(self, name: str) -> Table:
        """A customer's party and address."""
        return cast("Table", self._fact("customers")[name])

    def enter_products(self, orders: Sequence[WorkOrder], **uses: bool) -> Mapping[str, int]:
        """A product for every part; its id by the part's name."""
        parts = sorted({order.part for order in orders})
        rows: list[Table] = [
            {
                "name": part,
                "code": item_code(part),
                "type": "goods",
                "default_uom": self.unit,
                "list_price": {"__class__": "Decimal", "decimal": "1"},
                "products": [["create", [{}]]],
                **({"sale_uom": self.unit} if uses.get("salable") else {}),
                **uses,
            }
            for part in parts
        ]
        made: list[Json] = [*self.person.create("product.template", rows)]
        found = self.person.find("product.product", [["template", "in", made]], "code")
        by_code = {str(each["code"]): int(str(each["id"])) for each in found}
        return {part: by_code[item_code(part)] for part in parts}

    def _fact(self, name: str) -> Table:
        return cast("Table", self._server.facts[name])
