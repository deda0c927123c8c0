"""Faults of the far systems: paused, and everything that their stand-ins can be told to do wrong."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.kind import Kind, Strike
from tests.chaos.kinds_roles import ended, send, state_of
from tests.chaos.ledgers import STATUS_PATH
from tests.chaos.world import SYSTEMS, World

STATUS: Mapping[str, Any] = {"method": "PATCH", "path": STATUS_PATH}
READ: Mapping[str, Any] = {"method": "GET", "path": "queryAll"}
FEED: Mapping[str, Any] = {"topic": "/data/OrderChangeEvent"}
MADE: Mapping[str, Any] = {"call": "batch_create"}
CHANGED: Mapping[str, Any] = {"call": "update"}
LISTED: Mapping[str, Any] = {"call": "list"}
REPORTED: Mapping[str, Any] = {"operation": "data_update"}
REFUSED_CODE = 990_017
HELD = frozenset({"hang", "store_then_hang"})


@dataclass(frozen=True)
class Scripted:
    """One fault of a stand-in's script: on which occasions, how often, and what has to be scripted with it.

    `restart` is the role that a person restarts once it is mended, where the vendor's own pause lasts for minutes.
    """

    system: str
    kind: str
    occasions: Sequence[Mapping[str, Any]]
    times: int = 1
    arguments: Mapping[str, Any] = field(default_factory=dict)
    also: Sequence[Mapping[str, Any]] = ()
    restart: str = ""
    explains: Sequence[str] = ()
    patience_s: float = 45.0


ORDER_EVENTS = ({"object": "Order"}, {"object": "OrderItem"})
DROPPED = {"kind": "dropped_stream", "match": FEED}

SCRIPTS: Sequence[Scripted] = (
    Scripted("salesforce", "latency", (STATUS, READ), 2, {"seconds": 2}),
    Scripted("salesforce", "throttle", (STATUS,), restart="sink-crm"),
    Scripted("salesforce", "unavailable", (STATUS, READ), 2),
    Scripted("salesforce", "server_error", (STATUS, READ), 2),
    Scripted("salesforce", "query_timeout", (READ,), 2),
    Scripted("salesforce", "expired_session", (STATUS, READ)),
    Scripted("salesforce", "hang", (STATUS, READ)),
    Scripted("salesforce", "store_then_hang", (STATUS,)),
    Scripted("salesforce", "row_lock", ({"object": "MES_Status__c"},), 3),
    Scripted("salesforce", "duplicate_value", ({"object": "MES_Status__c"},)),
    Scripted("salesforce", "gap", ORDER_EVENTS, 2),
    Scripted("salesforce", "overflow", ORDER_EVENTS),
    Scripted("salesforce", "wildcard", ORDER_EVENTS),
    Scripted("salesforce", "schema_change", ORDER_EVENTS),
    Scripted("salesforce", "dropped_stream", (FEED,), 2),
    Scripted("salesforce", "duplicate_events", (FEED,), 2),
    Scripted("salesforce", "lost_cursor", (FEED,), also=(DROPPED,)),
    Scripted("salesforce", "quota", (FEED,), restart="source"),
    Scripted("jiandaoyun", "latency", (MADE, CHANGED, LISTED), 3, {"seconds": 2}),
    Scripted("jiandaoyun", "hang", (MADE, LISTED)),
    Scripted("jiandaoyun", "drop_connection", (MADE, CHANGED, LISTED), 2),
    Scripted("jiandaoyun", "bad_gateway", (MADE, CHANGED, LISTED), 2),
    Scripted("jiandaoyun", "throttle", (MADE, CHANGED, LISTED), 3),
    Scripted("jiandaoyun", "auth", (MADE, LISTED)),
    Scripted("jiandaoyun", "lock", (MADE, CHANGED), 2),
    Scripted("jiandaoyun", "error", (MADE, CHANGED), 1, {"code": REFUSED_CODE}, explains=(f"code {REFUSED_CODE}",)),
    Scripted("jiandaoyun", "store_then_hang", (MADE, CHANGED)),
    Scripted("jiandaoyun", "store_then_drop", (MADE, CHANGED), 2),
    Scripted("jiandaoyun", "store_then_502", (MADE, CHANGED), 2),
    Scripted("jiandaoyun", "partial", ({},), 1),
    Scripted(
        "jiandaoyun",
        "hidden_field",
        ({},),
        arguments={"name": "priority"},
        also=({"kind": "drop_connection", "match": LISTED},),
        patience_s=60.0,
    ),
    Scripted("jiandaoyun", "empty_when_missing", ({},), patience_s=90.0),
    Scripted("jiandaoyun", "lost_webhook", (REPORTED,), 2),
    Scripted("jiandaoyun", "duplicate_webhook", ({},), 2),
    Scripted("jiandaoyun", "reordered_webhook", (REPORTED,)),
)
"""A row for every fault of the stand-ins; another row is all that a new one needs."""


def scripted(script: Scripted) -> Callable[[World, random.Random], Strike]:
    def strike(on: World, dice: random.Random) -> Strike:
        match = dice.choice(script.occasions)
        fault = {"kind": script.kind, "match": match, "arguments": script.arguments}

        def left() -> int:
            pending = on.ask(script.system, "GET", "faults")["pending"]
            return sum(each["times"] for each in pending if each["kind"] == script.kind and each["match"] == match)

        wanted = [{**fault, "times": script.times - left()}] if left() < script.times else []
        on.ask(script.system, "POST", "faults", [*wanted, *script.also])

        def felt() -> str:
            shown = script.times - left()
            held = on.ask(script.system, "GET", "faults")["held"] if script.kind in HELD else 1
            return f"shown {shown} times" if shown == script.times and held else ""

        def heal() -> None:
            if script.kind in HELD:
                on.ask(script.system, "POST", "release")
            if script.restart:
                ended(script.restart)(on, dice)

        mended = (lambda: on.healthy(script.restart)) if script.restart else (lambda: True)
        hold_s = dice.choice((1.0, 6.0)) if script.kind in HELD else 0.0
        held = script.kind in HELD
        return Strike(f"{script.system} {dict(match)}", felt, heal, mended, hold_s, held, script.patience_s)

    return strike


def paused(system: str) -> Callable[[World, random.Random], Strike]:
    def strike(on: World, dice: random.Random) -> Strike:
        pid = on.far[system].process.pid
        send(pid, signal.SIGSTOP)
        return Strike(
            f"{system} {pid}",
            lambda: f"{pid} stopped" if state_of(pid) == "T" else "",
            heal=lambda: send(pid, signal.SIGCONT),
            hold_s=dice.uniform(1.5, 6.0),
            lasting=True,
        )

    return strike


def killed(system: str) -> Callable[[World, random.Random], Strike]:
    """SIGKILL of the far system: what it acknowledged is on disk, what it was asked at that moment nobody knows."""

    def strike(on: World, dice: random.Random) -> Strike:
        process = on.far[system].process
        process.kill()
        process.wait()

        def heal() -> None:
            if process.stdout is not None:
                process.stdout.close()
            on.start_far(system)

        gone = f"{system} {process.pid}"
        return Strike(gone, lambda: f"{gone} gone", heal, hold_s=dice.uniform(0.5, 3.0), lasting=True)

    return strike


CLOCKS_OFF_S = (-3600, -400, -45, 45, 400, 3600)


def clock_jumped(system: str) -> Callable[[World, random.Random], Strike]:
    """The far system's clock is off for a while, then right again: it jumps twice."""

    def strike(on: World, dice: random.Random) -> Strike:
        offset_s = dice.choice(CLOCKS_OFF_S)
        before = on.ledger(system).stat().st_size
        on.ask(system, "POST", "clock", {"offset_s": offset_s})

        def felt() -> str:
            moved = on.ledger(system).stat().st_size - before
            shown = on.ask(system, "GET", "clock")["offset_s"]
            return f"its clock is {shown:+} s off, {moved} bytes of ledger since" if moved and shown else ""

        return Strike(
            system,
            felt,
            heal=lambda: on.ask(system, "POST", "clock", {"offset_s": 0}),
            hold_s=dice.uniform(2.0, 5.0),
            lasting=True,
        )

    return strike


