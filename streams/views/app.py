"""The Faust app: one agent reads every topic that says something about an order and folds it into the store.

It only reads. Nothing is sent, no topic is made, no table has a changelog: Faust commits input whose output it never
sent, and here there is none. It runs in a thread with an event loop of its own, because the role's process has other
things to do, and without Faust's command line, web server and signal handlers.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import faust
from faust.types import Message, StreamT
from prometheus_client import Counter

from schemas.catalog import NAMESPACE
from schemas.codec import CodecError
from schemas.event import Event
from schemas.wire import event_of, header_texts
from streams import metrics
from streams.kafka.cluster import Cluster
from streams.views.committed import CommittedTransport
from streams.views.credentials import credentials_of
from streams.views.facts import READS, fold
from streams.views.store import Store

log = logging.getLogger(__name__)

STAGE = "views"
START_S, STOP_S = 60.0, 20.0
SESSION_TIMEOUT_S = 10.0  # Faust's own 60 s would be a minute of silence after every crash
HEARTBEAT_S = 2.0
UNREADABLE = Counter("lineshaft_view_unreadable_records_total", "Records that a view could not read.", ["topic"])


class FaustFailed(RuntimeError):
    """The Faust worker ended by itself, or did not start or stop in time; starting the process again helps."""


class Reading:
    """Folds messages into the store. `handled` counts them."""

    def __init__(self, cluster: Cluster, store: Store) -> None:
        self._cluster, self._store = cluster, store
        self._readers = {record: cluster.reader(record, fields) for record, fields in READS.items()}
        self.handled = 0

    def take(self, message: Message) -> None:
        """Fold one message in. What is no record of an order only moves the position."""
        place, topic = (message.topic, message.partition), self._cluster.plain(message.topic)
        if message.offset >= self._store.position(place):
            event = self._event(message, topic)
            if event is None:
                self._store.pass_over(place, message.offset + 1)
            else:
                facts = fold(self._store.facts(event.key), event)
                self._store.keep(event.key, facts, place, message.offset + 1)
        self.handled += 1
        metrics.CONSUMED.labels(STAGE, topic).inc()

    def _event(self, message: Message, topic: str) -> Event | None:
        headers = header_texts(dict(message.headers or ()))
        record = headers.get("ce_type", "").removeprefix(f"{NAMESPACE}.")
        if record not in READS:
            return None
        try:
            return event_of(record, self._readers[record](message.value), headers)
        except CodecError as error:
            UNREADABLE.labels(topic).inc()
            log.warning("%s[%d]@%d is left out of the views: %s", topic, message.partition, message.offset, error)
            return None


class FaustWorker:
    """The app in its thread. Start once, stop once; `check` says whether it still runs."""

    def __init__(self, cluster: Cluster, topics: Sequence[str], store: Store, folder: Path) -> None:
        self._cluster, self._topics, self._store, self._folder = cluster, list(topics), store, folder
        self.reading = Reading(cluster, store)
        self._thread = threading.Thread(target=self._run, name="faust", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end = asyncio.Event()
        self._begun_at = time.monotonic()
        self._failed: BaseException | None = None
        self.ready = False

    def start(self) -> None:
        """Begin to start; `ready` says when that is done."""
        self._thread.start()

    def check(self) -> None:
        """Raise FaustFailed where the worker has ended by itself or does not get ready."""
        if self._failed is not None:
            raise FaustFailed(f"Faust ended: {type(self._failed).__name__}: {self._failed}") from self._failed
        if not self.ready and time.monotonic() - self._begun_at > START_S:
            raise FaustFailed(f"Faust was not ready within {START_S:.0f} s")

    def stop(self) -> None:
        """Finish the record in hand, leave the group and end the thread. Raises FaustFailed where it does not end."""
        while self._loop is None and self._thread.is_alive():
            self._thread.join(0.01)
        if self._loop is not None and not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):  # it was closed just now
                self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(STOP_S)
        if self._thread.is_alive():
            raise FaustFailed(f"Faust did not stop within {STOP_S:.0f} s")

    def _run(self) -> None:
        try:
            asyncio.run(self._work())
        except Exception as error:
            self._failed = error

    async def _work(self) -> None:
        self._loop = asyncio.get_running_loop()
        app = self._app()
        ended = asyncio.create_task(self._asked_to_end())
        try:
            await _first(asyncio.create_task(app.start()), ended)
            self.ready = not ended.done()
            await _first(asyncio.create_task(app.wait_until_stopped()), ended)
            if not ended.done():
                raise app.crash_reason or FaustFailed("it stopped by itself")
        finally:
            await app.stop()

    async def _asked_to_end(self) -> None:
        await self._end.wait()

    def _app(self) -> faust.App:
        app = faust.App(
            self._cluster.name(f"{STAGE}.{self._store.name}"),
            broker=[f"kafka://{each.strip()}" for each in self._cluster.bootstrap.split(",")],
            broker_credentials=credentials_of(self._cluster.settings),
            broker_session_timeout=SESSION_TIMEOUT_S,
            broker_heartbeat_interval=HEARTBEAT_S,
            consumer_auto_offset_reset="earliest",
            value_serializer="raw",
            datadir=str(self._folder),
            autodiscover=False,
            web_enabled=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
        )
        app.transport = CommittedTransport(app, self._store.position)
        topic = app.topic(*self._topics, key_type=bytes, value_type=bytes, value_serializer="raw")

        @app.agent(topic)
        async def read(stream: StreamT[bytes]) -> None:
            async for event in stream.events():
                try:
                    self.reading.take(event.message)
                except Exception as error:  # Faust would log it, take the record as done and go on
                    await app.crash(error)
                    raise

        return app


async def _first(task: asyncio.Task[None], ended: asyncio.Task[None]) -> None:
    """Return when either is done. Raises what the task raised."""
    await asyncio.wait([task, ended], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
