"""The benches of `tryton-crm` and `tryton-mes`: the real server, a gateway before it, and its people."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from connectors.contract import Connector
from connectors.errors import AuthError, DataError, FarError, Throttled, TransientError, UnknownOutcome
from connectors.registry import load
from connectors.testing.abilities import During, Misconfiguration, Trouble
from connectors.testing.bench import Facts, Held
from deploy.tryton_server.gateway import Gateway
from deploy.tryton_server.making import Making
from deploy.tryton_server.people import Company
from deploy.tryton_server.selling import Selling
from deploy.tryton_server.server import TrytonServer
from schemas.document import Document, Fields, from_json

DATABASE = "bench"
PATIENCE_S = 30.0
QUIET_S = 0.15
PAGE_SIZE = 20
HURRY_S = 1.0
POLL_S = 0.05
OVERLAP_S = 5
ELSEWHERE = 999
LOGIN_WAIT_S = 60.0

ANSWERS: Sequence[tuple[int, type[FarError], During, float | None]] = (
    (403, AuthError, "open source", None),
    (429, Throttled, "open source", LOGIN_WAIT_S),
    (500, TransientError, "open source", None),
    (502, TransientError, "open source", None),
    (503, TransientError, "open source", None),
    (504, TransientError, "poll", None),
    (400, DataError, "write", None),
    (413, DataError, "write", None),
    (429, Throttled, "write", LOGIN_WAIT_S),
    (500, DataError, "write", None),
    (502, UnknownOutcome, "write", None),
    (503, TransientError, "write", None),
    (504, UnknownOutcome, "write", None),
)
TROUBLES = tuple(
    Trouble(f"HTTP {status}", "9", during, error, ({"status": status},), retry_after_s=wait)
    for status, error, during, wait in ANSWERS
)

MISCONFIGURATIONS = (
    Misconfiguration({"database": "nowhere"}, "database"),
    Misconfiguration({"database": "nowhere"}, "database", "open sink"),
    Misconfiguration({"company": ELSEWHERE}, "company"),
    Misconfiguration({"company": ELSEWHERE}, "company", "open sink"),
)


@dataclass(frozen=True)
class Running:
    """What there is while the server runs."""

    gateway: Gateway
    company: Company


def crm_bench(folder: Path) -> TrytonBench:
    """The bench of `tryton-crm`."""
    return TrytonBench(folder, load("tryton-crm"), Selling())


def mes_bench(folder: Path) -> TrytonBench:
    """The bench of `tryton-mes`."""
    return TrytonBench(folder, load("tryton-mes"), Making())


class TrytonBench:
    """One real server with one company; what its people do and what it holds is the trade's: selling or making."""

    def __init__(self, folder: Path, connector: Connector, trade: Selling | Making) -> None:
        self._folder, self._connector, self._trade = folder, connector, trade
        self._server = TrytonServer(folder, DATABASE, patient=True)
        self._running: Running | None = None

    @property
    def connector(self) -> Connector:
        """See `Bench`."""
        return self._connector

    @property
    def facts(self) -> Facts:
        """See `Bench`."""
        facts = self._trade.FACTS
        hurry = {"timeout_s": HURRY_S}
        return replace(facts, patience_s=PATIENCE_S, quiet_s=QUIET_S, page_size=PAGE_SIZE, hurry=hurry)

    def start(self) -> None:
        """See `Bench`."""
        self._server.start()
        company = Company.of(self._server, DATABASE)
        gateway = Gateway(self._folder / "gateway", self._server.url)
        gateway.start()
        self._running = Running(gateway, company)

    def stop(self) -> None:
        """See `Bench`."""
        if self._running is not None:
            self._running.gateway.stop()
            self._running.company.close()
        self._server.stop()
        self._running = None

    def settings(self, **changes: object) -> Fields:
        """See `Bench`."""
        values: dict[str, object] = {
            "url": self._now.gateway.url,
            "database": DATABASE,
            "company": self._server.facts["company"],
            "key": self._kept("key", self._server.key),
            "ca_file": str(self._now.gateway.ca_file),
            "timeout_s": self.facts.call_timeout_s,
            "page_size": PAGE_SIZE,
            "poll_interval_s": POLL_S,
            "overlap_s": OVERLAP_S,
            **changes,
        }
        given = json.dumps({name: each for name, each in values.items() if each is not None})
        return cast("Fields", from_json(given))

    def secrets(self) -> Collection[str]:
        """See `Bench`: there are none but the key."""
        return [self._server.key]

    def make(self, values: Fields) -> str:
        """See `SourceBench`."""
        return str(self._trade.make(self._now.company, values))

    def change(self, document_id: str, values: Fields) -> None:
        """See `SourceBench`."""
        self._trade.change(self._now.company, int(document_id), values)

    def delete(self, document_id: str) -> None:
        """See `SourceBench`."""
        self._trade.delete(self._now.company, int(document_id))

    def document(self, number: int, version: int, values: Fields) -> Document:
        """See `SinkBench`."""
        return self._trade.document(self._now.company, number, version, values)

    def held(self, document_id: str) -> Sequence[Held]:
        """See `SinkBench`."""
        return self._trade.held(self._now.company, document_id)

    def unwritable(self, number: int) -> Document:
        """See `RefusingBench`."""
        return self._trade.unwritable(self._now.company, number)

    @property
    def misconfigurations(self) -> Sequence[Misconfiguration]:
        """See `MisconfiguredBench`."""
        return MISCONFIGURATIONS

    @property
    def troubles(self) -> Sequence[Trouble]:
        """See `TroubledBench`."""
        wrong = {"key": self._kept("wrong-key", "0" * len(self._server.key))}
        return [
            Trouble("a wrong key", "2", "open source", AuthError, settings=wrong),
            Trouble("a wrong key", "2", "open sink", AuthError, settings=wrong),
            *TROUBLES,
        ]

    def cause(self, trouble: Trouble) -> None:
        """See `TroubledBench`: but for a wrong key these are errors that a gateway or a busy server gives."""
        for each in trouble.script:
            self._now.gateway.answers_itself = int(str(each["status"]))

    def mend(self) -> None:
        """See `TroubledBench`."""
        self._now.gateway.answers_itself = None

    def swallow_answer(self) -> None:
        """See `SwallowingBench`."""
        self._now.gateway.swallows_next = True

    def silence(self) -> None:
        """See `SilentBench`."""
        self._now.gateway.fall_silent()

    def speak(self) -> None:
        """See `SilentBench`."""
        self._now.gateway.speak()

    def _kept(self, name: str, secret: str) -> str:
        """A reference to a file that holds the secret."""
        file = self._folder / name
        file.write_text(secret)
        return f"${{file:{file}}}"

    @property
    def _now(self) -> Running:
        if self._running is None:
            raise RuntimeError("the Tryton server of this bench is not running")
        return self._running
