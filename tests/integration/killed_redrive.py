"""A role that SIGKILLs itself at the worst moment of a redrive: everything is done, and nothing committed."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import streams.kafka.cluster
from streams.bus import Bus
from streams.kafka.cluster import Cluster
from streams.live_plans import LivePlans
from streams.pipeline import Pipeline
from streams.sink_task import SinkTask
from streams.source_task import SourceTask
from tests.bus_on_kafka import far
from tests.integration.scripted_far_system import LedgerSink, Script, ScriptedSource, attached


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def pipeline(cluster: Cluster, partitions: int, _: Path) -> Any:
    bus = Bus(cluster, partitions, {"crm": far("crm"), "plant-a": far("plant-a")})
    task: Any = Pipeline(bus, 0, LivePlans(bus))
    task._transactions._commit = die
    return task


def source(cluster: Cluster, partitions: int, _: Path) -> Any:
    crm = attached("crm", source=lambda _: ScriptedSource(Script()))
    bus = Bus(cluster, partitions, {"crm": crm})
    task: Any = SourceTask(bus, crm, LivePlans(bus))
    task._transactions._commit = die
    return task


def sink(cluster: Cluster, partitions: int, ledger: Path) -> Any:
    crm = attached("crm", sink=lambda _: LedgerSink(ledger))
    bus = Bus(cluster, partitions, {"crm": crm})
    task: Any = SinkTask(bus, crm, LivePlans(bus))
    task._publish_parked = die
    return task


def main(role: str, bootstrap: str, prefix: str, partitions: str, ledger: str) -> None:
    """Run the role until it kills itself; its membership is found out to be dead sooner than in production."""
    streams.kafka.cluster.SESSION_TIMEOUT_MS = 6_000
    made = {"pipeline": pipeline, "source": source, "sink": sink}[role]
    made(Cluster(bootstrap, prefix), int(partitions), Path(ledger)).run(threading.Event())


if __name__ == "__main__":
    main(*sys.argv[1:])
