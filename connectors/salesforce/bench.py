"""A Salesforce org under the conformance suite: the stand-in, a person at its screens, and what the org holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from connectors.salesforce import connector
from connectors.salesforce.troubles import TROUBLES
from connectors.testing.abilities import Misconfiguration, Sample, Trouble
from connectors.testing.bench import Facts, Held
from connectors.testing.running import RunningStandIn
from connectors.testing.samples import samples_in
from schemas.document import Document, Fields, Value

STATUS = "MES_Status__c"
DATA = "/services/data/v62.0"

HELD = f"SELECT Bus_Version__c, Reason__c, Forecast_Date__c FROM {STATUS} WHERE MES_Key__c = '{{}}'"  # noqa: S608

FACTS = Facts(
    text_field="Work_Order__c",
    date_field="Requested_Delivery__c",
    longest_text=80,
    trims_text=True,
    page_size=200,
    sink_text_field="Reason__c",
    sink_longest_text=255,
    sink_date_field="Forecast_Date__c",
    batch_size=200,
    quiet_s=0.2,
    call_timeout_s=5.0,
    hurry={"timeout_s": 1},
    does_not_apply={
        "empty-polls-move-the-position": "the stand-in's log grows by events of orders alone; its keep-alives are "
        "held to this by test_a_keep_alive_moves_the_position_without_documents",
    },
)


class SalesforceBench:
    """One org with one account and one product."""

    connector = connector
    facts = FACTS
    troubles = TROUBLES
    misconfigurations = (
        Misconfiguration(
            {"order_fields": ["Id", "OrderNumber", "SystemModstamp", "IsDeleted", "Nope__c"]}, "order_fields"
        ),
        Misconfiguration({"topics": ["/data/NopeChangeEvent"]}, "topics"),
        Misconfiguration({"status_object": "Nope__c"}, "status_object", "open sink"),
        Misconfiguration({"status_external_id": "Nope__c"}, "status_external_id", "open sink"),
    )

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._far = RunningStandIn(connector, folder, timeout_s=5)
        self._known: dict[str, str] = {}

    def start(self) -> None:
        """See `Bench.start`."""
        self._far.start()
        self._far.control("settings", {"keep_alive_s": Decimal("0.05")})
        if not self._known:
            self._known["account"] = self._made("Account", {"Name": "Acme"})
            self._known["product"] = self._made("Product2", {"Name": "Pump", "ProductCode": "P-100"})

    def stop(self) -> None:
        """See `Bench.stop`."""
        self._far.stop()

    def settings(self, **changes: object) -> Fields:
        """See `Bench.settings`."""
        return self._far.settings(**changes)

    def secrets(self) -> Collection[str]:
        """The tokens of every session that was opened; the stand-in keeps them."""
        with closing(sqlite3.connect(self._folder / "org.sqlite")) as store:
            return {token for (token,) in store.execute("SELECT id FROM records WHERE kind = 'sessions'")}

    # ── people ──

    def make(self, values: Fields) -> str:
        """See `SourceBench.make`: an order with one line."""
        usual = {"AccountId": self._known["account"], "EffectiveDate": "2026-05-01"}
        order = self._made("Order", {**usual, **values})
        self._made("OrderItem", {"OrderId": order, "Product2Id": self._known["product"], "Quantity": 10})
        return order

    def change(self, document_id: str, values: Fields) -> None:
        """See `SourceBench.change`."""
        self._far.control(f"person/Order/{document_id}", values)

    def delete(self, document_id: str) -> None:
        """See `SourceBench.delete`."""
        self._far.control(f"person/Order/{document_id}", method="DELETE")

    def move_clock(self, seconds: int) -> None:
        """See `ClockBench.move_clock`."""
        self._far.control("clock", {"offset_s": seconds})

    def lose_cursor(self) -> None:
        """See `ForgettingBench`: the next replay id of each topic is refused."""
        self._far.fault("lost_cursor", times=2)

    def spoil_notices(self, how: Literal["duplicated", "reordered", "lost"]) -> bool:
        """See `NotifyingBench`: the org keeps the order of its events; lost ones are told as an overflow."""
        if how == "reordered":
            return False
        self._far.fault("duplicate_events" if how == "duplicated" else "overflow")
        return True

    # ── production status of the bus ──

    def document(self, number: int, version: int, values: Fields) -> Document:
        """See `SinkBench.document`."""
        fields: Fields = {
            "Order_Number__c": f"{number:08d}",
            "State__c": "running",
            "Percent__c": Decimal("12.5"),
            "Forecast_Date__c": "2026-06-01",
            "Late__c": False,
            "Reason__c": None,
            "Bus_Version__c": f"{version:020d}",
            **values,
        }
        return Document(STATUS, f"crm:{number:08d}", f"{version:020d}", fields)

    def unwritable(self, number: int) -> Document:
        """See `RefusingBench`: a number that is longer than its field."""
        return self.document(number, 1, {"Order_Number__c": "9" * 81})

    def held(self, document_id: str) -> Sequence[Held]:
        """See `SinkBench.held`."""
        answer = self._api("GET", f"query?q={quote(HELD.format(document_id))}")[1]
        records = answer.get("records") if isinstance(answer, Mapping) else None
        return [_held(each) for each in records] if isinstance(records, list) else []

    def lock(self, document_id: str) -> None:
        """See `LockingBench`."""
        self._far.fault("row_lock", match={"object": STATUS, "key": document_id})

    def swallow_answer(self) -> None:
        """See `SwallowingBench`."""
        self._far.fault("store_then_hang", match={"method": "PATCH"})

    def silence(self) -> None:
        """See `SilentBench`."""
        self._far.fault("hang", times=1000)

    def speak(self) -> None:
        """See `SilentBench`."""
        self._far.mend()

    # ── troubles and samples ──

    def cause(self, trouble: Trouble) -> None:
        """See `TroubledBench.cause`."""
        self._far.script(trouble.script)

    def mend(self) -> None:
        """See `TroubledBench.mend`."""
        self._far.mend()

    @cached_property
    def samples(self) -> Sequence[Sample]:
        """See `SampledBench.samples`."""
        return samples_in("connectors.salesforce", "samples.yaml")

    def exchange(self, sample: Sample) -> tuple[int, object]:
        """See `SampledBench.exchange`."""
        return self._api(sample.method, sample.path, sample.body, sample.headers)

    def _made(self, entity: str, values: Fields) -> str:
        return str(self._far.control(f"person/{entity}", values)["Id"])

    def _api(
        self, method: str, path: str, body: Fields | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, object]:
        address = str(self._far.stand_in.config["login_url"])
        sent = {
            "Authorization": f"Bearer {self._token(address)}",
            "Content-Type": "application/json",
            **(headers or {}),
        }
        url = f"{address}{path}" if path.startswith("/") else f"{address}{DATA}/{path}"
        return self._far.exchange(method, url, body, sent)

    def _token(self, address: str) -> str:
        """A session of the bench's own, opened once as a script of the company opens one."""
        if "token" not in self._known:
            person = self._far.stand_in.person
            pair = (str(person["consumer_key"]), str(person["client_secret"]))
            form = {"grant_type": "client_credentials"}
            answer = self._far.http.post(f"{address}/services/oauth2/token", data=form, auth=pair)
            self._known["token"] = str(answer.json()["access_token"])
        return self._known["token"]


def _held(record: Mapping[str, Value]) -> Held:
    values = {name: record[name] for name in ("Reason__c", "Forecast_Date__c")}
    return Held(int(str(record["Bus_Version__c"])), values)
