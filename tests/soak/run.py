"""One soak: a real Kafka, real roles, orders at a steady rate, and a look at everything every ten seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag

from deploy.kafka import status
from deploy.project import Project, load_project
from deploy.supervisor import Role, Supervisor
from deploy.up_commands import HEALTHY_S, roles_of, running_kafka
from deploy.wiring import activate_new, bus_of
from streams.bus import Bus
from streams.kafka.topics import apply
from streams.parked import parked_now
from tests.soak import project as soak_project
from tests.soak.books import Books, Verdict
from tests.soak.figures import Seen, children, metrics, process, total

LOOK_S = 10.0
DRAINED_S = 120.0
BROKER = "kafka"
WITHOUT = ("views",)
"""The views are derived and far slower than the rest (FOUNDATIONS: 700 to 1,700 events/s on a core of their own)."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Sample:
    """One look. Lags are records (orders for the last three) that have come and are not done."""

    at_s: float
    processes: Mapping[str, Seen]
    lags: Mapping[str, float]
    closed: int


@dataclass
class Soak:
    """What was seen, and what the books said in the end."""

    rate: float
    orders: int
    samples: list[Sample] = field(default_factory=list)
    seconds: float = 0.0
    parked: int = 0
    restarts: int = 0
    disk_mb: float = 0.0
    verdict: Verdict = field(default_factory=lambda: Verdict(0, 0, 0))


@dataclass(frozen=True)
class Stage:
    """What runs."""

    project: Project
    bus: Bus
    roles: Sequence[Role]
    supervisor: Supervisor


@contextmanager
def stage(folder: Path, rate: float, orders: int, stop: Flag) -> Iterator[Stage]:
    """Kafka and the roles, healthy; all of them are gone afterwards."""
    with ExitStack() as parts:
        environment = soak_project.install(folder)
        soak_project.write(folder, rate, orders)
        project = load_project(folder)
        parts.enter_context(running_kafka(project))
        bus = bus_of(project)
        apply(bus.cluster, bus.topics, bus.groups)
        activate_new(bus, project, lambda _: None)
        roles = [each for each in roles_of(project, bus) if each.name not in WITHOUT]
        supervisor = Supervisor(roles, project.data / "logs", environment)
        parts.callback(supervisor.stop)
        supervisor.start()
        supervisor.wait_healthy(HEALTHY_S, lambda _: None, stop)
        yield Stage(project, bus, roles, supervisor)


def run(folder: Path, rate: float, minutes: float, say: Say, stop: Flag) -> Soak:
    """Sell for so many minutes, wait until all is done, and look into the books."""
    found = Soak(rate, int(rate * minutes * 60))
    books = Books(folder / "far", found.orders)
    with stage(folder, rate, found.orders, stop) as on:
        first = on.supervisor.pids()
        began = time.monotonic()
        while not stop.is_set() and not _over(found, books, began, minutes):
            _until_next_look(on, len(found.samples), began, stop)
            found.samples.append(look(on, books, time.monotonic() - began, found))
            say(told(found.samples[-1]))
        found.seconds = time.monotonic() - began
        found.parked = len(parked_now(on.bus))
        found.restarts = sum(on.supervisor.pids()[name] != pid for name, pid in first.items())
        found.disk_mb = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()) / 1024**2
    found.verdict = books.verdict(found.orders)
    return found


def _over(found: Soak, books: Books, began: float, minutes: float) -> bool:
    passed = time.monotonic() - began
    return books.closed >= found.orders or passed > minutes * 60 + DRAINED_S


def _until_next_look(on: Stage, looks: int, began: float, stop: Flag) -> None:
    while time.monotonic() < began + (looks + 1) * LOOK_S and not stop.wait(0.2):
        on.supervisor.look()


def look(on: Stage, books: Books, at_s: float, found: Soak) -> Sample:
    """Processes, lags and books now."""
    books.follow()
    pids = dict(on.supervisor.pids())
    guard = status(on.project.kafka_folder).pid
    if guard is not None:
        pids[BROKER] = next(iter(children(guard)), guard)
    seen = {name: each for name, pid in pids.items() if (each := process(pid)) is not None}
    series = {role.name: metrics(role.address) for role in on.roles}
    return Sample(at_s, seen, lags(series, books, found, at_s), books.closed)


def lags(series: Mapping[str, Mapping[str, float]], books: Books, found: Soak, at_s: float) -> Mapping[str, float]:
    """Per stage what came and is not done. Committed offsets would never reach the end: transactions leave marks."""
    published, source = "lineshaft_published_records_total", series["source"]
    orders = total(source, published, 'record="crm.orders"')
    reports = total(source, published, 'record="mes.production"')
    consumed = total(series["pipeline"], "lineshaft_consumed_records_total", 'stage="pipeline"')
    changed = orders / (1 + 1 / 5)
    return {
        "pipeline": max(0.0, orders + reports - consumed),
        "floor": max(0.0, changed - books.jobs),
        "open": max(0.0, min(found.orders, changed) - books.closed),
    }


def told(sample: Sample) -> str:
    """One look in one line."""
    memory = " ".join(f"{name}={each.rss_mb:.0f}MB" for name, each in sorted(sample.processes.items()))
    lags = " ".join(f"{name}={value:.0f}" for name, value in sample.lags.items())
    return f"{sample.at_s:6.0f} s  closed={sample.closed}  lag: {lags}  {memory}"
