"""Salesforce as the shop: its stand-in, and a salesperson who places orders over the public REST API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import cast

import httpx

from deploy.demo import salesforce_books
from deploy.demo.compare import Json, Made, ShopBooks, Table, job_order_id
from deploy.demo.log import WorkOrder
from deploy.demo.login import Login, trust
from deploy.demo.reference import item_code
from deploy.demo.stand_ins import StandInProcess, start_stand_in

VERSION = "/services/data/v62.0"
UNIT = "Each"
CUSTOMER = "Acme Tools"
DELIVERY = timedelta(days=30)
ROWS_PER_CALL = 200


class SalesforceShop:
    """The stand-in, and one salesperson."""

    name, unit = salesforce_books.NAME, UNIT

    def __init__(self, stand_in: StandInProcess) -> None:
        self.stand_in = stand_in
        self._person = Salesperson(stand_in.login)

    @classmethod
    def opened(cls, folder: Path) -> SalesforceShop:
        """Start the stand-in. Raises StandInFailed."""
        return cls(start_stand_in("salesforce", folder, folder / "stand-in.log"))

    @property
    def entry(self) -> Mapping[str, Json]:
        """See `Side`."""
        return self.stand_in.entry

    @property
    def addresses(self) -> Mapping[str, str]:
        """See `Side`."""
        return {self.name: self.stand_in.login.values["address"], f"{self.name}, control": self.stand_in.control}

    def prepare(self, orders: Sequence[WorkOrder]) -> None:
        """See `Side`."""
        self._person.prepare(orders)

    def place(self, order: WorkOrder) -> str:
        """See `Shop`."""
        return self._person.place(order)

    def told(self) -> Mapping[str, Made]:
        """See `Shop`."""
        return salesforce_books.told(self.stand_in.login)

    def books(self) -> ShopBooks:
        """See `Shop`."""
        return salesforce_books.read(self.stand_in.login)

    def close(self) -> None:
        """See `Side`."""
        self._person.close()
        self.stand_in.stop()


class Salesperson:
    """One login, one product catalogue, one order after the other."""

    def __init__(self, login: Login) -> None:
        self._client = httpx.Client(verify=trust(login.ca_file), timeout=60.0)
        self._base = salesforce_books.signed_in(self._client, login)
        self._products: dict[str, str] = {}
        self._account = ""

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def prepare(self, orders: Sequence[WorkOrder]) -> None:
        """Create the customer and a product for every part."""
        self._account = str(self._post("sobjects/Account", {"Name": CUSTOMER})["id"])
        parts = sorted({order.part for order in orders})
        for start in range(0, len(parts), ROWS_PER_CALL):
            some = parts[start : start + ROWS_PER_CALL]
            made = self._create_all("Product2", [{"Name": part, "ProductCode": item_code(part)} for part in some])
            self._products |= dict(zip(some, made, strict=True))

    def place(self, order: WorkOrder) -> str:
        """Place one order: a draft with its line, then activated. Returns the job order id that it must get."""
        wished = (order.rows[-1].end + DELIVERY).date().isoformat()
        header: Table = {
            "AccountId": self._account,
            "Status": "Draft",
            "EffectiveDate": order.rows[0].start.date().isoformat(),
            "Work_Order__c": order.number,
            "Requested_Delivery__c": wished,
            "Priority__c": "Normal",
        }
        line: Table = {
            "OrderId": "@{order.id}",
            "Product2Id": self._products[order.part],
            "Quantity": order.ordered,
            "UnitPrice": 1,
            "Unit__c": UNIT,
        }
        answers = self._composite(
            [
                ("order", "POST", "sobjects/Order", header),
                ("line", "POST", "sobjects/OrderItem", line),
                ("active", "PATCH", "sobjects/Order/@{order.id}", {"Status": "Activated"}),
                ("read", "GET", "sobjects/Order/@{order.id}", None),
            ]
        )
        return job_order_id(str(answers["read"]["OrderNumber"]), str(answers["line"]["id"]))

    def _post(self, path: str, body: Mapping[str, Json]) -> Table:
        answer = self._client.post(f"{self._base}{VERSION}/{path}", json=body)
        return cast("Table", _good(answer).json())

    def _create_all(self, kind: str, records: Sequence[Table]) -> list[str]:
        rows: list[Json] = [{"attributes": {"type": kind}, **record} for record in records]
        answer = _good(
            self._client.post(f"{self._base}{VERSION}/composite/sobjects", json={"allOrNone": True, "records": rows})
        ).json()
        failed = [row for row in answer if not row["success"]]
        if failed:
            raise RuntimeError(f"Salesforce refused {len(failed)} {kind}: {failed[0]}")
        return [str(row["id"]) for row in answer]

    def _composite(self, parts: Sequence[tuple[str, str, str, Table | None]]) -> dict[str, Table]:
        requests = [
            {"method": method, "url": f"{VERSION}/{path}", "referenceId": name, **({"body": body} if body else {})}
            for name, method, path, body in parts
        ]
        answer = self._post("composite", cast("Table", {"allOrNone": True, "compositeRequest": requests}))
        found: dict[str, Table] = {}
        for part in cast("list[Table]", answer["compositeResponse"]):
            if cast("int", part["httpStatusCode"]) >= httpx.codes.BAD_REQUEST:
                raise RuntimeError(f"Salesforce refused {part['referenceId']}: {part['body']}")
            found[str(part["referenceId"])] = cast("Table", part["body"] or {})
        return found


def _good(answer: httpx.Response) -> httpx.Response:
    if answer.is_error:
        raise RuntimeError(
            f"Salesforce refused {answer.request.url.path}: HTTP {answer.status_code} {answer.text[:500]}"
        )
    return answer
