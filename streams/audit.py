"""The audit log `bus.audit`: who redrove, edited, discarded or activated what, in one chain of hashes.

One writer at a time: whoever opens the transactional id `audit` fences the one before, whose open transaction is over
by then; so what is read up to the high watermark after that is all there is, and the next entry can be chained to it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from threading import Lock

from schemas.catalog import AUDIT
from schemas.codec import CodecError
from schemas.event import Event, Record
from schemas.wire import headers_of
from streams.audit_chain import EMPTY, Deed, Head, chained, encodable, head_of
from streams.kafka.client import KafkaException, Message
from streams.kafka.cluster import Cluster
from streams.kafka.reading import EndNotReached, read_to_end
from streams.kafka.transaction import Aborted, Fenced, Outgoing, Transactions, Unsettled

TRANSACTIONAL_ID = "audit"
DEADLINE_S = 30.0
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0


class NotAudited(Aborted):
    """The deeds are not in the audit log for sure: what they are about must not be committed, but done again."""


class AuditLog:
    """Appends deeds. Opens nothing before the first one; may be shared by threads."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._write = cluster.writer("AuditEntry")
        self._read = cluster.reader("AuditEntry", {"number", "hash", "deed_id"})
        self._transactions: Transactions | None = None
        self._head, self._read_to = EMPTY, 0
        self._known: set[str] = set()
        self._one_at_a_time = Lock()

    def append(self, deeds: Sequence[Deed]) -> None:
        """Enter the deeds that are not in the log yet; all are durable when this returns.

        Raises NotAudited where that could not be had in time: begin again, with the same ids.
        """
        if not deeds:
            return
        with self._one_at_a_time:
            self._append(list({encodable(deed.deed_id): deed for deed in deeds}.values()))

    def _append(self, deeds: Sequence[Deed]) -> None:
        deadline, pause = time.monotonic() + DEADLINE_S, FIRST_PAUSE_S
        while True:
            try:
                return self._enter(deeds)
            except (Fenced, Aborted, Unsettled, EndNotReached, KafkaException) as error:
                self._let_go()
                if time.monotonic() > deadline:
                    raise NotAudited(f"{AUDIT} did not take {len(deeds)} entries: {error}") from error
            time.sleep(random.uniform(0, pause))  # noqa: S311 (two writers must not meet again and again)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _enter(self, deeds: Sequence[Deed]) -> None:
        """One attempt. A writer that was not fenced since it last read knows the head without reading again."""
        if self._transactions is None:
            self._transactions = Transactions(self._cluster, TRANSACTIONAL_ID)
            self._catch_up()
        new = list(chained(self._head, [deed for deed in deeds if encodable(deed.deed_id) not in self._known]))
        if not new:
            return
        with self._transactions.open() as transaction:
            for entry in new:
                transaction.send(self._outgoing(entry))
        self._head = head_of(new[-1])
        self._known |= {str(entry["deed_id"]) for entry in new}

    def _catch_up(self) -> None:
        topic = self._cluster.name(AUDIT)
        reached = read_to_end(self._cluster, {(topic, 0): self._read_to}, self._take, DEADLINE_S)
        self._read_to = reached[topic, 0]

    def _take(self, message: Message) -> None:
        try:
            entry = self._read(message.value())
        except CodecError:  # not ours; `verify` tells it, and the chain goes on from the last entry that is
            return
        self._head = head_of(entry)
        self._known.add(str(entry["deed_id"]))

    def _outgoing(self, entry: Record) -> Outgoing:
        deed_id, number, at = str(entry["deed_id"]), int(str(entry["number"])), int(str(entry["at"]))
        event = Event("AuditEntry", deed_id, str(entry["subject"]), f"audit/{number}", "audit", at, number, entry)
        return Outgoing(AUDIT, deed_id, self._write(entry), headers_of(event), 0)

    def _let_go(self) -> None:
        if self._transactions is not None:
            self._transactions.close()
            self._transactions = None

    def close(self) -> None:
        """Let go of Kafka; a later append opens it again."""
        with self._one_at_a_time:
            self._let_go()


def entries(cluster: Cluster) -> Iterator[Record | CodecError]:
    """Every entry up to the present end, in the order of the topic; what is none, as the error it gives."""
    read = cluster.reader("AuditEntry")
    found: list[Record | CodecError] = []

    def take(message: Message) -> None:
        try:
            found.append(read(message.value()))
        except CodecError as error:
            found.append(error)

    read_to_end(cluster, {(cluster.name(AUDIT), 0): 0}, take)
    return iter(found)


def present_head(cluster: Cluster) -> Head:
    """The last entry of the chain as it is now."""
    known = [each for each in entries(cluster) if not isinstance(each, CodecError)]
    return head_of(known[-1]) if known else EMPTY
