"""One process per role: source worker, sink task, pipeline, ingress or views, until a signal asks for the end."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag

from starlette.routing import Route

from deploy.http import RoleServer
from deploy.supervisor import PARENT_VARIABLE
from streams.bus import Bus
from streams.cold_start import wait_until_known
from streams.definitions import live_plan
from streams.ingress import Ingress
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
    worker = SourceWorker(bus, live_plan(bus.cluster, bus.document_types), adopt)
    _serve("source", listening, worker.pulse.healthy, worker.run, far_systems=worker.says)


def run_pipeline(bus: Bus, listening: Listening, slot: int = 0) -> None:
    """One member of the pipeline's group; every process has its own slot number, the same after a restart."""
    pipeline = Pipeline(bus, slot, live_plan(bus.cluster, bus.document_types))
    _serve(f"pipeline-{slot}", listening, pipeline.pulse.healthy, pipeline.run)


def run_sink(bus: Bus, listening: Listening, name: str) -> None:
    """One member of a sink's group."""
    task = SinkTask(bus, bus.attached[name], live_plan(bus.cluster, bus.document_types))

    def work(stop: Flag) -> None:
        wait_until_known(bus, stop, task.pulse)
        task.run(stop)

    _serve(f"sink-{name}", listening, task.pulse.healthy, work, far_systems=lambda: {name: task.gate.says()})


def run_ingress(bus: Bus, listening: Listening) -> None:
    """The webhooks of all connectors."""
    ingress = Ingress(bus, live_plan(bus.cluster, bus.document_types))
    ingress.open()
    try:
        _serve("ingress", listening, lambda: True, Flag.wait, ingress.routes())
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
    far_systems: Callable[[], Mapping[str, str]] = dict,
) -> None:
    """Run `work` until SIGTERM or SIGINT, or until the supervisor is gone; what was begun is finished first."""
    stop = Flag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=_watch_parent, args=(stop,), daemon=True).start()
    server = RoleServer(role, listening.host, listening.port, healthy, routes, far_systems)
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