@dataclass(frozen=True)
class Permission:
    """A right that the integration user loses for a while: the setting, the field, and a call that shows it."""

    setting: str
    field: str
    shown_by: str
    restart: str
    explains: Sequence[str] = ()


PERMISSIONS = (
    Permission("hidden", "OrderItem.ServiceDate", "source.crm", "source"),
    Permission("read_only", "MES_Status__c.State__c", "sink.crm", "sink-crm", ("INVALID_FIELD_FOR_INSERT_UPDATE",)),
)


def lost_permission(right: Permission) -> Callable[[World, random.Random], Strike]:
    def strike(on: World, dice: random.Random) -> Strike:
        before = failures(on, right)
        on.ask("salesforce", "POST", "settings", {right.setting: [right.field]})

        def felt() -> str:
            count = failures(on, right) - before
            return f"{right.shown_by} met it {count:g} times" if count > 0 else ""

        def heal() -> None:
            on.ask("salesforce", "POST", "settings", {right.setting: []})
            ended(right.restart)(on, dice)

        return Strike(right.field, felt, heal, lambda: on.healthy(right.restart), hold_s=1.0, lasting=True)

    return strike


def failures(on: World, right: Permission) -> float:
    """Far errors and parked records that the role has counted."""
    text = on.page(right.restart)
    names = ("lineshaft_far_errors_total{", "lineshaft_parked_records_total{")
    rows = [line for line in text.splitlines() if line.startswith(names) and f'stage="{right.shown_by}"' in line]
    return sum(float(line.split()[-1]) for line in rows)


def kinds() -> list[Kind]:
    """Every kind of this module."""
    found = [
        Kind(
            f"{each.system}: {each.kind}",
            (f"{each.system} {each.kind}", *((f"{each.system} held",) if each.kind in HELD else ()),
             *((f"role {each.restart}",) if each.restart else ()),
             *(f"{each.system} {other['kind']}" for other in each.also)),
            scripted(each),
            explains=each.explains,
        )
        for each in SCRIPTS
    ]  # fmt: skip
    found += [Kind(f"SIGKILL {system}", (f"process {system}",), killed(system)) for system in SYSTEMS]
    found += [Kind(f"clock jump of {system}", (f"clock {system}",), clock_jumped(system)) for system in SYSTEMS]
    found += [Kind(f"pause of {system}", (f"process {system}",), paused(system)) for system in SYSTEMS]
    found += [
        Kind(f"permission lost: {each.setting} {each.field}", ("permission", f"role {each.restart}"),
             lost_permission(each), explains=each.explains)
        for each in PERMISSIONS
    ]  # fmt: skip
    return found
