"""A shop that pushes and a tool that takes pushes under the conformance suite: the stand-in and its people."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

from connectors.contract import Request
from connectors.testing.abilities import Trouble
from connectors.testing.bench import Facts, Held
from connectors.testing.running import RunningStandIn
from connectors.webhook import connector
from connectors.webhook.troubles import TROUBLES
from schemas.document import Document, Fields

FACTS = Facts(
    text_field="customer",
    date_field="due",
    instant_field="placed_at",
    sink_text_field="note",
    sink_date_field="due",
    batch_size=None,
    call_timeout_s=1.0,
)


class WebhookBench:
    """One stand-in that is both."""

    connector = connector
    facts = FACTS
    troubles = TROUBLES

    def __init__(self, folder: Path) -> None:
        self._far = RunningStandIn(connector, folder, timeout_s=1, requests_per_second=1000)
        self._spoilt = ""

    def start(self) -> None:
        """See `Bench.start`."""
        self._far.start()

    def stop(self) -> None:
        """See `Bench.stop`."""
        self._far.stop()

    def settings(self, **changes: object) -> Fields:
        """See `Bench.settings`."""
        return self._far.settings(**changes)

    def secrets(self) -> Collection[str]:
        """The part of the address that nobody else knows."""
        return {"secret-part"}

    # ── the shop ──

    def make(self, values: Fields) -> str:
        """See `SourceBench.make`."""
        return str(self._far.control("order", {"number": "A-7", **values})["id"])

    def change(self, document_id: str, values: Fields) -> None:
        """See `SourceBench.change`."""
        self._far.control("order", {**values, "id": document_id})

    def delete(self, document_id: str) -> None:
        """See `SourceBench.delete`."""
        self._far.control(f"order/{document_id}", method="DELETE")

    def pushed(self) -> Sequence[Request]:
        """See `WebhookBench.pushed`; spoilt once where a rule asked for it."""
        found = self._far.control("pushes", method="GET")["pushes"]
        requests = [_request(each) for each in found] if isinstance(found, list) else []
        how, self._spoilt = self._spoilt, ""
        if how == "duplicated":
            return [each for each in requests for _ in range(2)]
        return list(reversed(requests)) if how == "reordered" else [] if how == "lost" else requests

    def spoil_notices(self, how: Literal["duplicated", "reordered", "lost"]) -> bool:
        """See `NotifyingBench`. What is lost on the way is lost: nothing asks the shop."""
        if how == "lost":
            return False
        self._spoilt = how
        return True

    # ── the tool ──

    def document(self, number: int, version: int, values: Fields) -> Document:
        """See `SinkBench.document`."""
        return Document("WorkOrder", f"crm:{number:08d}/L1", str(version), {"item": "P-1", "due": None, **values})

    def held(self, document_id: str) -> Sequence[Held]:
        """See `SinkBench.held`."""
        taken = self._far.control(f"taken/{document_id}", method="GET")["taken"]
        if not isinstance(taken, dict):
            return []
        return [Held(int(str(taken["version"])), {"note": taken.get("note"), "due": taken.get("due")})]

    def unwritable(self, number: int) -> Document:
        """See `RefusingBench`: a day that is none."""
        return self.document(number, 1, {"due": "tomorrow"})

    def lock(self, document_id: str) -> None:
        """See `LockingBench`: the flow for this one is switched off for a moment."""
        self._far.fault("status", match={"id": document_id}, status=404)

    def swallow_answer(self) -> None:
        """See `SwallowingBench`."""
        self._far.fault("swallow")

    def silence(self) -> None:
        """See `SilentBench`."""
        self._far.fault("hold", times=1000)

    def speak(self) -> None:
        """See `SilentBench`."""
        self._far.mend()

    def cause(self, trouble: Trouble) -> None:
        """See `TroubledBench.cause`."""
        self._far.script(trouble.script)

    def mend(self) -> None:
        """See `TroubledBench.mend`."""
        self._far.mend()


def _request(pushed: object) -> Request:
    assert isinstance(pushed, dict)
    headers = {str(name).lower(): str(value) for name, value in pushed["headers"].items()}
    return Request("POST", "/webhooks/shop", {}, headers, str(pushed["body"]).encode())
