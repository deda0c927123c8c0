"""A source's process that kills itself: its events are in the log, its position is not, nothing is committed.

Run as `python -m tests.integration.killed_source BOOTSTRAP PREFIX NAME`.
"""

from __future__ import annotations

import os
import signal
import sys
from threading import Event as Flag

from connectors.contract import Batch
from streams.bus import Bus
from streams.kafka.cluster import Cluster
from streams.kafka.transaction import Outgoing
from streams.live_plans import LivePlans
from streams.source_task import SourceTask
from tests.integration.scripted_far_system import Script, ScriptedSource, attached, order

BATCH = Batch((order("1"), order("2")), {"at": 1}, True, "org-1")


class Killed(SourceTask):
    """Dies by SIGKILL once the events of its first batch have reached the broker."""

    def _outgoing_position(self, position: object) -> Outgoing:
        self._transactions._producer.flush(30.0)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("a killed process goes on")


def main() -> None:
    bootstrap, prefix, name = sys.argv[1:]
    far = attached(name, source=lambda _: ScriptedSource(Script(), [BATCH]))
    bus = Bus(Cluster(bootstrap, prefix), 1, {name: far})
    Killed(bus, far, LivePlans(bus)).run(Flag())


if __name__ == "__main__":
    main()
