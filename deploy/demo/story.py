"""The demo: work orders live their whole life between two systems that know nothing of each other.

Starts a real Kafka, both systems and the bus as separate processes; salespeople and a factory act the log out; the
comparison then reads both systems' books.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag

from deploy.demo.compare import Table, compare
from deploy.demo.factory import Factory
from deploy.demo.log import WorkOrder
from deploy.demo.picture import NOTHING_SEEN, Figures, show, view_figures
from deploy.demo.project_files import write_project
from deploy.demo.reference import write_reference
from deploy.demo.sales import Placed, sell
from deploy.demo.sides import FLOORS, SHOPS, Floor, Shop
from deploy.demo.timetable import timetable
from deploy.output import note
from deploy.project import Project, load_project
from deploy.supervisor import Role, Supervisor
from deploy.up_commands import HEALTHY_S, roles_of, running_kafka
from deploy.wiring import activate_new, bus_of
from streams.bus import Bus
from streams.kafka.topics import apply
from streams.parked import parked_now

STALL_S = 60.0
LOOK_S = 0.5


@dataclass(frozen=True)
class Stage:
    """Everything that runs while the story is told."""

    project: Project
    bus: Bus
    roles: list[Role]
    shop: Shop
    floor: Floor
    supervisor: Supervisor

    def address(self, role: str) -> str:
        """The base address of a role's HTTP server."""
        return next(each.address for each in self.roles if each.name == role)


@contextmanager
def stage(folder: Path, orders: list[WorkOrder], stop: Flag, crm: str, mes: str) -> Iterator[Stage]:
    """Kafka, both systems and the bus, ready; all of them are gone afterwards, whatever happened."""
    with ExitStack() as parts:
        logs = folder / ".lineshaft" / "logs"
        shop, floor = _opened(parts, folder, crm, mes)
        write_project(folder, shop.entry, floor.entry)
        write_reference(orders, folder / "reference", shop.unit, floor.unit)
        project = load_project(folder)
        parts.enter_context(running_kafka(project))
        bus = bus_of(project)
        apply(bus.cluster, bus.topics, bus.groups)
        activate_new(bus, project, note)
        roles = roles_of(project, bus)
        supervisor = Supervisor(roles, logs)
        parts.callback(supervisor.stop)
        supervisor.start()
        supervisor.wait_healthy(HEALTHY_S, lambda _: None, stop)
        found = Stage(project, bus, roles, shop, floor, supervisor)
        if bus.webhooks:
            floor.aim(found.address("ingress"))
        yield found


def _opened(parts: ExitStack, folder: Path, crm: str, mes: str) -> tuple[Shop, Floor]:
    """Both systems, started at the same time; what was started is closed with `parts`."""

    def close(opening: Future[Shop] | Future[Floor]) -> None:
        if opening.exception() is None:
            opening.result().close()

    with ThreadPoolExecutor(2) as pool:
        shop = pool.submit(SHOPS[crm], folder / "far" / "crm")
        floor = pool.submit(FLOORS[mes], folder / "far" / "mes")
        parts.callback(close, shop)
        parts.callback(close, floor)
    return shop.result(), floor.result()


def tell(on: Stage, orders: list[WorkOrder], speed: float | None, stop: Flag) -> None:
    """Act the log out; returns when the shop shows every order as completed, or when nothing moves any more."""
    for side in (on.shop, on.floor):
        side.prepare(orders)
    placed, times, done = Placed(), timetable(orders, speed), Flag()
    factory = Factory(on.floor, orders, times)
    try:
        with ThreadPoolExecutor(3) as pool:
            selling = pool.submit(sell, on.shop, orders, times, placed, stop)
            making = pool.submit(factory.run, placed, stop)
            watch = Watch(on, orders, placed, factory)
            showing = pool.submit(show, watch.figures, done)
            try:
                watch.until_told(stop, lambda: [each.result() for each in (selling, making) if each.done()])
            finally:
                stop.set()
                done.set()
            for each in (selling, making, showing):
                each.result()
    finally:
        factory.close()


class Watch:
    """Follows how far the story is, from outside: the systems' public APIs and the bus's own pages."""

    def __init__(self, on: Stage, orders: list[WorkOrder], placed: Placed, factory: Factory) -> None:
        self._on, self._orders, self._placed, self._factory = on, orders, placed, factory
        self._reports = sum(len(order.rows) for order in orders)
        self._told = 0
        self._parked = 0
        self._view = NOTHING_SEEN

    def until_told(self, stop: Flag, raise_failures: Callable[[], object]) -> None:
        """Wait until all is told, or nothing has moved for a minute."""
        moved_at, before = time.monotonic(), self.figures()
        while not stop.wait(LOOK_S):
            raise_failures()
            self._on.supervisor.look()
            self._look()
            now = self.figures()
            if now.told >= len(self._orders):
                return
            if (now.placed, now.reports, now.told) != (before.placed, before.reports, before.told):
                moved_at, before = time.monotonic(), now
            if time.monotonic() - moved_at > STALL_S:
                note(f"demo: nothing has moved for {STALL_S:.0f} s; logs in {self._on.project.data / 'logs'}")
                return

    def _look(self) -> None:
        self._told = sum(1 for status in self._on.shop.told().values() if status.state == "completed")
        self._parked = len(parked_now(self._on.bus))
        self._view = view_figures(self._on.address("views"))

    def figures(self) -> Figures:
        """The figures of this moment."""
        factory = self._factory
        return Figures(
            shop=self._on.shop.name,
            floor=self._on.floor.name,
            orders=len(self._orders),
            placed=len(self._placed),
            started=factory.started,
            reports=factory.reports,
            reports_expected=self._reports,
            finished=factory.finished,
            told=self._told,
            parked=self._parked,
            view=self._view,
        )


def report(on: Stage, log: Path, seconds: float) -> Table:
    """The comparison's report, with what the bus has parked and how long it took."""
    found = compare(log, on.shop.books(), on.floor.books())
    return {**found, "parked": len(parked_now(on.bus)), "seconds": round(seconds, 1)}


def write_report(found: Table, path: Path) -> None:
    """Write the report as JSON."""
    path.write_text(json.dumps(found, indent=2) + "\n")
