"""The source's own thread: takes what the feeds deliver, reads whole orders, and hands over batches.

    feeds ── Delivery, Broken ──▶ inbox ──▶ Engine ──▶ outbox (one batch) ──▶ SalesforceSource.poll

One batch waits at most, and a feed is asked for more only when its events were taken, so a slow bus slows the org.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from connectors.contract import Batch
from connectors.errors import FarError, LostCursor, Throttled, TransientError
from connectors.salesforce.changes import OVERFLOW, Change, change_of, work_of
from connectors.salesforce.client import Client
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.feed import Broken, Delivery, Feed, News
from connectors.salesforce.orders import Orders, stamp_in
from connectors.salesforce.outcomes import SessionExpired, error_of_rpc
from connectors.salesforce.position import FIRST_START, Standing
from connectors.salesforce.proto import pubsub_api_pb2 as pb
from connectors.salesforce.pubsub import PubSub, refused_again
from connectors.salesforce.rights import check_reading
from connectors.witnesses import check_not_gone_back, witnesses
from schemas.document import Document

LOOK_EVERY_S = 0.2
TAKEN_AT_ONCE = 20
RIGHTS_EVERY_S = 3600.0
MENDS_AT_ONCE, MENDS_WITHIN_S = 6, 60.0

Outcome: TypeAlias = "Batch | Exception | None"
"""None wakes who waits when there is nothing to come any more."""

log = logging.getLogger(__name__)


class Engine:
    """Runs in one thread from `start` to `close`; every failure ends it and comes out of the outbox."""

    def __init__(
        self,
        client: Client,
        pubsub: PubSub,
        config: SalesforceConfig,
        standing: Standing,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._pubsub = pubsub
        self._config = config
        self._orders = Orders(client, config)
        self._standing = standing
        self._handed_over: Standing | None = None
        self._clock = clock
        self._rights_due = clock() + RIGHTS_EVERY_S
        self._inbox: queue.Queue[News] = queue.Queue()
        self._stop = threading.Event()
        self._feeds: dict[str, Feed] = {}
        self._mends: list[float] = []
        # A first start begins at the tip; who has been here before and has no replay id begins at the oldest event.
        self._preset: pb.ReplayPreset.ValueType = pb.LATEST if standing == FIRST_START else pb.EARLIEST
        self._thread = threading.Thread(target=self._run, name="salesforce-source", daemon=True)
        self.outbox: queue.Queue[Outcome] = queue.Queue(maxsize=1)

    def start(self) -> None:
        """Subscribe to every topic and begin. Raises PositionRefused where the org was restored from a backup."""
        self._check_not_gone_back()
        if self._standing == FIRST_START:
            self._standing = self._standing.begun(self._config.topics, self._client.clock.certain_us)
        for topic in self._config.topics:
            self._subscribe(topic, self._preset)
        self._thread.start()

    def close(self) -> None:
        """End the thread and all streams; what it waits for is aborted. Safe twice, and before `start`."""
        self._stop.set()
        self._pubsub.close()
        while self._thread.is_alive():
            self._client.abort()
            self._thread.join(LOOK_EVERY_S)
        for feed in self._feeds.values():
            feed.close()
        self._feeds.clear()

    def wake(self) -> None:
        """After `close`: whoever waits at the outbox waits no longer."""
        with contextlib.suppress(queue.Full):  # then there is something for them
            self.outbox.put_nowait(None)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._round()
        except Exception as error:  # whatever it is, the caller of poll gets it
            self._hand_over(error)

    def _round(self) -> None:
        self._check_rights()
        self._mend_silent()
        news = self._news(wait_s=0 if self._may_walk() else LOOK_EVERY_S)
        deliveries = [item for item in news if isinstance(item, Delivery) and self._current(item.feed)]
        if deliveries:
            self._emit(self._digest(deliveries))
        for item in news:
            if isinstance(item, Broken) and self._current(item.feed):
                self._mend(item)
        if self._may_walk() and not self._stop.is_set():
            self._walk()

    def _news(self, wait_s: float) -> list[News]:
        """What the feeds delivered, after a wait for the first."""
        news: list[News] = []
        try:
            news.append(self._inbox.get(timeout=wait_s) if wait_s else self._inbox.get_nowait())
            while len(news) < TAKEN_AT_ONCE:
                news.append(self._inbox.get_nowait())
        except queue.Empty:
            return news
        return news

    def _current(self, feed: Feed) -> bool:
        return self._feeds.get(feed.topic) is feed

    def _may_walk(self) -> bool:
        """Reading in keyset order begins only once every feed has told where it stands."""
        return bool(self._standing.walks) and all(topic in self._standing.replay for topic in self._config.topics)

    def _digest(self, deliveries: Sequence[Delivery]) -> list[Document]:
        """Read the orders that some deliveries are about, and move on behind them."""
        changes: list[Change] = []
        for delivery in deliveries:
            known, failed = self._changes(delivery)
            changes.extend(known)
            if failed or any(change.kind == OVERFLOW for change in known):
                log.warning(
                    "salesforce: events of %s are missing; what changed since the last is read", delivery.feed.topic
                )
                self._standing = self._standing.resyncing_recent(delivery.feed.topic)
            newest = max((change.commit_us for change in known), default=0)
            replay = base64.b64encode(delivery.replay_id).decode()
            self._standing = self._standing.advanced(delivery.feed.topic, replay, newest)
        work = work_of(changes, self._orders.order_of_line)
        found, lost = self._orders.orders_of(work.lines)
        reason = work.resync or (f"lines nobody knows: {', '.join(lost)}" if lost else "")
        if reason:
            log.warning("salesforce: everything is read again (%s)", reason)
            self._standing = self._standing.resyncing()
        documents = self._orders.fetch(merged(work.orders, found), work.deleted_lines)
        for delivery in deliveries:
            delivery.feed.taken(delivery)
        return documents

    def _changes(self, delivery: Delivery) -> tuple[list[Change], bool]:
        """The notices of one delivery, and whether an event among them could not be read."""
        known: list[Change] = []
        failed = False
        for event in delivery.response.events:
            decoded = self._decoded(event.event)
            if decoded is None:
                failed = True
            else:
                known.append(decoded)
        return known, failed

    def _decoded(self, event: pb.ProducerEvent) -> Change | None:
        try:
            schema = self._pubsub.schema(event.schema_id)
            change = change_of(self._pubsub.decoded(event, schema), schema)
        except FarError:
            raise
        except Exception:  # a payload that is not of its schema fails wherever the reading of it happens to stumble
            log.exception("salesforce: the event %s does not fit its schema %s", event.id, event.schema_id)
            return None
        log.debug("salesforce: %s %s %s by %s", change.kind, change.entity, change.record_ids, change.origin)
        return change

    def _walk(self) -> None:
        walk = self._standing.walks[0]
        documents, after = self._orders.page(walk)
        self._standing = self._standing.walked(after)
        if after is None:
            log.info("salesforce: %s of %s is done", walk.reason, walk.object)
        self._emit(documents)

    def _emit(self, documents: Sequence[Document]) -> None:
        if not documents and self._standing == self._handed_over:
            return
        self._standing = self._witnessed(documents)
        self._handed_over = self._standing
        position, system = self._standing.to_position(), self._client.token.org_id
        self._hand_over(Batch(documents, position, self._standing.complete, system))

    def _witnessed(self, documents: Sequence[Document]) -> Standing:
        """The standing with the newest orders in mind, and nothing in it that lies in the future."""
        clock = self._client.clock
        read = {each.id: stamp_in(each.fields) for each in documents if not each.deleted}
        left = witnesses(self._standing.witnesses, read, [each.id for each in documents if each.deleted], clock)
        return replace(self._standing, witnesses=left).not_beyond(clock.certain_us)

    def _check_not_gone_back(self) -> None:
        known = self._standing.witnesses
        check_not_gone_back(known, self._orders.stamps(list(known)), self._client.clock)

    def _hand_over(self, outcome: Outcome) -> None:
        while not self._stop.is_set():
            try:
                self.outbox.put(outcome, timeout=LOOK_EVERY_S)
            except queue.Full:
                continue
            return

    def _subscribe(self, topic: str, preset: pb.ReplayPreset.ValueType) -> None:
        replay = self._standing.replay.get(topic)
        start = None if replay is None else base64.b64decode(replay)
        self._feeds[topic] = self._pubsub.subscribe(topic, start, preset, self._inbox)

    def _mend(self, broken: Broken) -> None:
        """Start a feed again behind what was taken from it, once per cause; what persists is raised."""
        feed, topic = broken.feed, broken.feed.topic
        error = None if broken.error is None else error_of_rpc(broken.error, f"subscription to {topic}")
        feed.close()
        self._count_mend(topic)
        self._check_not_gone_back()
        if isinstance(error, LostCursor):
            self._forget(feed, error)
            return
        raise_what_persists(error, feed)
        renewed = isinstance(error, SessionExpired)
        if renewed:
            self._client.renew(self._client.token)
        log.info("salesforce: subscription to %s begins again (%s)", topic, error or "closed by the server")
        self._subscribe(topic, self._preset)
        self._feeds[topic].renewed = renewed

    def _count_mend(self, topic: str) -> None:
        """A stream that ends again and again is begun again at the bus's pace, not at the server's."""
        now = self._clock()
        self._mends = [at for at in self._mends if now - at < MENDS_WITHIN_S] + [now]
        if len(self._mends) > MENDS_AT_ONCE:
            problem = f"the subscription to {topic} ended {len(self._mends)} times within {MENDS_WITHIN_S:.0f} s"
            raise TransientError(problem, retry_after_s=MENDS_WITHIN_S / 2)

    def _forget(self, feed: Feed, error: LostCursor) -> None:
        """A damaged or expired replay id is never used again: oldest event, and a reconcile reads the rest."""
        if not feed.resumed:
            raise TransientError(str(error)) from error
        log.warning("salesforce: %s; the oldest event is next, and orders are reconciled", error)
        self._preset = pb.EARLIEST
        self._standing = self._standing.forgotten(feed.topic)
        self._emit([])
        self._subscribe(feed.topic, pb.EARLIEST)

    def _mend_silent(self) -> None:
        for topic, feed in list(self._feeds.items()):
            if feed.silent:
                feed.close()
                self._subscribe(topic, self._preset)

    def _check_rights(self) -> None:
        """Field-level security can change at any time, and says nothing."""
        if self._clock() >= self._rights_due:
            check_reading(self._client, self._config)
            self._rights_due = self._clock() + RIGHTS_EVERY_S


def raise_what_persists(error: Exception | None, feed: Feed) -> None:
    """Return where the feed may be begun again at once: after a drop that came behind an answer, or with a new token.

    A feed that broke before its first answer would break again.
    """
    if isinstance(error, SessionExpired):
        if feed.renewed and not feed.answered:
            raise refused_again(error)
        return
    passing = error is None or (isinstance(error, TransientError) and not isinstance(error, Throttled))
    if not (passing and feed.answered):
        raise error or TransientError(f"subscription to {feed.topic}: the server closes it at once")


def merged(*wanted: Mapping[str, int]) -> dict[str, int]:
    """Orders with the newest of their notices' times."""
    whole: dict[str, int] = {}
    for each in wanted:
        for order_id, commit_us in each.items():
            whole[order_id] = max(whole.get(order_id, 0), commit_us)
    return whole
