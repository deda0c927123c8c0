"""The world of one run as real processes: brokers, both stand-ins, proxies between all of them, and every role.

Whatever is started here is gone when the block ends, also after a failure or Ctrl-C.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag
from typing import Any, cast

import httpx
import yaml

from deploy.demo.compare import trust
from deploy.demo.project_files import write_project
from deploy.demo.reference import CRM, PLANT
from deploy.demo.stand_ins import StandInProcess, start_stand_in
from deploy.project import Project, load_project
from deploy.supervisor import Role, Supervisor
from deploy.up_commands import roles_of
from deploy.wiring import activate_new, bus_of
from streams.bus import Bus
from streams.kafka.topics import apply
from tests.chaos.brokers import Brokers
from tests.chaos.ports import LOOPBACK, free_run
from tests.chaos.proxy import Proxies
from tests.chaos.sockets import ports_of

log = logging.getLogger(__name__)

HEALTHY_S = 120.0
LOOK_S = 0.2
SYSTEMS = ("salesforce", "jiandaoyun")
ITEMS = tuple(f"PART-{number:02d}" for number in range(1, 13))
CALL_TIMEOUT_S = 4.0
"""The connectors' longest wait for an answer: short, so that an unknown outcome is met within a run."""

SWEEP_S = 5.0
PORTS = 12


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
        """A request to a stand-in's control endpoint; its answer's JSON. Raises RuntimeError where it refuses."""
        answer = self.control.request(method, f"{self.far[system].control}/{path}", json=body)
        if answer.is_error:
            raise RuntimeError(f"{system}: {method} {path}: HTTP {answer.status_code} {answer.text[:300]}")
        return answer.json()

    def ports_of_role(self, role: str) -> frozenset[int]:
        """The TCP ports that a role's process holds now."""
        return ports_of(self.pid(role))

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
        write_project(folder, _salesforce(proxies, far["salesforce"]), _jiandaoyun(proxies, far["jiandaoyun"]))
        _finish_project(folder, running.bootstrap, first)
        _write_reference(folder / "reference")
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
    logs, found = folder / ".lineshaft" / "logs", {}
    with ThreadPoolExecutor(len(SYSTEMS)) as pool:
        starting = {
            name: pool.submit(start_stand_in, name, folder / "far" / name, logs / f"stand-in-{name}.log")
            for name in SYSTEMS
        }
        for name, each in starting.items():
            found[name] = each.result()
            parts.callback(found[name].stop)
    return found


def _control(far: dict[str, StandInProcess]) -> httpx.Client:
    context = trust(far["salesforce"].login.ca_file)
    context.load_verify_locations(far["jiandaoyun"].login.ca_file)
    return httpx.Client(verify=context, timeout=30.0)


def _port(address: str) -> int:
    return int(httpx.URL(address).port or 0)


def _salesforce(proxies: Proxies, system: StandInProcess) -> dict[str, Any]:
    """The connector's configuration, by way of the proxies; the org names the proxy's address at a login too."""
    rest = proxies.add("salesforce-rest", LOOPBACK, _port(system.login.values["address"]))
    feed = proxies.add("salesforce-feed", LOOPBACK, int(str(system.config["pubsub_endpoint"]).rpartition(":")[2]))
    return {
        **system.config,
        "login_url": f"https://localhost:{rest.port}",
        "pubsub_endpoint": f"localhost:{feed.port}",
        "timeout_s": CALL_TIMEOUT_S,
    }


def _jiandaoyun(proxies: Proxies, system: StandInProcess) -> dict[str, Any]:
    api = proxies.add("jiandaoyun-api", LOOPBACK, _port(system.login.values["base_url"]))
    return {**system.config, "base_url": f"https://localhost:{api.port}/api", "timeout_s": CALL_TIMEOUT_S}


def _finish_project(folder: Path, bootstrap: str, first: int) -> None:
    path = folder / "lineshaft.yaml"
    whole = cast("dict[str, Any]", yaml.safe_load(path.read_text()))
    whole["kafka"] = {"bootstrap": bootstrap}
    whole["http"] = {"metrics": first, "ingress": first + PORTS - 2, "views": first + PORTS - 1}
    whole["connectors"][PLANT]["sweep_interval_s"] = SWEEP_S
    path.write_text(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True))


def _write_reference(folder: Path) -> None:
    items = "".join(f"{item},Part {item},pcs,{PLANT}\n" for item in ITEMS)
    _drop(folder / "items.csv", f"item,description,unit,site\n{items}")
    _drop(folder / "links.csv", f"kind,system,id,to_system,to_id\nunit,{CRM},Each,{PLANT},pcs\n")


def _drop(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text)
    part.rename(path)


def _aim(on: World) -> None:
    """Point the org's logins and the form's pushes at the proxies."""
    rest = on.proxies.links["salesforce-rest"].port
    on.ask("salesforce", "POST", "settings", {"instance_url": f"https://localhost:{rest}"})
    ingress = on.proxies.add("ingress", LOOPBACK, _port(on.address("ingress")))
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
