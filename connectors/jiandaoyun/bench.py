"""JianDaoYun under the conformance suite: the stand-in, a person at the form, and the data push."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Literal

from connectors.contract import Request
from connectors.jiandaoyun import connector
from connectors.jiandaoyun.troubles import TROUBLES
from connectors.testing.abilities import Misconfiguration, Sample, Trouble
from connectors.testing.bench import Facts, Held, Rate
from connectors.testing.receiver import Receiver
from connectors.testing.running import RunningStandIn
from connectors.testing.samples import samples_in
from schemas.document import Document, Fields, Value

DATA = "/v5/app/entry/data"
COMPANY_ZONE = timezone(timedelta(hours=8))
PUSH_PATIENCE_S = 20.0

FACTS = Facts(
    text_field="item",
    date_field="due",
    page_size=100,
    deletions="watched",
    sink_text_field="item",
    sink_date_field="due",
    version_guard="sink",
    rate=Rate(10),  # of batch_create, contract section 2
    quiet_s=0.15,
    call_timeout_s=5.0,
    hurry={"timeout_s": 1},
)


class JianDaoYunBench:
    """One company's form of work orders."""

    connector = connector
    facts = FACTS
    troubles = TROUBLES
    misconfigurations = (
        Misconfiguration({"app_id": "another"}, "app_id"),
        Misconfiguration({"entry_id": "another"}, "entry_id"),
        Misconfiguration({"entry_id": "another"}, "entry_id", "open sink"),
    )

    def __init__(self, folder: Path) -> None:
        self._far = RunningStandIn(connector, folder, sweep_interval_s=Decimal("0.05"), timeout_s=5)
        self._receiver = Receiver()

    def start(self) -> None:
        """See `Bench.start`. The bench's own calls would use up the company's limits, so nobody is refused."""
        self._far.start()
        self._far.control("limits", {"enforced": False})
        self._far.control("push", {"url": self._receiver.start()})

    def stop(self) -> None:
        """See `Bench.stop`."""
        self._far.stop()
        self._receiver.stop()

    def settings(self, **changes: object) -> Fields:
        """See `Bench.settings`."""
        return self._far.settings(**changes)

    def secrets(self) -> Collection[str]:
        """There are no others than those of the settings."""
        return ()

    # ── people ──

    def make(self, values: Fields) -> str:
        """See `SourceBench.make`: a work order that a planner enters."""
        usual: Fields = {"job_order_id": f"hand-{time.time_ns()}", "item": "P-1", "quantity": 5, "state": "released"}
        return str(_record(self._far.control("person/create", {"data": {**usual, **_entered(values)}}))["_id"])

    def change(self, document_id: str, values: Fields) -> None:
        """See `SourceBench.change`."""
        self._far.control("person/update", {"data_id": document_id, "data": _entered(values)})

    def delete(self, document_id: str) -> None:
        """See `SourceBench.delete`."""
        self._far.control("person/delete", {"data_id": document_id})

    def move_clock(self, seconds: int) -> None:
        """See `ClockBench.move_clock`."""
        self._far.control("clock", {"offset_s": seconds})

    # ── push ──

    def pushed(self) -> Sequence[Request]:
        """See `WebhookBench.pushed`."""
        deadline = time.monotonic() + PUSH_PATIENCE_S
        while self._far.control("push", method="GET")["waiting"]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the stand-in still held pushes back after {PUSH_PATIENCE_S:.0f} s")
            time.sleep(0.01)
        return self._receiver.taken()

    def spoil_notices(self, how: Literal["duplicated", "reordered", "lost"]) -> bool:
        """See `NotifyingBench`: of pushes; a sweep has no notices."""
        faults = {"duplicated": "duplicate_webhook", "reordered": "reordered_webhook", "lost": "lost_webhook"}
        self._far.fault(faults[how])
        return True

    # ── work orders of the bus ──

    def document(self, number: int, version: int, values: Fields) -> Document:
        """See `SinkBench.document`."""
        fields: Fields = {
            "bus_version": f"{version:020d}",
            "item": "P-1",
            "quantity": Decimal(5),
            "unit": "pcs",
            "due": "2026-06-01",
            "priority": "normal",
            "state": "released",
            **values,
        }
        return Document("work_order", f"crm:{number}/1", f"{version:020d}", fields)

    def unwritable(self, number: int) -> Document:
        """See `RefusingBench`: the form requires an item."""
        return self.document(number, 1, {"item": ""})

    def held(self, document_id: str) -> Sequence[Held]:
        """See `SinkBench.held`."""
        condition = {"field": "job_order_id", "type": "text", "method": "eq", "value": [document_id]}
        answer = self._api("data/list", {"filter": {"rel": "and", "cond": [condition]}, "limit": 100})[1]
        records = answer.get("data") if isinstance(answer, Mapping) else None
        return [_held(each) for each in records] if isinstance(records, list) else []

    def lock(self, document_id: str) -> None:
        """See `LockingBench`."""
        self._far.fault("lock", match={"job_order_id": document_id})

    def swallow_answer(self) -> None:
        """See `SwallowingBench`."""
        self._far.fault("store_then_hang")

    def silence(self) -> None:
        """See `SilentBench`."""
        self._far.fault("hang", times=1000)

    def speak(self) -> None:
        """See `SilentBench`."""
        self._far.mend()

    def calls(self) -> Sequence[float]:
        """See `CountingBench`: the creations, which have the lowest limit."""
        made = [each for each in self._far.entries("request") if str(each["path"]).endswith("/batch_create")]
        return [int(str(each["at_us"])) / 1e6 for each in made]

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
        return samples_in("connectors.jiandaoyun", "samples.yaml")

    def exchange(self, sample: Sample) -> tuple[int, object]:
        """See `SampledBench.exchange`."""
        return self._api(sample.path, dict(sample.body or {}), sample.headers, sample.method)

    def _api(
        self, path: str, body: Fields, headers: Mapping[str, str] | None = None, method: str = "POST"
    ) -> tuple[int, object]:
        config = self._far.stand_in.config
        whole = {"app_id": config["app_id"], "entry_id": config["entry_id"], **body}
        sent = {"Authorization": f"Bearer {config['api_key']}", "Content-Type": "application/json", **(headers or {})}
        return self._far.exchange(method, f"{config['base_url']}/v5/app/entry/{path}", whole, sent)


def _record(answer: Fields) -> Fields:
    record = answer.get("data")
    return record if isinstance(record, dict) else {}


def _entered(values: Fields) -> Fields:
    """Values as the browser sends them: a day is its midnight on the company's clock."""
    return {name: f"{value}T00:00:00+08:00" if name == "due" else value for name, value in values.items()}


def _held(record: Fields) -> Held:
    return Held(int(str(record["bus_version"])), {"item": record["item"], "due": _day(record["due"])})


def _day(value: Value) -> Value:
    """The day that the form shows."""
    return None if value is None else datetime.fromisoformat(str(value)).astimezone(COMPANY_ZONE).date().isoformat()
