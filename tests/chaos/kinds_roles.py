"""Faults of the bus's own processes: killed, frozen, doubled, frozen for so long that a twin takes over."""

from __future__ import annotations

import contextlib
import os
import random
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx

from deploy.demo.reference import CRM, PLANT
from deploy.supervisor import Supervisor
from tests.chaos.kind import Kind, Strike
from tests.chaos.world import World

TWINS: Mapping[str, tuple[str, Sequence[str]]] = {
    "pipeline": ("pipeline", ("pipeline", "--slot", "1")),
    "source": ("sources", ("source",)),
    f"sink-{PLANT}": (f"sink.{PLANT}", ("sink", PLANT)),
    f"sink-{CRM}": (f"sink.{CRM}", ("sink", CRM)),
}
"""Roles of which several may run: the stage in the metrics, and the arguments after `lineshaft run`."""

ROLES = (*TWINS, "ingress", "views")
BEYOND_THE_SESSION_S = 17.0


def send(pid: int, number: int) -> None:
    """A signal to a process that may be gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def state_of(pid: int) -> str:
    """The kernel's letter for a process's state (T is stopped); empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def owned(address: str, stage: str) -> float:
    """How many partitions a process says that it owns."""
    with contextlib.suppress(httpx.HTTPError):
        for line in httpx.get(f"{address}/metrics", timeout=2.0).text.splitlines():
            if line.startswith(f'lineshaft_owned_partitions{{stage="{stage}"}}'):
                return float(line.split()[-1])
    return 0.0


def killed(role: str) -> Callable[[World, random.Random], Strike]:
    return _replaced(role, signal.SIGKILL)


def ended(role: str) -> Callable[[World, random.Random], Strike]:
    """A deployment: SIGTERM, and the supervisor starts it again."""
    return _replaced(role, signal.SIGTERM)


def _replaced(role: str, number: signal.Signals) -> Callable[[World, random.Random], Strike]:
    def strike(on: World, _: random.Random) -> Strike:
        pid = on.pid(role)
        send(pid, number)

        def felt() -> str:
            new = on.pid(role)
            return f"{pid} is gone, {new} in its place" if new != pid else ""

        return Strike(f"{role} {pid}", felt, mended=lambda: on.healthy(role))

    return strike


def frozen(role: str) -> Callable[[World, random.Random], Strike]:
    def strike(on: World, dice: random.Random) -> Strike:
        pid = on.pid(role)
        send(pid, signal.SIGSTOP)
        return Strike(
            f"{role} {pid}",
            lambda: f"{pid} stopped" if state_of(pid) == "T" else "",
            heal=lambda: send(pid, signal.SIGCONT),
            mended=lambda: on.healthy(role),
            hold_s=dice.uniform(1.0, 4.0),
            lasting=True,
        )

    return strike


def outlived(role: str) -> Callable[[World, random.Random], Strike]:
    """Frozen beyond the session time-out while a twin takes over; then the zombie wakes up."""
    stage, arguments = TWINS[role]

    def strike(on: World, dice: random.Random) -> Strike:
        pid = on.pid(role)
        twin = on.add_worker(f"{role}-twin", arguments)
        address = twin.roles[0].address
        send(pid, signal.SIGSTOP)

        def felt() -> str:
            count = owned(address, stage) if stage != "sources" else _running(address)
            return f"the twin took over {count:g}" if state_of(pid) == "T" and count else ""

        def heal() -> None:
            send(pid, signal.SIGCONT)

        def mended() -> bool:
            if f"{role}-twin" in on.extra and on.healthy(role):
                on.remove_worker(f"{role}-twin")
            return f"{role}-twin" not in on.extra

        return Strike(
            f"{role} {pid}", felt, heal, mended, hold_s=dice.uniform(0.5, 3.0), lasting=True, patience_s=60.0
        )

    return strike


def doubled(role: str) -> Callable[[World, random.Random], Strike]:
    """One worker more, and after a while one less."""
    stage, arguments = TWINS[role]

    def strike(on: World, dice: random.Random) -> Strike:
        added: Supervisor = on.add_worker(f"{role}-more", arguments)
        address = added.roles[0].address

        def felt() -> str:
            count = owned(address, stage) if stage != "sources" else float(on.answers(f"{address}/health"))
            return f"the new one works ({count:g})" if count else ""

        return Strike(
            role,
            felt,
            heal=lambda: on.remove_worker(f"{role}-more"),
            hold_s=dice.uniform(1.0, 4.0),
            lasting=True,
            patience_s=60.0,
        )

    return strike


def _running(address: str) -> float:
    """How many sources a process of sources has published for."""
    with contextlib.suppress(httpx.HTTPError):
        lines = httpx.get(f"{address}/metrics", timeout=2.0).text.splitlines()
        return float(sum(1 for line in lines if line.startswith("lineshaft_committed_batches_total{")))
    return 0.0


def kinds() -> list[Kind]:
    """Every kind of this module."""
    found = [Kind(f"SIGKILL {role}", (f"role {role}",), killed(role)) for role in ROLES]
    found += [Kind(f"SIGSTOP {role}", (f"role {role}",), frozen(role)) for role in ROLES]
    found += [Kind(f"SIGTERM {role}", (f"role {role}",), ended(role)) for role in TWINS]
    found += [Kind(f"worker added and removed: {role}", (f"role {role}",), doubled(role)) for role in TWINS]
    found += [Kind(f"zombie {role}", (f"role {role}",), outlived(role)) for role in TWINS]
    return found
