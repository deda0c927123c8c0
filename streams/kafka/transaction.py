"""Transactions: everything a batch produced becomes visible together with the offsets it came from, or never.

After a time-out of commit, abort or send-offsets nobody knows what the broker decided, and librdkafka does not
verify it (librdkafka#5423): the producer is thrown away and a new one with the same id is made, which ends whatever
was open.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from schemas.wire import Headers
from streams.kafka.cluster import Cluster

DEADLINE_S = 15.0
STUCK_AFTER_S = 20.0
ANY_PARTITION = -1
LONGEST_RECORD = 900_000
"""Bytes; the producer's own limit is 1,000,000 and the brokers' default a little above."""
FENCED = frozenset({KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED})


class Fenced(Exception):
    """Another producer has taken this transactional id; whoever holds this one must stop."""


class Stuck(Exception):
    """The Kafka client did not come back from a call; its process has to end, for nothing else ends the call."""


class NotOwned(Exception):
    """The batch may not be committed: an assignment was lost since, or an offset is not ours."""


class TooLarge(Exception):
    """A record is larger than the bus lets it be; Kafka would refuse it, and the whole batch with it, for ever."""


class Unsettled(Exception):
    """The commit got no answer: the batch may be there or not, and what Kafka now has of it is final.

    Whoever holds its result in memory reads it again before going on.
    """


class Aborted(Exception):
    """The transaction was not committed and none of it will ever be seen; the batch is to be done again."""


@dataclass(frozen=True)
class Outgoing:
    """One record to produce. `topic` is the plain name; without a partition the key decides."""

    topic: str
    key: str
    value: bytes | None
    headers: Headers = field(default_factory=list)
    partition: int | None = None


def checked_size(record: Outgoing) -> Outgoing:
    """The record. Raises TooLarge where Kafka might refuse it."""
    size = len(record.value or b"") + len(record.key.encode())
    if size > LONGEST_RECORD:
        raise TooLarge(f"the record for {record.topic} would have {size:,} bytes, {LONGEST_RECORD:,} are allowed")
    return record


class Transactions:
    """The one producer behind a transactional id. Every method but `close` raises Fenced once it is fenced."""

    def __init__(self, cluster: Cluster, transactional_id: str) -> None:
        self._cluster = cluster
        self._id = transactional_id
        self._producer = self._made()

    def _made(self) -> Producer:
        producer = self._cluster.transactional_producer(self._id)
        with _fenced_is_final():
            producer.init_transactions(60.0)
        return producer

    @contextmanager
    def open(self) -> Iterator[Transaction]:
        """A transaction around a with-block: committed at its end, aborted where it raises.

        Raises Aborted where Kafka refused it: the records are then never seen. Raises Unsettled where the commit
        itself got no answer.
        """
        with _fenced_is_final():
            self._producer.begin_transaction()
        transaction = Transaction(self._cluster, self._producer)
        try:
            yield transaction
            self._deliver(transaction)
        except NotOwned as error:
            self._abort()
            raise Aborted(str(error)) from error
        except KafkaException as error:
            self._give_up(error)
            raise Aborted(str(error)) from error
        except (Fenced, Stuck):
            raise
        except BaseException:
            self._abort()
            raise
        self._commit()

    def broker_time_ms(self, probe: Outgoing) -> int:
        """The broker's clock, milliseconds since 1970, asked by a record in a transaction that is then aborted."""
        with _fenced_is_final():
            self._producer.begin_transaction()
            transaction = Transaction(self._cluster, self._producer)
            transaction.send(probe)
            self._producer.flush(DEADLINE_S)
            transaction.check_delivered()
            self._producer.abort_transaction(DEADLINE_S)
        if transaction.broker_time_ms is None:
            raise Aborted(f"the broker did not take a record of {probe.topic} within {DEADLINE_S:.0f} s")
        return transaction.broker_time_ms

    def _deliver(self, transaction: Transaction) -> None:
        with _fenced_is_final():
            self._producer.flush(DEADLINE_S)
            transaction.check_delivered()

    def _commit(self) -> None:
        try:
            with _fenced_is_final():
                self._producer.commit_transaction(DEADLINE_S)
        except KafkaException as error:
            if self._give_up(error):
                raise Aborted(str(error)) from error
            raise Unsettled(str(error)) from error

    def _give_up(self, error: KafkaException) -> bool:
        """End what is open; True where Kafka has said that it will not be committed."""
        if error.args[0].txn_requires_abort():
            self._abort()
            return True
        self._replace()
        return False

    def _abort(self) -> None:
        try:
            with _fenced_is_final():
                self._producer.abort_transaction(DEADLINE_S)
        except KafkaException:
            self._replace()

    def _replace(self) -> None:
        self._producer.purge()
        self._producer = self._made()

    def close(self) -> None:
        """Let go of the producer; an open transaction has been ended by then.

        Nothing is flushed: a fenced producer would tell its fatal error again and hide the one that ends the task.
        """
        self._producer.purge()


class Transaction:
    """What may be done inside one open transaction."""

    def __init__(self, cluster: Cluster, producer: Producer) -> None:
        self._cluster = cluster
        self._producer = producer
        self._failed: KafkaError | None = None
        self.broker_time_ms: int | None = None

    def send(self, record: Outgoing) -> None:
        """Produce one record as part of the transaction."""
        produce(self._producer, self._cluster, record, self._delivered)

    def send_offsets(self, offsets: Sequence[TopicPartition], metadata: object) -> None:
        """Commit the input's offsets with the output. `metadata` is that of the consume they come from.

        Raises Stuck where the client does not come back, as when the group's coordinator goes in the middle of it.
        """
        with _fenced_is_final():
            send = self._producer.send_offsets_to_transaction
            _patiently("send_offsets", lambda: send(list(offsets), metadata, DEADLINE_S))

    def check_delivered(self) -> None:
        """Raise KafkaException where a record was refused, as for its size."""
        if self._failed is not None:
            raise KafkaException(self._failed)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failed = error
        else:
            self.broker_time_ms = message.timestamp()[1]


def produce(
    producer: Producer,
    cluster: Cluster,
    record: Outgoing,
    on_delivery: Callable[[KafkaError | None, Message], None],
) -> None:
    """Hand one record to a producer, waiting for room where its queue is full."""
    partition = ANY_PARTITION if record.partition is None else record.partition
    topic, key, headers = cluster.name(record.topic), record.key.encode(), list(record.headers)
    while True:
        try:
            producer.produce(topic, record.value, key, partition, headers=headers, on_delivery=on_delivery)
        except BufferError:
            producer.poll(0.1)
            continue
        producer.poll(0)
        return


def _patiently(name: str, call: Callable[[], object]) -> None:
    """Make a call that may never return although it is given a deadline (librdkafka#5456). Raises Stuck."""
    raised: list[BaseException] = []

    def work() -> None:
        try:
            call()
        except BaseException as error:  # raised again by whoever waits
            raised.append(error)

    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    thread.join(STUCK_AFTER_S)
    if thread.is_alive():
        raise Stuck(f"the Kafka client has not come back from {name} for {STUCK_AFTER_S:.0f} s")
    if raised:
        raise raised[0]


@contextmanager
def _fenced_is_final() -> Iterator[None]:
    try:
        yield
    except KafkaException as error:
        if error.args[0].code() in FENCED:
            raise Fenced(str(error)) from error
        raise
