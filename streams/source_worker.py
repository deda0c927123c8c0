"""The process of sources: all join one group over `bus.positions`, and each source runs where its position is.

Ownership follows the partition of the source's key, so that two processes never both run one source for long, and
the loser of a race is fenced by the source's transactional id.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event as Flag
from threading import Thread

from schemas.catalog import POSITIONS
from streams import metrics
from streams.bus import Bus
from streams.far_gate import Gate
from streams.intake import stage_of
from streams.kafka.client import OFFSET_END, Consumer, TopicPartition
from streams.kafka.cluster import SESSION_TIMEOUT_MS
from streams.kafka.partitions import partition_of
from streams.kafka.transaction import Fenced
from streams.live_plans import LivePlans
from streams.pulse import Pulse
from streams.source_task import SourceTask
from streams.stopping import MustStop

log = logging.getLogger(__name__)

STAGE = "sources"
POLL_S = 0.2
OWNER_AFTER_S = 2 * SESSION_TIMEOUT_MS / 1000


@dataclass
class Running:
    """One source's thread, its stop flag, what ended it, and when it was fenced (monotonic seconds)."""

    name: str
    stop: Flag
    thread: Thread
    defect: Exception | None = None
    fenced_at: float | None = None


class SourceWorker:
    """Runs the sources whose partitions this process owns."""

    def __init__(self, bus: Bus, plans: LivePlans, adopt: Sequence[str] = ()) -> None:
        self._bus, self._plans, self._adopt = bus, plans, frozenset(adopt)
        plans.current()  # a bus on which nothing is live is told before anything is joined
        self._consumer: Consumer = bus.cluster.group_consumer(STAGE)
        self.pulse = Pulse()
        self._running: dict[str, Running] = {}
        self._gates = {name: Gate(stage_of(name), bus.attached[name].config.windows) for name in bus.sources}

    def says(self) -> dict[str, str]:
        """The state of the far systems of the sources that run here, in words."""
        return {name: self._gates[name].says() for name in sorted(self._running)}

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
                self._revive_fenced()
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
        metrics.STOPPED.labels(stage_of(name)).set(0)
        stop = Flag()
        running = Running(name, stop, Thread(target=lambda: self._run(running), name=f"source-{name}"))
        self._running[name] = running
        running.thread.start()
        log.info("source %s: started", name)

    def _run(self, running: Running) -> None:
        try:
            attached = self._bus.attached[running.name]
            adopt, gate = running.name in self._adopt, self._gates[running.name]
            SourceTask(self._bus, attached, self._plans, adopt, gate).run(running.stop)
        except Fenced as error:
            log.error("source %s: another process runs it now, stopped here: %s", running.name, error)
            running.fenced_at = time.monotonic()
        except Exception as error:
            log.error("source %s: stopped: %s", running.name, error)
            metrics.STOPPED.labels(stage_of(running.name)).set(1)
            running.defect = error

    def _raise_defects(self) -> None:
        """A source that only a person can mend stops alone while others run; any other defect ends the process."""
        defects = [each.defect for each in self._running.values() if each.defect is not None]
        alone = all(isinstance(each, MustStop) for each in defects) and len(defects) < len(self._running)
        if defects and not alone:
            raise defects[0]

    def _revive_fenced(self) -> None:
        """Whoever still holds the partition two session time-outs after it was fenced is the owner, and begins again.

        A predecessor that was taken for dead may have fenced us with its last breath; it has lost the group by then.
        """
        for running in list(self._running.values()):
            if running.fenced_at is not None and time.monotonic() - running.fenced_at > OWNER_AFTER_S:
                self._start(running.name)

    def _stop_all(self) -> None:
        for running in self._running.values():
            running.stop.set()
        for running in self._running.values():
            running.thread.join()
        self._running.clear()
