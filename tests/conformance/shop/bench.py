"""The shop under the suite's hands."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, cast

from connectors.contract import Request
from connectors.errors import AuthError, ConfigError, DataError, Throttled, TransientError, UnknownOutcome
from connectors.testing.abilities import Misconfiguration, Sample, Trouble
from connectors.testing.bench import Facts, Held, Rate
from connectors.testing.running import RunningStandIn
from schemas.document import Document, Fields
from tests.conformance.shop.client import RATE
from tests.conformance.shop.connector import connector
from tests.conformance.shop.far import PAGE

FACTS = Facts(
    text_field="title",
    date_field="due",
    instant_field="at",
    page_size=PAGE,
    ageing_position=True,
    sink_text_field="title",
    sink_date_field="due",
    batch_size=5,
    rate=Rate(RATE),
    patience_s=5,
    quiet_s=0.2,
    call_timeout_s=1.0,
)


def refusal(**arguments: Any) -> Sequence[Fields]:
    return ({"kind": "refuse", "times": 50, "arguments": arguments},)


TROUBLES = (
    Trouble("key", "1", "open source", AuthError, refusal(status=401, code="key")),
    Trouble("key", "1", "open sink", AuthError, refusal(status=401, code="key")),
    Trouble("busy", "2", "poll", Throttled, refusal(status=429, code="busy", retry_after=7), retry_after_s=7),
    Trouble("down", "2", "poll", TransientError, refusal(status=503)),
    Trouble("busy", "2", "write", Throttled, refusal(status=429, code="busy", retry_after=7), retry_after_s=7),
    Trouble("gateway", "2", "write", UnknownOutcome, refusal(status=502)),
    Trouble("locked", "3", "write", TransientError, refusal(status=423, code="locked")),
    Trouble("invalid", "3", "write", DataError, refusal(status=422, code="invalid")),
    Trouble("board", "3", "write", ConfigError, refusal(status=404, code="no_board")),
)
SAMPLES = (
    Sample("4", "a page of records", "GET", "records?after=", 200, answer={"records": [], "shop": "shop-1"}),
    Sample("4", "an order is stored", "PUT", "orders/k1", 200, body={"version": "1", "title": "x", "due": None}),
    Sample(
        "4",
        "it is there",
        "GET",
        "orders?key=k1",
        200,
        answer={"orders": [{"key": "k1"}]},
        keep={"k": "orders.0.key"},
    ),
    Sample("4", "and has a key", "GET", "orders?key=$k", 200, answer={"orders": [{"title": "x"}]}),
)


class ShopBench:
    """Everything that a bench can be asked for."""

    connector = connector
    facts = FACTS
    troubles = TROUBLES
    samples = SAMPLES
    misconfigurations = (
        Misconfiguration({"board": "other"}, "board"),
        Misconfiguration({"board": "other"}, "board", "open sink"),
    )

    def __init__(self, folder: Path) -> None:
        self._far = RunningStandIn(self.connector, folder, timeout_s=Decimal(1), look_every_s=Decimal("0.02"))
        self.start, self.stop, self.settings, self.mend = (
            self._far.start,
            self._far.stop,
            self._far.settings,
            self._far.mend,
        )

    def secrets(self) -> Collection[str]:
        return ()

    def make(self, values: Fields) -> str:
        return str(self._far.control("shop/make", values)["id"])

    def change(self, document_id: str, values: Fields) -> None:
        self._far.control("shop/change", {"id": document_id, **values})

    def delete(self, document_id: str) -> None:
        self._far.control("shop/delete", {"id": document_id})

    def lose_cursor(self) -> None:
        self._far.control("shop/forget", {})

    def move_clock(self, seconds: int) -> None:
        self._far.control("clock", {"offset_s": seconds})

    def spoil_notices(self, how: Literal["duplicated", "reordered", "lost"]) -> bool:
        self._far.fault(how)
        return True

    def pushed(self) -> Sequence[Request]:
        pushes = cast("list[dict[str, str]]", self._far.control("shop/pushes", {})["pushes"])
        return [
            Request("POST", "/webhooks/shop", {}, {"x-shop-signature": each["signature"]}, each["body"].encode())
            for each in pushes
        ]

    def document(self, number: int, version: int, values: Fields) -> Document:
        fields = {"title": f"order {number}", "due": None, **values, "version": f"{version:020d}"}
        return Document("Order", f"shop:{number}/1", str(version), fields)

    def unwritable(self, number: int) -> Document:
        return self.document(number, 1, {"title": "unwritable"})

    def held(self, document_id: str) -> Sequence[Held]:
        orders = cast("list[dict[str, str]]", self._far.control("shop/held", {"key": document_id})["orders"])
        return [Held(int(each["version"]), {name: each[name] for name in ("title", "due")}) for each in orders]

    def lock(self, document_id: str) -> None:
        self._far.fault("refuse", match={"key": document_id}, status=423, code="locked")

    def swallow_answer(self) -> None:
        self._far.fault("store_then_hang", match={"method": "PUT"})

    def silence(self) -> None:
        self._far.fault("hang", times=1000)

    def speak(self) -> None:
        self._far.mend()

    def calls(self) -> Sequence[float]:
        puts = [each for each in self._far.entries("request") if each["method"] == "PUT"]
        return [float(cast("int", each["at_us"])) / 1e6 for each in puts]

    def cause(self, trouble: Trouble) -> None:
        self._far.script(trouble.script)

    def exchange(self, sample: Sample) -> tuple[int, object]:
        config = self._far.stand_in.config
        headers = {"Authorization": f"Bearer {config['api_key']}", "board": "main"}
        return self._far.exchange(sample.method, f"{config['base_url']}/{sample.path}", sample.body, headers)
