"""People at work in a real Tryton server, by its public REST protocol; shares no code with the connectors."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from deploy.tryton_server import TrytonServer

Json = Any
TRIES = 5
PART_GONE = "that don't exist"


def coded(value: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@dataclass
class People:
    """Everybody of one company: sellers, planners, workers, inspectors."""

    server: TrytonServer
    database: str
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.company = int(self.facts["company"])
        headers = {
            "Authorization": f"Bearer {self.server.key}",
            "X-Tryton-Context": coded({"company": self.company}),
        }
        base = f"{self.server.url}/{self.database}/rest/model/"
        self.http = httpx.Client(base_url=base, headers=headers, timeout=60.0, trust_env=False)

    @property
    def facts(self) -> Json:
        return self.server.facts

    def config(self, **more: Json) -> dict[str, Json]:
        """The connector's configuration for this company; the key is named as a variable of the environment."""
        return {
            "url": self.server.url,
            "database": self.database,
            "company": self.company,
            "key": "${env:TRYTON_KEY}",
            "poll_interval_s": 0.1,
            **more,
        }

    def answer(self, method: str, path: str, **more: Json) -> Json:
        answer = self.http.request(method, path, **more)
        assert answer.is_success, (answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def find(self, model: str, domain: Sequence[Json], *fields: str) -> list[Json]:
        """Asked again where SQLite, which shows a read no snapshot, met a part that was deleted in between."""
        query: list[tuple[str, Json]] = [
            ("d", coded(list(domain))),
            ("o", coded([["id", "ASC"]])),
            *(("f", each) for each in fields),
        ]
        answer = self.http.get(model, params=query)
        for _ in range(TRIES):
            if PART_GONE in answer.text:
                answer = self.http.get(model, params=query)
        assert answer.is_success, (answer.status_code, answer.text)
        found: list[Json] = answer.json()
        return found

    def create(self, model: str, **values: Json) -> int:
        return int(self.answer("POST", model, json=values)["id"])

    def write(self, model: str, record: int, **values: Json) -> None:
        self.answer("PUT", f"{model}/{record}", json=values)

    def delete(self, model: str, record: int) -> None:
        self.answer("DELETE", f"{model}/{record}")

    def press(self, model: str, record: int, *buttons: str) -> None:
        """Press buttons one after the other."""
        for button in buttons:
            self.answer("POST", f"{model}/{record}/{button}", json={})

    # selling

    def line(self, code: str = "P-100", quantity: float = 5) -> dict[str, Json]:
        price = {"__class__": "Decimal", "decimal": "10.00"}
        product, unit = self.facts["products"][code], self.facts["unit"]
        return {"product": product, "quantity": quantity, "unit": unit, "unit_price": price}

    def draft(self, *lines: dict[str, Json], customer: str = "Acme", **values: Json) -> int:
        who = self.facts["customers"][customer]
        address = {"invoice_address": who["address"], "shipment_address": who["address"]}
        made = list(lines or [self.line()])
        return self.create("sale.sale", party=who["party"], **{**address, **values}, lines=[["create", made]])

    def sell(self, *lines: dict[str, Json], **values: Json) -> int:
        """A sale that is confirmed."""
        sale = self.draft(*lines, **values)
        self.press("sale.sale", sale, "quote", "confirm")
        return sale

    def sale(self, sale: int) -> Json:
        fields = ("number", "state", "reference", "lines.quantity", "last_modified_at")
        return self.find("sale.sale", [["id", "=", sale]], *fields)[0]

    # making

    def production(self, job_order_id: str) -> Json:
        fields = [
            *("number", "state", "quantity", "reference", "planned_date", "product.code", "lineshaft_desired"),
            *("inputs.quantity", "inputs.state", "outputs.quantity", "outputs.state", "works.operation.name"),
            *("works.state", "works.cycles.state", "unit.symbol", "lineshaft_version"),
        ]
        found = self.find("production", [["lineshaft_id", "=", job_order_id]], *fields)
        assert len(found) < 2, f"{len(found)} productions of {job_order_id}"
        return found[0] if found else None

    def start(self, production: int) -> None:
        self.press("production", production, "assign_try", "run")

    def report(self, work: int, good: float, scrap: float = 0, rework: float = 0) -> None:
        """One cycle of work, from start to end."""
        cycle = self.create("production.work.cycle", work=work)
        self.press("production.work.cycle", cycle, "run")
        duration = {"__class__": "timedelta", "seconds": 1800}
        figures = {"lineshaft_good": good, "lineshaft_scrap": scrap, "lineshaft_rework": rework}
        self.write("production.work.cycle", cycle, duration=duration, **figures)
        self.press("production.work.cycle", cycle, "do")
