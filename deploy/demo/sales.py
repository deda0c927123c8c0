"""The salesperson: places each work order of the log as an order in Salesforce, over its public REST API."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event as Flag
from threading import Lock
from typing import cast

import httpx

from deploy.demo.compare import Json, Login, Table, signed_in, trust
from deploy.demo.log import WorkOrder
from deploy.demo.reference import CRM, CRM_UNIT, item_code
from deploy.demo.timetable import Timetable

VERSION = "/services/data/v62.0"
CUSTOMER = "Acme Tools"
DELIVERY = timedelta(days=30)
ROWS_PER_CALL = 200


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


class Salesperson:
    """One login, one product catalogue, one order after the other."""

    def __init__(self, login: Login) -> None:
        self._client = httpx.Client(verify=trust(login.ca_file), timeout=60.0)
        self._base = signed_in(self._client, login)
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

    def run(self, orders: Sequence[WorkOrder], times: Timetable, placed: Placed, stop: Flag) -> None:
        """Place every order when its first row is due."""
        for order in orders:
            if stop.wait(max(0.0, times.due(order.rows[0].start) - time.monotonic())):
                return
            placed.add(self.place(order), order.number)

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
            "Unit__c": CRM_UNIT,
        }
        answers = self._composite(
            [
                ("order", "POST", "sobjects/Order", header),
                ("line", "POST", "sobjects/OrderItem", line),
                ("active", "PATCH", "sobjects/Order/@{order.id}", {"Status": "Activated"}),
                ("read", "GET", "sobjects/Order/@{order.id}", None),
            ]
        )
        return f"{CRM}:{answers['read']['OrderNumber']}/{answers['line']['id']}"

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
