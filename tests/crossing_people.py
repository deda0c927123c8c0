"""People of four systems who do the same things: sell, change, cancel; look, report, finish.

Shares no code with the connectors. A shop's `Sale` and a floor's `Work` are what its own books say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from deploy.demo.login import trust
from deploy.demo.stand_ins import StandInProcess
from tests.chaos.salesforce import Org
from tests.tryton_people import People

DAY = "2027-05-18"


@dataclass(frozen=True)
class Sale:
    """A sale as the bus must call it: its order key, and the job order id and far id of each line by item."""

    id: str
    key: str
    jobs: Mapping[str, str]
    lines: Mapping[str, str]


@dataclass(frozen=True)
class Work:
    """A work order on a floor."""

    item: str
    quantity: float
    state: str


@dataclass(frozen=True)
class Told:
    """What a shop was told of a sale."""

    state: str
    good: float
    scrap: float


class Shop(Protocol):
    """People who sell; `name` is the connector's."""

    name: str

    def sell(self, **quantities: float) -> Sale: ...
    def change(self, sale: Sale, item: str, quantity: float) -> None: ...
    def cancel(self, sale: Sale) -> None: ...
    def told(self, sale: Sale) -> Sequence[Told]: ...
    def everything_told(self) -> set[str]: ...


class Floor(Protocol):
    """People who make; `name` is the connector's."""

    name: str

    def works(self, job: str) -> Sequence[Work]: ...
    def everything(self) -> list[str]: ...
    def report(self, job: str, good: float, scrap: float) -> None: ...
    def finish(self, job: str) -> None: ...


def sold(shop: str, id: str, number: str, lines: Mapping[str, str]) -> Sale:
    return Sale(id, f"{shop}:{number}", {item: f"{shop}:{number}/{line}" for item, line in lines.items()}, lines)


def code(item: str) -> str:
    return item.replace("_", "-")


class SalesforceShop:
    """An org."""

    def __init__(self, name: str, stand_in: StandInProcess, items: Sequence[str]) -> None:
        self.name, self._org = name, Org(stand_in.login)
        self._account = self._org.create("Account", {"Name": "Acme"})
        self._products = {item: self._org.create("Product2", {"Name": item, "ProductCode": item}) for item in items}

    def close(self) -> None:
        self._org.close()

    def sell(self, **quantities: float) -> Sale:
        header = {"AccountId": self._account, "Status": "Draft", "EffectiveDate": DAY, "Priority__c": "Normal"}
        parts: list[Any] = [("order", "POST", "sobjects/Order", header)]
        for item, quantity in quantities.items():
            product = {
                "Product2Id": self._products[code(item)],
                "Quantity": quantity,
                "UnitPrice": 1,
                "Unit__c": "Each",
            }
            parts.append((item, "POST", "sobjects/OrderItem", {"OrderId": "@{order.id}", **product}))
        parts.append(("active", "PATCH", "sobjects/Order/@{order.id}", {"Status": "Activated"}))
        parts.append(("read", "GET", "sobjects/Order/@{order.id}", None))
        made = self._org.composite(parts)
        lines = {code(item): str(made[item]["id"]) for item in quantities}
        return sold(self.name, str(made["order"]["id"]), str(made["read"]["OrderNumber"]), lines)

    def change(self, sale: Sale, item: str, quantity: float) -> None:
        self._org.call("PATCH", f"sobjects/OrderItem/{sale.lines[item]}", {"Quantity": quantity})

    def cancel(self, sale: Sale) -> None:
        self._org.call("PATCH", f"sobjects/Order/{sale.id}", {"Status": "Cancelled"})

    def told(self, sale: Sale) -> list[Told]:
        return [
            Told(row["State__c"], row["Quantity_Good__c"], row["Quantity_Scrap__c"])
            for row in self._statuses()
            if row["MES_Key__c"] == sale.key
        ]

    def everything_told(self) -> set[str]:
        return {row["MES_Key__c"] for row in self._statuses()}

    def _statuses(self) -> list[dict[str, Any]]:
        return self._org.query("SELECT MES_Key__c, State__c, Quantity_Good__c, Quantity_Scrap__c FROM MES_Status__c")


