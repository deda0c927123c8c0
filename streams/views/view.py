"""The view of orders: reads, watches itself, and answers with a report."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Event as Flag

from schemas.catalog import ORDERS, STATUS
from streams.bus import Bus, deliveries
from streams.kafka.client import AdminClient, KafkaException, TopicCollection
from streams.kafka.reading import end_offsets
from streams.kafka.topics import check_partitions
from streams.pulse import Pulse
from streams.views import kpi
from streams.views.app import FaustWorker
from streams.views.store import Place, Store
from streams.views.watch import Watch, committed_from

log = logging.getLogger(__name__)

LOOK_S = 1.0
START_LOOK_S = 0.1
ANSWER_S = 15.0
WINDOW_S = 60


class NotRunning(RuntimeError):
    """The view has nothing to report before it runs and after it has ended."""


class View:
    """Orders placed, released and completed per window, and the two latencies.

    `folder` is this view's alone and holds nothing that is not in the topics: delete it, and the next run reads them
    again from their first record and comes to the same numbers, for as far back as the topics reach (30 days).
    `window_s` is the width of a window in seconds.
    """

    def __init__(self, bus: Bus, folder: Path, window_s: int = WINDOW_S) -> None:
        self._cluster, self._partitions = bus.cluster, bus.partitions
        self._plain = [ORDERS, STATUS, *deliveries(bus)]
        self._folder, self._window_s = folder, window_s
        self._admin = bus.cluster.admin()
        self._pulse = Pulse()
        self._store: Store | None = None
        self._reporting = threading.Lock()
        self._caught_up = False

    def run(self, stop: Flag) -> None:
        """Read until `stop` is set, then leave in order.

        Raises StandsStill or FaustFailed where Faust does not work any more: end the process, the next one goes on
        where this one stood. Raises TopicsRefused where a topic is missing and StoreTaken where the folder is in use.
        """
        check_partitions(self._cluster, self._plain, self._partitions)
        topics = topic_ids(self._admin, [self._cluster.name(name) for name in self._plain])
        store = Store.open(self._folder / "orders", topics)
        worker = FaustWorker(self._cluster, list(topics), store, self._folder / "faust")
        try:
            self._store = store
            worker.start()
            self._watch(worker, store, stop)
        finally:
            self._pulse = Pulse()
            worker.stop()
            with self._reporting:
                self._store = None
                store.close()

    def report(self) -> kpi.Report:
        """The numbers now. Raises NotRunning."""
        with self._reporting:
            if self._store is None:
                raise NotRunning("the view does not run")
            return kpi.report(self._store.orders(), self._window_s)

    def healthy(self) -> bool:
        """Whether it runs and reads what there is to read."""
        return self._pulse.healthy()

    def caught_up(self) -> bool:
        """Whether everything that was in the topics a moment ago is in the report."""
        return self._caught_up

    def _watch(self, worker: FaustWorker, store: Store, stop: Flag) -> None:
        watch = Watch(partial(committed_from, self._cluster))
        places = [(self._cluster.name(name), number) for name in self._plain for number in range(self._partitions)]
        while not stop.is_set():
            worker.check()
            if worker.ready:
                self._look(watch, worker, store, places)
            stop.wait(LOOK_S if worker.ready else START_LOOK_S)

    def _look(self, watch: Watch, worker: FaustWorker, store: Store, places: Sequence[Place]) -> None:
        try:
            ends = end_offsets(self._admin, places)
            handled, positions = worker.reading.handled, {place: store.position(place) for place in places}
            watch.look(handled, positions, ends)
        except KafkaException as error:
            watch.blind()
            log.warning("views: Kafka does not say how far the topics are: %s", error)
        self._caught_up = watch.caught_up
        self._pulse.beat()


def topic_ids(admin: AdminClient, names: list[str]) -> Mapping[str, str]:
    """The ids that the cluster gave the topics when it made them. Raises KafkaException for an unknown topic."""
    answers = admin.describe_topics(TopicCollection(names), request_timeout=ANSWER_S)
    return {name: str(answer.result(ANSWER_S).topic_id) for name, answer in answers.items()}
