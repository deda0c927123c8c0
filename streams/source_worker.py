"""The process of sources: all join one group over `bus.positions`, and each source runs where its position is.

Ownership follows the partition of the source's key, so that two processes never both run one source for long, and
the loser of a race is fenced by the source's transactional id.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event as Flag
from threading import Thread

from mappings import Plan
from schemas.catalog import POSITIONS
from streams import metrics
from streams.bus import Bus
from streams.kafka.client import OFFSET_END, Consumer, TopicPartition
from streams.kafka.partitions import partition_of
from streams.kafka.transaction import Fenced
from streams.pulse import Pulse
from streams.source_task import SourceTask

log = logging.getLogger(__name__)

STAGE = "sources"
POLL_S = 0.2


@dataclass
class Running:
    """One source's thread, its stop flag, and the defect that ended it."""

    name: str
    stop: Flag
    thread: Thread
    defect: Exception | None = None


class SourceWorker:
    """Runs the sources whose partitions this process owns."""

    def __init__(self, bus: Bus, plan: Plan, adopt: Sequence[str] = ()) -> None:
        self._bus, self._plan, self._adopt = bus, plan, frozenset(adopt)
        self._consumer: Consumer = bus.cluster.group_consumer(STAGE)
        self.pulse = Pulse()
        self._running: dict[str, Running] = {}

    def run(self, stop: Flag) -> None:
        """Work until `stop` is set. Raises what a source's thread met that is no far error."""
        topic = self._bus.cluster.name(POSITIONS)
        self._consumer.subscribe(
            [topic], on_assign=self._take_over, on_revoke=self._give_away, on_lost=self._give_away
        )
        try:
            while not stop.is_set():
                self._consumer.poll(POLL_S)
                self.pulse.beat()
                self._raise_defects()
        finally:
            self._stop_all()
            self._consumer.close()

    def _take_over(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        consumer.assign([TopicPartition(each.topic, each.partition, OFFSET_END) for each in partitions])
        consumer.pause(list(partitions))
        owned = {each.partition for each in partitions}
        for name in self._bus.sources:
            if partition_of(name, self._bus.partitions) in owned:
                self._start(name)
        metrics.OWNED.labels(STAGE).set(len(owned))

    def _give_away(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        self._stop_all()
        consumer.unassign()
        metrics.OWNED.labels(STAGE).set(0)

    def _start(self, name: str) -> None:
        stop = Flag()
        running = Running(name, stop, Thread(target=lambda: self._run(running), name=f"source-{name}"))
        self._running[name] = running
        running.thread.start()
        log.info("source %s: started", name)

    def _run(self, running: Running) -> None:
        try:
            attached = self._bus.attached[running.name]
            SourceTask(self._bus, attached, self._plan, running.name in self._adopt).run(running.stop)
        except Fenced as error:
            log.error("source %s: another process runs it now, stopped here: %s", running.name, error)
        except Exception as error:
            running.defect = error

    def _raise_defects(self) -> None:
        for running in self._running.values():
            if running.defect is not None:
                raise running.defect

    def _stop_all(self) -> None:
        for running in self._running.values():
            running.stop.set()
        for running in self._running.values():
            running.thread.join()
        self._running.clear()
