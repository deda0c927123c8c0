"""A sink or pipeline process that is killed from inside whenever it begins the record of the order `killer`."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streams.kafka.cluster
from connectors.contract import Rejection
from schemas.document import Document
from schemas.event import Event
from streams.bus import Bus
from streams.incoming import Incoming
from streams.kafka.cluster import Cluster
from streams.live_plans import LivePlans
from streams.pipeline import Pipeline
from streams.sink_task import SinkTask
from tests.bus_on_kafka import far
from tests.integration.scripted_far_system import LedgerSink, attached

KILLER = "crm:killer"
DIED = 9


class DyingSink(LedgerSink):
    """Dies of one of the documents."""

    def write(self, documents: Sequence[Document]) -> Sequence[Rejection]:
        if any(each.id == KILLER for each in documents):
            os._exit(DIED)
        return super().write(documents)


def sink(cluster: Cluster, partitions: int, ledger: Path) -> Any:
    crm = attached("crm", sink=lambda _: DyingSink(ledger))
    bus = Bus(cluster, partitions, {"crm": crm})
    return SinkTask(bus, crm, LivePlans(bus))


def pipeline(cluster: Cluster, partitions: int, _: Path) -> Any:
    class Dies(Pipeline):
        def _event(self, incoming: Incoming) -> Event:
            if incoming.order_key == KILLER:
                os._exit(DIED)
            return super()._event(incoming)

    bus = Bus(cluster, partitions, {"crm": far("crm"), "plant-a": far("plant-a")})
    return Dies(bus, 0, LivePlans(bus))


def main(role: str, bootstrap: str, prefix: str, partitions: str, ledger: str) -> None:
    """Run the role until it is killed; a dead member is found out sooner than in production."""
    streams.kafka.cluster.SESSION_TIMEOUT_MS = 6_000
    made = {"sink": sink, "pipeline": pipeline}[role](Cluster(bootstrap, prefix), int(partitions), Path(ledger))
    made.run(threading.Event())


if __name__ == "__main__":
    main(*sys.argv[1:])
