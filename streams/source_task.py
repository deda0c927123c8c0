"""The source task: poll one far system, map, and publish events and position as one transaction.

A position moves only with its events. Whoever holds `source-<name>` last is the owner; a predecessor is fenced.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from threading import Event as Flag
from typing import cast

from connectors.contract import Batch, Position
from connectors.errors import FarError, PositionRefused
from schemas.catalog import POSITIONS, command_topic
from schemas.document import Document, DocumentType, from_json, to_json
from schemas.event import Event, Record
from schemas.wire import headers_of
from streams import metrics
from streams.bus import Attached, Bus
from streams.by_reference import whole
from streams.clock import next_version, now_us
from streams.far_gate import Gate
from streams.far_reader import FarReader
from streams.incoming import Entry
from streams.intake import Intake, Refused, document_of, fetched_us_of, stage_of
from streams.kafka.client import Consumer, Message, TopicPartition
from streams.kafka.cluster import Cluster
from streams.kafka.consuming import good, next_offsets, without_ends
from streams.kafka.partitions import partition_of
from streams.kafka.reading import committed_offsets, read_to_end
from streams.kafka.transaction import Aborted, Outgoing, Transactions, Unsettled
from streams.live_plans import LivePlans
from streams.outcome import Gone, InTurn, reason_for
from streams.parking import Parking
from streams.references import ReferenceTables
from streams.repairs import Repairs
from streams.stopping import MustStop

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 5.0


class AnotherSystem(MustStop):
    """The stored position does not fit the far system: it is another one, or was restored from an old backup.

    Only a person may say that this is meant; everything is then read as on a first start.

    The task does not wait for it to pass: `--adopt` is said at the start.
    """


class SourceTask:
    """One source, run by the one process that owns it."""

    def __init__(
        self, bus: Bus, attached: Attached, plans: LivePlans, adopt: bool = False, gate: Gate | None = None
    ) -> None:
        self._cluster, self._partitions, self._attached, self._adopt = bus.cluster, bus.partitions, attached, adopt
        self._stage = stage_of(attached.name)
        self._far = FarReader(self._stage, attached, gate or Gate(self._stage, attached.config.windows))
        self._references = ReferenceTables(bus.cluster)
        self._plans, plan = plans, plans.current()
        self._parking = Parking(bus.cluster, self._stage, plan.id)
        self._repairs = Repairs(bus.cluster, self._parking, self._references, self._types)
        self._intake = Intake(
            attached.name, attached.connector.name, bus.partitions, plan, self._references, bus.cluster.ids
        )
        self._write_position = bus.cluster.writer("Position")
        self._commands: Consumer = bus.cluster.free_consumer(self._stage)
        self._transactions = Transactions(bus.cluster, f"source-{attached.name}")
        self._stored: Record | None = None
        self._version = 0
        self._read_us = 0
        self._looked_at = 0.0
        self._stop = Flag()

    def _types(self) -> Sequence[DocumentType]:
        return self._attached.connector.documents(self._attached.config)

    def run(self, stop: Flag) -> None:
        """Work until `stop` is set. Raises Fenced where another process has taken the source over."""
        self._stop = stop
        try:
            self._open()
            while not stop.is_set():
                self.turn()
        finally:
            self.close()

    def _open(self) -> None:
        self._references.load()
        self._stored = stored_position(self._cluster, self._attached.name, self._partitions)
        self._look_again()
        topic = self._cluster.name(command_topic(self._stage))
        asked = [TopicPartition(topic, number) for number in range(self._partitions)]
        self._commands.assign(committed_offsets(self._commands, asked))

    def _look_again(self) -> None:
        """Take what the ingress has parked meanwhile."""
        self._parking.restore(range(self._partitions))
        self._repairs.restored()
        self._looked_at = time.monotonic()

    def close(self) -> None:
        """Let go of the far system and of Kafka."""
        self._far.close()
        self._commands.close()
        self._transactions.close()
        self._repairs.close()
        self._references.close()

    def _polled(self) -> Batch | None:
        """What the far system has; nothing while it fails or is left alone, which holds up no command."""
        if self._far.rests(self._stop):
            return None
        moved_us = 0 if self._stored is None else cast("int", self._stored["moved_at"])
        self._read_us = next_version(max(self._read_us, moved_us), now_us())
        try:
            return self._far.poll(self._position)
        except PositionRefused as error:
            self._begin_anew(str(error), error)
            return None

    def _position(self) -> Position | None:
        return None if self._stored is None else cast("Position", from_json(str(self._stored["position"])))

    def turn(self) -> None:
        """One poll and its transaction."""
        batch = self._polled()
        if batch is not None and self._is_another(batch):
            return
        if time.monotonic() - self._looked_at > LOOK_AGAIN_S:
            self._look_again()
        self._follow_definitions()
        commands = good(without_ends(self._commands.consume(100, timeout=0)))
        again = self._repairs.due()
        while not self._commit(batch, commands, again):
            self._parking.drop()
            if self._stop.is_set():
                return  # the batch is read again from the stored position by whoever owns the source next
        self._repairs.settled()

    def _follow_definitions(self) -> None:
        """Between two batches: what is live now is what the next one is processed with."""
        plan = self._plans.current()
        if plan is not self._intake.plan:
            self._intake.plan = plan
            self._repairs.activated(plan.id)

    def _is_another(self, batch: Batch) -> bool:
        known = "" if self._stored is None else str(self._stored["system"])
        if not (batch.system and known and batch.system != known):
            return False
        self._begin_anew(
            f"the position belongs to the system {known}, the far side is {batch.system}. Point the connector back, "
            "or take the other system over"
        )
        return True

    def _begin_anew(self, problem: str, cause: FarError | None = None) -> None:
        """Drop the position and read everything, where a person said so at the start; elsewhere AnotherSystem."""
        name = self._attached.name
        if not self._adopt:
            raise AnotherSystem(f"connectors.{name}: {problem}: `lineshaft run source --adopt {name}`.") from cause
        log.warning("%s: %s. The position is dropped as told, and everything is read anew", self._stage, problem)
        self._adopt = False
        self._far.close()
        self._stored = None

    def _commit(self, batch: Batch | None, commands: Sequence[Message], again: Sequence[Entry]) -> bool:
        """Publish what the batch and the redrives give; False where Kafka aborted it and it is to be done again."""
        position = None if batch is None else self._moved(batch)
        redriven = [
            *(entry for entry in again if self._parking.entry(*entry.place) is not None),
            *(entry for message in commands for entry in self._repairs.carry_out(message)),
        ]
        if position is None and not redriven and not commands:
            return True
        try:
            self._repairs.write_down()
            with self._transactions.open() as transaction:
                for record in self._records(batch, redriven):
                    transaction.send(record)
                if position is not None:
                    transaction.send(self._outgoing_position(position))
                if commands:
                    transaction.send_offsets(next_offsets(commands), self._commands.consumer_group_metadata())
        except Aborted as error:
            metrics.ABORTED.labels(self._stage).inc()
            log.warning("%s: batch aborted, done again: %s", self._stage, error)
            return False
        except Unsettled as error:
            log.warning("%s: the commit was not answered, looking what is there now: %s", self._stage, error)
            return self._settled(position)
        self._stored = position or self._stored
        self._parking.table.merge()
        metrics.COMMITTED.labels(self._stage).inc()
        return True

    def _settled(self, position: Record | None) -> bool:
        """Whether the batch whose commit was not answered is there, so that it need not be done again."""
        metrics.ABORTED.labels(self._stage).inc()
        self._parking.restore(range(self._partitions))
        self._stored = stored_position(self._cluster, self._attached.name, self._partitions)
        return position is not None and self._stored == position

    def _records(self, batch: Batch | None, redriven: Sequence[Entry]) -> list[Outgoing]:
        documents = [each for entry in redriven for each in self._kept(entry)]
        documents += [] if batch is None else [(document, self._read_us) for document in batch.documents]
        backfill = batch is not None and not batch.complete
        found: list[Outgoing] = []
        for document, fetched_us in documents:
            self._version = next_version(self._version, now_us())
            named, record = self._intake.named(document, fetched_us), self._intake.record_of(document)
            partition = self._intake.partition(named)
            taken = (
                self._intake.refused(document, fetched_us, InTurn(f"another {record} of it is parked before it"))
                if self._parking.must_wait(partition, named, record)
                else self._intake.take(document, self._version, fetched_us, backfill)
            )
            if isinstance(taken, Refused):
                metrics.PARKED.labels(self._stage, taken.reason.cause).inc()
                log.warning("%s: parked %s: %s", self._stage, named.parked_id, taken.reason.message)
                self._parking.park(partition, taken.incoming, taken.reason, now_us())
                continue
            self._parking.got_through(partition, named, record)
            if taken is not None:
                metrics.PUBLISHED.labels(self._stage, taken.topic).inc()
                found.append(taken)
        return [*found, *self._parking.outgoing()]

    def _kept(self, entry: Entry) -> list[tuple[Document, int | None]]:
        """A parked document and when it was read; none where only the far system has it, which is then said."""
        try:
            return [(document_of(whole(self._cluster, entry.incoming)), fetched_us_of(entry.incoming))]
        except Gone as gone:
            self._parking.park(entry.partition, entry.incoming, reason_for(gone), now_us())
            return []

    def _moved(self, batch: Batch) -> Record | None:
        """The new Position; None where nothing moved."""
        text = to_json(batch.position)
        stored = self._stored
        unmoved = stored is not None and (stored["position"], stored["complete"]) == (text, batch.complete)
        if unmoved and not batch.documents:
            return None
        return {
            "source": self._attached.name,
            "position": text,
            "system": batch.system,
            "complete": batch.complete,
            "moved_at": max(now_us(), self._read_us),
        }

    def _outgoing_position(self, position: Record) -> Outgoing:
        name, at = self._attached.name, cast("int", position["moved_at"])
        event = Event("Position", name, name, f"{name}/position/{at}", name, at, at, position)
        return Outgoing(POSITIONS, name, self._write_position(position), headers_of(event))


def stored_position(cluster: Cluster, name: str, partitions: int) -> Record | None:
    """The newest Position of a source, read up to the high watermark; None before its first commit."""
    newest: list[bytes | None] = [None]

    def take(message: Message) -> None:
        if message.key() == name.encode():
            newest[0] = message.value()

    read_to_end(cluster, {(cluster.name(POSITIONS), partition_of(name, partitions)): 0}, take)
    return None if newest[0] is None else cluster.reader("Position")(newest[0])
