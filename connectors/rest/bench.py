"""The declared connector under the conformance suite: the shop, its people, and its API as its declaration has it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from connectors.errors import (
    AuthError,
    ConfigError,
    Conflict,
    DataError,
    FarError,
    Throttled,
    TransientError,
    UnknownOutcome,
)
from connectors.rest import connector
from connectors.testing.abilities import During, Misconfiguration, Trouble
from connectors.testing.bench import Facts, Held, Rate
from connectors.testing.running import RunningStandIn
from schemas.document import Document, Fields, Value

PAGE = 10
CALLS_A_SECOND = 60
PUT: Fields = {"method": "PUT"}
USUAL = {"poll_interval_s": Decimal("0.05"), "overlap_s": 2, "timeout_s": 3, "requests_per_second": CALLS_A_SECOND}


def _fault(kind: str, match: Fields, **arguments: Value) -> Sequence[Fields]:
    return ({"kind": kind, "times": 20, "match": match, "arguments": arguments},)


def _refused(
    status: int, error: type[FarError], during: Iterable[During], wish_s: int | None = None
) -> list[Trouble]:
    """One status of docs/rest.md, on the calls that it can meet."""
    wish: Fields = {} if wish_s is None else {"retry_after": wish_s}
    found = []
    for each in during:
        match = PUT if each == "write" else {}
        script = _fault("refuse", match, status=status, code="as_scripted", **wish)
        found.append(Trouble(f"HTTP {status}", "errors", each, error, script, retry_after_s=wish_s))
    return found


class RestBench:
    """One shop, whose orders are read in one of its ways of paging."""

    connector = connector
    facts = Facts(
        text_field="note",
        date_field="due",
        instant_field="placedAt",
        page_size=PAGE,
        sink_text_field="note",
        sink_date_field="expected",
        rate=Rate(CALLS_A_SECOND),
        quiet_s=0.15,
        call_timeout_s=3.0,
        hurry={"timeout_s": 1},
    )
    troubles: Sequence[Trouble] = (
        *_refused(429, Throttled, ("open source", "open sink", "poll", "write"), 7),
        *_refused(401, AuthError, ("open source", "open sink", "poll", "write")),
        *_refused(403, AuthError, ("open source", "write")),
        *_refused(503, TransientError, ("open source", "poll", "write")),
        *_refused(409, Conflict, ("write",)),
        *_refused(412, Conflict, ("write",)),
        *_refused(423, Conflict, ("write",)),
        *_refused(422, DataError, ("write",)),
        *_refused(404, DataError, ("write",)),
        *_refused(404, ConfigError, ("poll",)),
        *_refused(500, UnknownOutcome, ("write",)),
        *_refused(500, TransientError, ("poll",)),
        Trouble("a page for people", "errors", "write", UnknownOutcome, _fault("page", PUT, status=502)),
        Trouble("a page for people", "errors", "poll", TransientError, _fault("page", {}, status=200)),
        Trouble("a broken connection", "errors", "write", UnknownOutcome, _fault("drop_connection", PUT)),
    )

    def __init__(self, folder: Path, style: str = "keyset") -> None:
        self._folder, self._style = folder, style
        self._far = RunningStandIn(connector, folder, **USUAL)

    def start(self) -> None:
        """See `Bench.start`."""
        self._far.start()
        self._far.control("page_size", {"size": PAGE})

    def stop(self) -> None:
        """See `Bench.stop`."""
        self._far.stop()

    def settings(self, **changes: object) -> Fields:
        """See `Bench.settings`: the shop's own declaration."""
        file = self._folder / "secret-client"
        file.write_text(str(self._far.stand_in.person["client_secret"]))
        login = self._far.stand_in.config["login"]
        assert isinstance(login, Mapping)
        lists = self._far.stand_in.person["lists"]
        assert isinstance(lists, Mapping)
        ours = {"login": {**login, "client_secret": f"${{file:{file}}}"}, "reads": {"Order": lists[self._style]}}
        return self._far.settings(**{**ours, **changes})

    @property
    def misconfigurations(self) -> Sequence[Misconfiguration]:
        """See `MisconfiguredBench`: a base address without the API's path."""
        return [
            Misconfiguration({"probe": "/nowhere"}, "probe"),
            Misconfiguration({"probe": "/nowhere"}, "probe", "open sink"),
        ]

    def secrets(self) -> Collection[str]:
        """See `Bench.secrets`: those of the shop, and the tokens it gave."""
        given = self._far.control("tokens", method="GET")["tokens"]
        tokens = [str(each) for each in given] if isinstance(given, list) else []
        return [*(str(self._far.stand_in.person[name]) for name in ("client_secret", "password", "api_key")), *tokens]

    # ── people ──

    def make(self, values: Fields) -> str:
        """See `SourceBench.make`: an order that a clerk enters."""
        return str(self._far.control("person/order", {"number": "S-1", **values})["id"])

    def change(self, document_id: str, values: Fields) -> None:
        """See `SourceBench.change`."""
        self._far.control(f"person/order/{document_id}", values)

    def delete(self, document_id: str) -> None:
        """See `SourceBench.delete`."""
        self._far.control(f"person/order/{document_id}", {"deleted": True})

    def lose_cursor(self) -> None:
        """See `ForgettingBench`: only a delta has one."""
        self._far.control("forget_deltas", {})

    def move_clock(self, seconds: int) -> None:
        """See `ClockBench`."""
        self._far.control("clock", {"offset_s": seconds})

    # ── what the bus writes ──

    def document(self, number: int, version: int, values: Fields) -> Document:
        """See `SinkBench.document`."""
        usual: Fields = {"state": "released", "percent": 5, "expected": "2026-06-01", "note": "as planned"}
        return Document("Status", f"crm:{number}", "", {**usual, **values, "version": f"{version:020d}"})

    def unwritable(self, number: int) -> Document:
        """See `RefusingBench`: the shop takes no negative quantity."""
        return self.document(number, 1, {"quantity": -1})

    def held(self, document_id: str) -> Sequence[Held]:
        """See `SinkBench.held`."""
        found = self._far.control(f"person/statuses/{document_id}", method="GET")
        values = {name: found.get(name) for name in ("note", "expected")}
        return [Held(int(str(found["version"])), values)] if found else []

    def lock(self, document_id: str) -> None:
        """See `LockingBench`."""
        self._far.fault("refuse", match={"path": f"/api/statuses/{document_id}", "method": "PUT"}, status=423)

    def swallow_answer(self) -> None:
        """See `SwallowingBench`."""
        self._far.fault("store_then_hang", match={"method": "PUT"})

    def silence(self) -> None:
        """See `SilentBench`."""
        self._far.fault("hang", times=1000)

    def speak(self) -> None:
        """See `SilentBench`."""
        self._far.mend()

    def calls(self) -> Sequence[float]:
        """See `CountingBench`."""
        api = [each for each in self._far.entries("request") if str(each["path"]).startswith("/api/")]
        return [int(str(each["at_us"])) / 1e6 for each in api]

    def cause(self, trouble: Trouble) -> None:
        """See `TroubledBench.cause`."""
        self._far.script(trouble.script)

    def mend(self) -> None:
        """See `TroubledBench.mend`."""
        self._far.mend()
