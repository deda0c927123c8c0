"""One process per role: source worker, sink task, pipeline, ingress or views, until a signal asks for the end."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag

from starlette.routing import Route

from deploy.http import RoleServer
from deploy.supervisor import PARENT_VARIABLE
from streams.bus import Bus
from streams.cold_start import wait_until_known
from streams.ingress import Ingress
from streams.live_plans import LivePlans
from streams.pipeline import Pipeline
from streams.sink_task import SinkTask
from streams.source_worker import SourceWorker

log = logging.getLogger(__name__)

LOOK_FOR_PARENT_S = 1.0


@dataclass(frozen=True)
class Listening:
    """Where a role's HTTP server listens; port 0 takes a free one."""

    host: str
    port: int


def run_source(bus: Bus, listening: Listening, adopt: Sequence[str] = ()) -> None:
    """All sources this process comes to own."""
    with closing(LivePlans(bus)) as plans:
        worker = SourceWorker(bus, plans, adopt)
        _serve(
            "source",
            listening,
            worker.pulse.healthy,
            worker.run,
            says=lambda: {**plans.says(), "far_systems": worker.says()},
        )


def run_pipeline(bus: Bus, listening: Listening, slot: int = 0) -> None:
    """One member of the pipeline's group; every process has its own slot number, the same after a restart."""
    with closing(LivePlans(bus)) as plans:
        pipeline = Pipeline(bus, slot, plans)
        _serve(f"pipeline-{slot}", listening, pipeline.pulse.healthy, pipeline.run, says=plans.says)


def run_sink(bus: Bus, listening: Listening, name: str) -> None:
    """One member of a sink's group."""
    with closing(LivePlans(bus)) as plans:
        task = SinkTask(bus, bus.attached[name], plans)

        def work(stop: Flag) -> None:
            wait_until_known(bus, stop, task.pulse)
            task.run(stop)

        def says() -> Mapping[str, object]:
            return {**plans.says(), "far_systems": {name: task.gate.says()}}

        _serve(f"sink-{name}", listening, task.pulse.healthy, work, says=says)


def run_ingress(bus: Bus, listening: Listening) -> None:
    """The webhooks of all connectors."""
    with closing(LivePlans(bus)) as plans:
        ingress = Ingress(bus, plans)
        ingress.open()
        try:
            _serve("ingress", listening, lambda: True, Flag.wait, ingress.routes(), ingress.says)
        finally:
            ingress.close()


def run_views(bus: Bus, listening: Listening, folder: Path) -> None:
    """The view of orders and its JSON; `folder` holds what it has counted and can be deleted at any time."""
    from streams.views import View, routes  # Faust takes its time to load and no other role needs it

    view = View(bus, folder)
    _serve("views", listening, view.healthy, view.run, routes(view))


def _serve(
    role: str,
    listening: Listening,
    healthy: Callable[[], bool],
    work: Callable[[Flag], object],
    routes: Sequence[Route] = (),
    says: Callable[[], Mapping[str, object]] = dict,
) -> None:
    """Run `work` until SIGTERM or SIGINT, or until the supervisor is gone; what was begun is finished first."""
    stop = Flag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=_watch_parent, args=(stop,), daemon=True).start()
    server = RoleServer(role, listening.host, listening.port, healthy, routes, says)
    server.start()
    log.info("%s: running, metrics and health at %s", role, server.address)
    try:
        work(stop)
    finally:
        server.stop()
        log.info("%s: stopped", role)


def _watch_parent(stop: Flag) -> None:
    """A role whose supervisor was killed ends as on SIGTERM."""
    parent = os.environ.get(PARENT_VARIABLE)
    while parent and not stop.wait(LOOK_FOR_PARENT_S):
        if os.getppid() != int(parent):
            stop.set()
