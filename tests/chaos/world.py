"""The world of one run as real processes: brokers, both stand-ins, proxies between all of them, and every role.

Whatever is started here is gone when the block ends, also after a failure or Ctrl-C.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag
from typing import Any

import httpx

from deploy.demo.login import trust
from deploy.demo.project_files import write_project
from deploy.demo.reference import PLANT
from deploy.demo.stand_ins import StandInProcess, start_stand_in
from deploy.project import Project, load_project
from deploy.supervisor import Role, Supervisor
from deploy.up_commands import roles_of
from deploy.wiring import activate_new, bus_of
from streams.bus import Bus
from streams.kafka.topics import apply
from tests.chaos.brokers import Brokers
from tests.chaos.ports import LOOPBACK, free_run
from tests.chaos.project import (
    PORTS,
    finish_project,
    jiandaoyun_entry,
    port_of,
    salesforce_entry,
    write_codes,
    write_reference,
)
from tests.chaos.proxy import Proxies

log = logging.getLogger(__name__)

HEALTHY_S = 120.0
LOOK_S = 0.2
SYSTEMS = ("salesforce", "jiandaoyun")
AWAY_S = 40.0


@dataclass
class World:
    """Everything that runs."""

    folder: Path
    brokers: Brokers
    proxies: Proxies
    far: dict[str, StandInProcess]
    project: Project
    bus: Bus
    roles: list[Role]
    supervisor: Supervisor
    first_spare_port: int
    control: httpx.Client
    definition_version: int = 1
    extra: dict[str, Supervisor] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ledger(self, system: str) -> Path:
        """The ledger of a stand-in."""
        return self.folder / "far" / system / "ledger.jsonl"

    def address(self, role: str) -> str:
        """Where a role's health and metrics are."""
        return next(each.address for each in self.roles if each.name == role)

    def pid(self, role: str) -> int:
        """The process of a role, at this moment."""
        return self.supervisor.pids()[role]

    def healthy(self, role: str) -> bool:
        """Whether a role says that it does its work."""
        return self.answers(f"{self.address(role)}/health")

    def page(self, role: str) -> str:
        """A role's metrics; empty where it does not answer."""
        try:
            return httpx.get(f"{self.address(role)}/metrics", timeout=2.0).text
        except httpx.TransportError:
            return ""

    @staticmethod
    def answers(url: str) -> bool:
        """Whether a page says 200."""
        try:
            return httpx.get(url, timeout=2.0).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def ask(self, system: str, method: str, path: str, body: Any = None) -> Any:
        """A request to a stand-in's control endpoint; its answer's JSON. Raises RuntimeError where it refuses.

        Asked again while the stand-in is away: what a person does is done at least once.
        """
        deadline = time.monotonic() + AWAY_S
        while True:
            try:
                answer = self.control.request(method, f"{self.far[system].control}/{path}", json=body)
            except httpx.TransportError as error:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{system}: {method} {path}: no answer ({error})") from error
                time.sleep(LOOK_S)
                continue
            if answer.is_error:
                raise RuntimeError(f"{system}: {method} {path}: HTTP {answer.status_code} {answer.text[:300]}")
            return answer.json()

    def start_far(self, system: str) -> None:
        """Start a stand-in that was killed, at its addresses and with what it has on disk."""
        log_file = self.project.data / "logs" / f"stand-in-{system}.log"
        self.far[system] = start_stand_in(system, self.folder / "far" / system, log_file)

    def add_worker(self, name: str, arguments: Sequence[str]) -> Supervisor:
        """One more process beside those of the project; `arguments` follow `lineshaft run`."""
        with self._lock:
            port = self.first_spare_port
            self.first_spare_port += 1
        told = ("--project", str(self.folder), "run", *arguments, "--port", str(port))
        added = Supervisor([Role(name, told, f"http://{LOOPBACK}:{port}")], self.project.data / "logs")
        added.start()
        self.extra[name] = added
        return added

    def end(self) -> None:
        """Wake what sleeps and end every role and added process in order."""
        supervisors = (self.supervisor, *self.extra.values())
        pids = [pid for each in supervisors for pid in each.pids().values()]
        for pid in (*pids, *(each.process.pid for each in self.far.values())):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        for each in supervisors:
            each.stop()

    def remove_worker(self, name: str) -> None:
        """End an added process in order."""
        self.extra.pop(name).stop()


@contextmanager
def world(folder: Path, brokers: int) -> Iterator[World]:
    """A running bus between two stand-ins, with nothing wrong yet."""
    with ExitStack() as parts:
        proxies = parts.enter_context(Proxies())
        far = _stand_ins(parts, folder)
        running = parts.enter_context(Brokers(folder / "kafka", brokers, proxies))
        first = free_run(PORTS + 40)
        write_project(
            folder, salesforce_entry(proxies, far["salesforce"]), jiandaoyun_entry(proxies, far["jiandaoyun"])
        )
        finish_project(folder, running.bootstrap, first)
        write_reference(folder / "reference")
        write_codes(folder)
        project = load_project(folder)
        bus = bus_of(project)
        apply(bus.cluster, bus.topics, bus.groups)
        activate_new(bus, project, log.info)
        roles = roles_of(project, bus)
        supervisor = Supervisor(roles, project.data / "logs")
        control = parts.enter_context(_control(far))
        made = World(folder, running, proxies, far, project, bus, roles, supervisor, first + PORTS, control)
        parts.callback(made.end)
        _aim(made)
        supervisor.start()
        supervisor.wait_healthy(HEALTHY_S, lambda _: None, Flag())
        parts.enter_context(_looked_after(made))
        yield made


def _stand_ins(parts: ExitStack, folder: Path) -> dict[str, StandInProcess]:
    logs, found = folder / ".lineshaft" / "logs", dict[str, StandInProcess]()
    with ThreadPoolExecutor(len(SYSTEMS)) as pool:
        starting = {
            name: pool.submit(start_stand_in, name, folder / "far" / name, logs / f"stand-in-{name}.log")
            for name in SYSTEMS
        }
        parts.callback(lambda: _stop(found.values()))
        for name, each in starting.items():
            found[name] = each.result()
    return found


def _stop(systems: Iterable[StandInProcess]) -> None:
    for each in systems:
        each.stop()


def _control(far: dict[str, StandInProcess]) -> httpx.Client:
    context = trust(far["salesforce"].login.ca_file)
    context.load_verify_locations(far["jiandaoyun"].login.ca_file)
    return httpx.Client(verify=context, timeout=30.0)


def _aim(on: World) -> None:
    """Point the org's logins and the form's pushes at the proxies."""
    rest = on.proxies.links["salesforce-rest"].port
    on.ask("salesforce", "POST", "settings", {"instance_url": f"https://localhost:{rest}"})
    ingress = on.proxies.add("ingress", LOOPBACK, port_of(on.address("ingress")))
    on.ask("jiandaoyun", "POST", "push", {"url": f"http://{LOOPBACK}:{ingress.port}/webhooks/{PLANT}"})


@contextmanager
def _looked_after(on: World) -> Iterator[None]:
    """The supervisors' eyes: what has died is started again."""
    stop = Flag()

    def look() -> None:
        while not stop.wait(LOOK_S):
            for each in (on.supervisor, *list(on.extra.values())):
                each.look()

    thread = threading.Thread(target=look, name="supervisors")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
