"""The sink task: consume, map, write to the far system, then park what it refused, then commit the offsets.

No transaction is open during a far call. A repeat is harmless: a parked record's key is the same, and the version
guard in or before the far system lets no older state through.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from threading import Event as Flag

from mappings import Context
from schemas.catalog import NAMESPACE, command_topic
from schemas.codec import CodecError
from schemas.document import Document
from schemas.event import Event
from schemas.wire import event_of
from streams import metrics
from streams.beginnings import PARK_AT
from streams.bus import Attached, Bus, sink_topics
from streams.by_reference import whole
from streams.clock import now_us
from streams.far_gate import Gate
from streams.far_writer import FarAway, FarWriter
from streams.incoming import Incoming, incoming_of
from streams.kafka.client import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from streams.kafka.consuming import offset_of, place
from streams.kafka.topics import check_partitions
from streams.kafka.transaction import produce
from streams.lane_reader import LaneReader
from streams.lanes import is_urgent
from streams.lease import AssignmentLost, PartitionLease
from streams.live_plans import LivePlans
from streams.outcome import InTurn, Kills, NoMapping, reason_for
from streams.outlook import Outlook
from streams.parking import Parking
from streams.pulse import Pulse
from streams.references import ReferenceTables
from streams.repairs import Repairs
from streams.sink_batch import Ready, chunks, newest

log = logging.getLogger(__name__)

REST_S = 1.0
STATUS = "OrderStatus"
RECORDS = ("JobOrder", STATUS)


class SinkTask:
    """One member of a sink's group."""

    def __init__(self, bus: Bus, attached: Attached, plans: LivePlans) -> None:
        self._cluster, self._partitions, self._attached = bus.cluster, bus.partitions, attached
        self._plans, self._plan = plans, plans.current()
        self.pulse = Pulse()
        self.stage = f"sink.{attached.name}"
        self._commands = command_topic(self.stage)
        self._references = ReferenceTables(bus.cluster)
        self._parking = Parking(bus.cluster, self.stage, self._plan.id)
        self._repairs = Repairs(bus.cluster, self._parking, self._references)
        self._readers = {record: bus.cluster.reader(record) for record in RECORDS}
        self._producer: Producer = bus.cluster.producer()
        self._lanes = LaneReader(bus.cluster, self.stage, attached.name)
        self._beginnings = self._lanes.beginnings
        self.gate = Gate(self.stage, attached.config.windows)
        self._far = FarWriter(self.stage, attached, self.gate)
        self._outlook = Outlook(self.stage, self._lanes.backlog)
        self._lease = PartitionLease(self._lanes.group, self.pulse)

    def run(self, stop: Flag) -> None:
        """Work until `stop` is set. Raises what must end the process."""
        self._lease.ends_with(stop)
        try:
            check_partitions(self._cluster, sink_topics(self._attached.name), self._partitions)
            self._references.load()
            self._lanes.subscribe(self._take_over, self._give_away)
            while not stop.is_set():
                self.turn()
        finally:
            self.close()

    def close(self) -> None:
        """Leave the group and let go of the far system."""
        self._far.close()
        self._lanes.close()
        self._producer.flush(5.0)
        self._repairs.close()
        self._references.close()

    def _take_over(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        numbers = {each.partition for each in partitions}
        self._parking.restore(numbers)
        self._lanes.take_over(partitions)
        self._far.owns(len(numbers), self._partitions)
        self._repairs.restored()
        self._lease.changed()
        metrics.OWNED.labels(self.stage).set(len(numbers))

    def _give_away(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        self._lease.changed()
        self._parking.disown()
        self._lanes.give_away()
        metrics.OWNED.labels(self.stage).set(0)

    def turn(self) -> None:
        """One batch, from consume to commit."""
        self._outlook.show()
        if self.gate.window_s:
            self._rest()
            return
        messages = self._lanes.next(bulk=self._far.spares_bulk())
        self._lease.begin()
        self.pulse.beat()
        metrics.LAST_POLL.labels(self.stage).set_to_current_time()
        self._follow_definitions()
        again = [] if self._beginnings.careful else self._repairs.due()
        incoming = [*(entry.incoming for entry in again), *self._incoming(messages)]
        if not incoming and not messages:
            self._beginnings.idle()
            return
        try:
            with self._beginnings.counted(messages):
                self._repairs.write_down()
                began, bulk = time.monotonic(), self._lanes.is_bulk(messages)
                for chunk in chunks(self._ready(incoming)):
                    self._deliver(chunk, bulk)
                self._outlook.wrote(len(incoming), time.monotonic() - began)
                self._publish_parked()
            self._commit(messages)
        except (AssignmentLost, FarAway) as error:
            log.warning("%s: %s", self.stage, error)
            self._parking.drop()
            if isinstance(error, FarAway):
                self._leave_alone(messages, error.wait_s)

    def _rest(self) -> None:
        """A planned downtime: nothing is read, the group is kept."""
        self._lease.begin()
        try:
            self._lease.wait(min(self.gate.window_s, REST_S))
        except AssignmentLost as lost:
            log.info("%s: %s", self.stage, lost)
        if not self.gate.window_s:
            log.info("%s: after the planned downtime %s", self.stage, self._outlook.in_words())

    def _leave_alone(self, messages: Sequence[Message], seconds: float) -> None:
        """Wait, then read the batch again together with what has come since: only the newest of it is sent."""
        self._lanes.seek_back(messages)
        try:
            self._lease.wait(seconds)
        except AssignmentLost as lost:
            log.warning("%s: %s", self.stage, lost)

    def _follow_definitions(self) -> None:
        """Between two batches: what is live now is what the next one is processed with."""
        plan = self._plans.current()
        if plan is not self._plan:
            self._plan = plan
            self._repairs.activated(plan.id)

    def _incoming(self, messages: Sequence[Message]) -> Iterator[Incoming]:
        for message in messages:
            topic = self._cluster.plain(place(message)[0])
            metrics.CONSUMED.labels(self.stage, topic).inc()
            if self._beginnings.kills(message):
                self._set_aside(topic, message)
            elif topic == self._commands:
                yield from (entry.incoming for entry in self._repairs.carry_out(message))
            else:
                yield incoming_of(topic, message)

    def _set_aside(self, topic: str, message: Message) -> None:
        """Park a record that kills every worker, as it came; a command that does is left out."""
        if topic == self._commands:
            log.error("%s: a command at %d was left out, workers died of it", self.stage, offset_of(message))
        else:
            self._park(incoming_of(topic, message), Kills(f"{PARK_AT} workers died when they began it"))

    def _ready(self, incoming: Sequence[Incoming]) -> list[Ready]:
        """The newest mapped record of each subject, the urgent first; what cannot be mapped is parked."""
        found: list[Ready] = []
        for each in incoming:
            try:
                ready = self._mapped(each)
            except Exception as error:  # one record's defect must not stop the sink: parked, named and counted
                self._park(each, error)
                continue
            if ready is None:  # the mapping leaves it out, and with it what it supersedes
                self._parking.got_through(each.partition, each, each.record)
            else:
                found.append(ready)
        return newest(found)

    def _mapped(self, incoming: Incoming) -> Ready | None:
        event = self._event(whole(self._cluster, incoming))
        compiled = self._plan.to_document(event.record, self._attached.connector.name, self._attached.name)
        if compiled is None and event.record == STATUS:
            return None  # the system that has sold it did not ask how it goes on; the topic order.status has it
        if compiled is None:
            raise NoMapping(f"no live mapping makes a document of {self._attached.connector.name} of {event.record}")
        context = Context(
            connector=self._attached.name,
            key=event.key,
            subject=event.subject,
            version=event.version,
            destination=self._attached.name,
            references=self._references,
            line=None,
        )
        fields = compiled.document(event.value, context)
        if fields is None:
            return None
        document = Document(compiled.target, event.subject, str(event.version), fields)
        return Ready(incoming, event.version, document, is_urgent(event.value))

    def _event(self, incoming: Incoming) -> Event:
        record = incoming.headers.get("ce_type", "").removeprefix(f"{NAMESPACE}.")
        if record not in self._readers:
            raise CodecError(f"a sink takes {' and '.join(RECORDS)}, not {record or 'a record without ce_type'}")
        return event_of(record, self._readers[record](incoming.content), incoming.headers)

    def _deliver(self, chunk: Sequence[Ready], bulk: bool) -> None:
        """Write one chunk, however long the far system needs. Raises AssignmentLost."""
        chunk = [each for each in chunk if self._may_go(each.incoming)]
        lease = self._beginnings.waiting(self._lease)
        refused = self._far.write([each.document for each in chunk], lease, bulk)
        rejections = {each.index: each.error for each in refused}
        for index, ready in enumerate(chunk):
            if index in rejections:
                self._park(ready.incoming, rejections[index])
            else:
                self._parking.got_through(ready.incoming.partition, ready.incoming, ready.incoming.record)
        metrics.WRITTEN.labels(self.stage).inc(len(chunk) - len(rejections))

    def _may_go(self, incoming: Incoming) -> bool:
        try:
            self._parking.check_turn(incoming.partition, incoming, incoming.record)
        except InTurn as error:
            self._park(incoming, error)
            return False
        return True

    def _park(self, incoming: Incoming, error: Exception) -> None:
        reason = reason_for(error)
        metrics.PARKED.labels(self.stage, reason.cause).inc()
        log.warning("%s: parked %s (%s: %s)", self.stage, incoming.parked_id, reason.cause, reason.message)
        self._parking.park(incoming.partition, incoming, reason, now_us())

    def _publish_parked(self) -> None:
        failed: list[KafkaError] = []
        for record in self._parking.outgoing():
            produce(
                self._producer,
                self._cluster,
                record,
                lambda error, _: failed.append(error) if error is not None else None,
            )
        left = self._producer.flush(30.0)
        if failed or left:
            raise KafkaException(failed[0] if failed else KafkaError(KafkaError._MSG_TIMED_OUT))

    def _commit(self, messages: Sequence[Message]) -> None:
        self._parking.table.merge()
        self._repairs.settled()
        try:
            self._lanes.commit(messages)
        except KafkaException as error:
            raise AssignmentLost(f"the offsets were refused ({error}); the batch is repeated by its owner") from error
        metrics.COMMITTED.labels(self.stage).inc()