class TrytonShop:
    """A company that sells."""

    def __init__(self, name: str, people: People) -> None:
        self.name, self._people = name, people

    def close(self) -> None:
        self._people.http.close()

    def sell(self, **quantities: float) -> Sale:
        people = self._people
        sale = people.sell(*(people.line(code(item), quantity) for item, quantity in quantities.items()))
        (found,) = people.find("sale.sale", [["id", "=", sale]], "number", "lines.product.code")
        lines = {each["product"]["code"]: str(each["id"]) for each in found["lines"]}
        return sold(self.name, str(sale), found["number"], lines)

    def change(self, sale: Sale, item: str, quantity: float) -> None:
        self._people.press("sale.sale", int(sale.id), "draft")
        self._people.write("sale.line", int(sale.lines[item]), quantity=quantity)
        self._people.press("sale.sale", int(sale.id), "quote", "confirm")

    def cancel(self, sale: Sale) -> None:
        self._people.press("sale.sale", int(sale.id), "draft", "cancel")

    def told(self, sale: Sale) -> list[Told]:
        found = self._people.find("lineshaft.status", [["sale", "=", int(sale.id)]], "state", "good", "scrap")
        return [Told(each["state"], *(float(each[name]["decimal"]) for name in ("good", "scrap"))) for each in found]

    def everything_told(self) -> set[str]:
        return {each["order_key"] for each in self._people.find("lineshaft.status", [], "order_key")}


class JianDaoYunFloor:
    """A form."""

    def __init__(self, name: str, stand_in: StandInProcess) -> None:
        self.name, self._stand_in = name, stand_in
        self._http = httpx.Client(verify=trust(stand_in.login.ca_file), timeout=30.0)

    def close(self) -> None:
        self._http.close()

    def works(self, job: str) -> list[Work]:
        condition = {"field": "job_order_id", "type": "text", "method": "eq", "value": [job]}
        found = self._records(filter={"rel": "and", "cond": [condition]})
        return [Work(each["item"], each["quantity"], each["state"]) for each in found]

    def everything(self) -> list[str]:
        return [each["job_order_id"] for each in self._records()]

    def report(self, job: str, good: float, scrap: float) -> None:
        row = {"operation": "pressing", "good": good, "scrap": scrap, "rework": 0, "ended": f"{DAY}T10:00:00.000Z"}
        self._edit(job, {"state": "running", "operations": [row]})

    def finish(self, job: str) -> None:
        self._edit(job, {"state": "completed"})

    def _edit(self, job: str, data: Mapping[str, Any]) -> None:
        body = {"match": {"job_order_id": job}, "data": data}
        answer = self._http.post(f"{self._stand_in.control}/person/update", json=body)
        assert answer.is_success, answer.text

    def _records(self, **more: Any) -> list[dict[str, Any]]:
        values = self._stand_in.login.values
        body = {"app_id": values["app_id"], "entry_id": values["entry_id"], "limit": 100, **more}
        headers = {"Authorization": f"Bearer {values['api_key']}"}
        answer = self._http.post(f"{values['base_url']}/v5/app/entry/data/list", json=body, headers=headers)
        return list(answer.raise_for_status().json()["data"])


class TrytonFloor:
    """A company that makes."""

    STATES: Mapping[str, str] = {"waiting": "released", "assigned": "released", "done": "completed"}

    def __init__(self, name: str, people: People) -> None:
        self.name, self._people = name, people

    def close(self) -> None:
        self._people.http.close()

    def works(self, job: str) -> list[Work]:
        found = self._people.find(
            "production", [["lineshaft_id", "=", job]], "product.code", "quantity", "state", "outputs.quantity"
        )
        return [
            Work(each["product"]["code"], each["quantity"], self.STATES.get(each["state"], each["state"]))
            for each in found
        ]

    def everything(self) -> list[str]:
        found = self._people.find("production", [["lineshaft_id", "!=", None]], "lineshaft_id")
        return [each["lineshaft_id"] for each in found]

    def report(self, job: str, good: float, scrap: float) -> None:
        self._people.start(self._people.production(job)["id"])
        works = self._people.production(job)["works"]
        for work in works:
            self._people.report(work["id"], good, scrap if work is works[-1] else 0)

    def finish(self, job: str) -> None:
        self._people.press("production", self._people.production(job)["id"], "do")
