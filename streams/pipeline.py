"""The pipeline's task: consume, process, and commit outputs, state and offsets as one transaction.

The rules marked ▲ in DESIGN section 4 are kept here, in `state.py` and in `kafka/transaction.py`; each has a test in
tests/integration that fails when it is broken.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from threading import Event as Flag

from schemas.catalog import ORDERS, PRODUCTION, STATE, STATUS
from schemas.codec import CodecError
from schemas.event import Event
from schemas.wire import event_of, headers_of
from streams import metrics
from streams.beginnings import PARK_AT, Beginnings
from streams.bus import Bus, deliveries, pipeline_topics
from streams.by_reference import whole
from streams.clock import check_against_broker, now_us
from streams.incoming import Entry, Incoming, incoming_of
from streams.kafka.client import Consumer, Message, TopicPartition
from streams.kafka.consuming import good, next_offsets, offset_of, place, seek_back
from streams.kafka.reading import settled_offsets
from streams.kafka.topics import check_partitions
from streams.kafka.transaction import Aborted, NotOwned, Outgoing, Transactions, Unsettled, checked_size
from streams.lanes import Lanes
from streams.live_plans import LivePlans
from streams.outcome import Kills, reason_for
from streams.parking import Parking
from streams.process import Addressed, process
from streams.pulse import Pulse
from streams.references import ReferenceTables
from streams.repairs import Repairs
from streams.state import Table
from streams.stopping import MustStop

log = logging.getLogger(__name__)

STAGE = "pipeline"
BATCH = 500
POLL_S = 0.2
NOT_OWNED = sys.maxsize
RECORDS = {ORDERS: "SalesOrder", PRODUCTION: "JobResponse"}


class Pipeline:
    """One member of the pipeline's group. `slot` names its transactional id, stable for the process's place."""

    def __init__(self, bus: Bus, slot: int, plans: LivePlans) -> None:
        self._cluster, self._partitions = bus.cluster, bus.partitions
        self._plans, self._plan = plans, plans.current()
        self.pulse = Pulse()
        self._references = ReferenceTables(bus.cluster)
        self._states = Table(bus.cluster, STATE)
        self._parking = Parking(bus.cluster, STAGE, self._plan.id)
        self._repairs = Repairs(bus.cluster, self._parking, self._references)
        self._readers = {record: bus.cluster.reader(record) for record in RECORDS.values()}
        self._writers = {name: bus.cluster.writer(name) for name in ("JobOrder", "OrderStatus", "OrderState")}
        self._read_state = bus.cluster.reader("OrderState")
        self._transactions = Transactions(bus.cluster, f"{STAGE}-{slot}")
        self._consumer: Consumer = bus.cluster.group_consumer(STAGE)
        self._beginnings = Beginnings(self._consumer)
        self._positions: dict[tuple[str, int], int] = {}
        self._lanes, self._deliveries = Lanes(), deliveries(bus)
        self._assignment = 0

    def run(self, stop: Flag) -> None:
        """Work until `stop` is set. Raises what must end the process: Fenced, PositionLost, ClockApart, …"""
        try:
            self._open()
            while not stop.is_set():
                self.turn()
        finally:
            self.close()

    def _open(self) -> None:
        topics = [*pipeline_topics(), *self._deliveries, STATE, self._parking.table.topic]
        check_partitions(self._cluster, topics, self._partitions)
        began = now_us()
        probe = Outgoing(STATE, "clock", None, partition=0)
        check_against_broker(self._transactions.broker_time_ms(probe), began, now_us())
        self._references.load()
        topics = [self._cluster.name(topic) for topic in pipeline_topics()]
        self._consumer.subscribe(
            topics, on_assign=self._take_over, on_revoke=self._give_away, on_lost=self._give_away
        )

    def close(self) -> None:
        """Leave the group and let go of everything."""
        self._consumer.close()
        self._transactions.close()
        self._repairs.close()
        self._references.close()

    def _take_over(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        self._assignment += 1
        consumer.assign(self._restore(consumer, partitions))
        metrics.OWNED.labels(STAGE).set(len(self._states.owned))
        log.info("pipeline: owns partitions %s", sorted(self._states.owned))

    def _restore(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> list[TopicPartition]:
        """Restore the state of what is ours now: first the committed offsets, then all up to the high watermark."""
        numbers = _same_numbers(partitions)
        offsets = settled_offsets(self._cluster, STAGE, consumer, partitions)
        self._states.restore(numbers)
        self._parking.restore(numbers)
        self._positions = {(each.topic, each.partition): each.offset for each in offsets}
        self._repairs.restored()
        self._beginnings.taken_over(offsets)
        return offsets

    def _give_away(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        self._assignment += 1
        self._positions = {}
        self._beginnings.given_away()
        self._states.disown()
        self._parking.disown()
        metrics.OWNED.labels(STAGE).set(0)
        consumer.unassign()

    def turn(self) -> None:
        """One batch: everything that was consumed, and what is to be processed again."""
        size = 1 if self._beginnings.careful else BATCH
        messages = self._ours(good(self._consumer.consume(size, timeout=POLL_S)))
        messages = self._beginnings.narrowed(messages, self._consumer)
        self.pulse.beat()
        metadata, assignment = self._consumer.consumer_group_metadata(), self._assignment
        self._follow_definitions()
        again = [] if self._beginnings.careful else self._repairs.due()
        if not messages and not again:
            self._beginnings.idle()
            return
        with self._beginnings.counted(messages):
            outgoing = self._work(messages, again)
        try:
            self._repairs.write_down()
            self._commit(messages, outgoing, metadata, assignment)
        except Aborted as error:
            log.warning("pipeline: batch aborted, done again: %s", error)
            self._undo(messages)
        except Unsettled as error:
            log.warning("pipeline: the commit was not answered, going on from what is there now: %s", error)
            self._settle()
        else:
            self._accept(messages)

    def _follow_definitions(self) -> None:
        """Between two batches: what is live now is what the next one is processed with."""
        plan = self._plans.current()
        if plan is not self._plan:
            self._plan = plan
            self._repairs.activated(plan.id)

    def _ours(self, messages: Sequence[Message]) -> list[Message]:
        """Without what a rebalance in the middle of the consume left over: not owned now, or read a second time."""
        return [each for each in messages if offset_of(each) >= self._positions.get(place(each), NOT_OWNED)]

    def _work(self, messages: Sequence[Message], again: Sequence[Entry]) -> list[Outgoing]:
        outgoing: list[Outgoing] = []
        for entry in again:
            outgoing += self._redrive(entry)
        for message in messages:
            topic = self._cluster.plain(place(message)[0])
            if self._beginnings.kills(message):
                self._set_aside(topic, message)
            elif topic in RECORDS:
                outgoing += self._message(topic, message)
            else:
                for entry in self._repairs.carry_out(message):
                    outgoing += self._redrive(entry)
        return outgoing

    def _set_aside(self, topic: str, message: Message) -> None:
        """Park a record that kills every worker, as it came; a command that does is left out."""
        if topic in RECORDS:
            incoming = incoming_of(topic, message)
            self._park(incoming.partition, incoming, Kills(f"{PARK_AT} workers died when they began it"))
        else:
            log.error("pipeline: a command at %d was left out, workers died of it", offset_of(message))

    def _message(self, topic: str, message: Message) -> list[Outgoing]:
        metrics.CONSUMED.labels(STAGE, topic).inc()
        incoming = incoming_of(topic, message)
        return self._one(incoming.partition, incoming)

    def _redrive(self, entry: Entry) -> list[Outgoing]:
        before = self._parking.entry(entry.partition, entry.parked_id)
        return [] if before is None else self._one(entry.partition, before.incoming)

    def _one(self, partition: int, incoming: Incoming) -> list[Outgoing]:
        """Process one record; what cannot be processed is parked, and the others go on."""
        try:
            self._parking.check_turn(partition, incoming, incoming.record)
            event = self._event(whole(self._cluster, incoming))
            stored = self._states.get(partition, event.key)
            state = None if stored is None else self._read_state(stored)
            result = process(event, state, now_us(), self._plan, self._references, self._lanes)
            outgoing = [self._outgoing(partition, each) for each in result.events if self._is_taken(each)]
            if result.state is not None:
                kept = Outgoing(STATE, event.key, self._writers["OrderState"](result.state))
                self._states.put(partition, event.key, checked_size(kept).value)
        except Exception as error:  # a defect of one record must not stop the others: parked, named and counted
            self._park(partition, incoming, error)
            return []
        self._parking.got_through(partition, incoming, incoming.record)
        return outgoing

    def _park(self, partition: int, incoming: Incoming, error: Exception) -> None:
        reason = reason_for(error)
        metrics.PARKED.labels(STAGE, reason.cause).inc()
        log.warning("pipeline: parked %s (%s: %s)", incoming.parked_id, reason.cause, reason.message)
        self._parking.park(partition, incoming, reason, now_us())

    def _event(self, incoming: Incoming) -> Event:
        record = RECORDS.get(incoming.topic)
        if record is None:
            raise CodecError(f"the pipeline reads no records of {incoming.topic}")
        return event_of(record, self._readers[record](incoming.content), incoming.headers)

    def _is_taken(self, addressed: Addressed) -> bool:
        """A connector that only reads, as one of dropped files, is told nothing of its orders."""
        told = addressed.event.record == "OrderStatus" and addressed.topic != STATUS
        return not told or addressed.topic in self._deliveries

    def _outgoing(self, partition: int, addressed: Addressed) -> Outgoing:
        event = addressed.event
        data = self._writers[event.record](event.value)
        return checked_size(Outgoing(addressed.topic, event.key, data, headers_of(event), partition))

    def _commit(
        self, messages: Sequence[Message], outgoing: Sequence[Outgoing], metadata: object, assignment: int
    ) -> None:
        began = now_us()
        states = [Outgoing(STATE, key, value, partition=number) for number, key, value in self._states.changes()]
        with self._transactions.open() as transaction:
            for record in (*outgoing, *states, *self._parking.outgoing()):
                transaction.send(record)
            if assignment != self._assignment:
                raise NotOwned("the assignment changed under the batch")
            transaction.send_offsets(self._offsets(messages), metadata)
        if transaction.broker_time_ms is not None:
            check_against_broker(transaction.broker_time_ms, began, now_us())

    def _offsets(self, messages: Sequence[Message]) -> list[TopicPartition]:
        """The batch's offsets; without messages the present ones, so that a zombie is fenced all the same."""
        moved = {(each.topic, each.partition): each.offset for each in next_offsets(messages)}
        foreign = sorted(set(moved) - set(self._positions))
        if foreign:
            raise NotOwned(f"offsets of partitions that are not owned: {foreign}")
        chosen = moved or self._positions
        plain = [TopicPartition(topic, number, offset) for (topic, number), offset in chosen.items()]
        return self._beginnings.to_commit(plain)

    def _accept(self, messages: Sequence[Message]) -> None:
        offsets = next_offsets(messages)
        self._positions |= {(each.topic, each.partition): each.offset for each in offsets}
        self._beginnings.committed(offsets)
        self._states.merge()
        self._parking.table.merge()
        self._repairs.settled()
        metrics.COMMITTED.labels(STAGE).inc()

    def _settle(self) -> None:
        """Restore what is owned, and read on from the offsets that were committed."""
        metrics.ABORTED.labels(STAGE).inc()
        for where in self._restore(self._consumer, self._consumer.assignment()):
            self._consumer.seek(where)

    def _undo(self, messages: Sequence[Message]) -> None:
        metrics.ABORTED.labels(STAGE).inc()
        self._drop()
        seek_back(self._consumer, messages)

    def _drop(self) -> None:
        self._states.drop()
        self._parking.drop()


def _same_numbers(partitions: Sequence[TopicPartition]) -> frozenset[int]:
    """The partition numbers owned, the same of every topic: else one order's state would be on two workers."""
    by_topic: dict[str, set[int]] = {}
    for each in partitions:
        by_topic.setdefault(each.topic, set()).add(each.partition)
    sets = {frozenset(numbers) for numbers in by_topic.values()}
    if len(sets) > 1:
        raise AssignmentSplit(f"the group split one order's topics over workers: {by_topic}")
    return next(iter(sets), frozenset())


class AssignmentSplit(MustStop):
    """Another assignor than `range` is at work in the group; nothing may be processed."""
