"""One Kafka cluster as the bus uses it: addresses, name prefix, and the settings of every client.

The rules behind the settings are DESIGN section 4; each is named where it stands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from schemas.wire import Reader, SchemaIds, ShippedSchemas, Writer

Settings: TypeAlias = dict[str, str | int | float | bool]

TRANSACTION_TIMEOUT_MS = 10_000
SESSION_TIMEOUT_MS = 15_000  # longer than a far call may take, so that a frozen one ends before its successor begins
REACH_S = 10.0


class Unreachable(ConnectionError):
    """No broker of the cluster answers; the message names the address."""


@dataclass(frozen=True)
class Cluster:
    """Where Kafka is and what stands before every topic, group and transactional id of this bus.

    `settings` go to every client as they are (librdkafka's names: security, certificates). `ids` are the schema ids
    that stand in its messages: our own, or those of the registry that its users share.
    """

    bootstrap: str
    prefix: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    ids: SchemaIds = field(default_factory=ShippedSchemas, compare=False, repr=False)

    def name(self, plain: str) -> str:
        """The name on the cluster of a topic, a group or a transactional id."""
        return f"{self.prefix}{plain}"

    def plain(self, name: str) -> str:
        """The opposite of `name`."""
        return name.removeprefix(self.prefix)

    def reader(self, record: str, reads: Collection[str] | None = None) -> Reader:
        """What decodes the records of that name in its messages; only the fields `reads` where given."""
        return Reader(record, reads, self.ids)

    def writer(self, record: str) -> Writer:
        """What encodes records of that name for its messages. Raises RegistryError where a registry has no id."""
        return Writer(record, self.ids)

    def check(self) -> None:
        """Raise Unreachable where no broker answers."""
        try:
            self.admin().list_topics(timeout=REACH_S)
        except KafkaException as error:
            raise Unreachable(
                f"Kafka at {self.bootstrap} does not answer ({error.args[0].str()}): is it running, and is "
                "the address under `kafka:` in lineshaft.yaml right?"
            ) from error

    def admin(self) -> AdminClient:
        """A new admin client."""
        return AdminClient({**self._shared(), "socket.timeout.ms": 10_000})

    def group_consumer(self, group: str) -> Consumer:
        """A member of a consumer group that reads committed records only and commits nothing by itself.

        Classic protocol with range assignment: other assignors split one order's topics over two workers.
        """
        return Consumer(
            {
                **self._reading(),
                "group.id": self.name(group),
                "group.protocol": "classic",
                "partition.assignment.strategy": "range",
                "session.timeout.ms": SESSION_TIMEOUT_MS,
                "heartbeat.interval.ms": 2_000,
                "max.poll.interval.ms": 300_000,
            }
        )

    def free_consumer(self, group: str = "reader") -> Consumer:
        """A consumer that is assigned by hand; `group` only names whose committed offsets it may ask for."""
        return Consumer({**self._reading(), "group.id": self.name(group), "enable.partition.eof": True})

    def last_resort_consumer(self, group: str) -> Consumer:
        """Asks for a group's committed offsets without waiting for what a transaction still holds open."""
        settings = {**self._reading(), "group.id": self.name(group), "isolation.level": "read_uncommitted"}
        return Consumer(settings)

    def producer(self) -> Producer:
        """An idempotent producer."""
        return Producer(self._writing())

    def transactional_producer(self, transactional_id: str) -> Producer:
        """A producer of transactions; a second one of the same id fences the first."""
        return Producer(
            {
                **self._writing(),
                "transactional.id": self.name(transactional_id),
                "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
                "delivery.timeout.ms": TRANSACTION_TIMEOUT_MS,
            }
        )

    def _shared(self) -> Settings:
        return {"bootstrap.servers": self.bootstrap, "log_level": 3, **self.settings}

    def _reading(self) -> Settings:
        return {
            **self._shared(),
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 100,
            "fetch.queue.backoff.ms": 10,
            "queued.min.messages": 20_000,
            "queued.max.messages.kbytes": 65_536,
        }

    def _writing(self) -> Settings:
        return {
            **self._shared(),
            "enable.idempotence": True,
            "acks": "all",
            "partitioner": "murmur2_random",  # Java's default; librdkafka's own puts a key elsewhere
            "linger.ms": 5,
            "compression.type": "lz4",
            "message.max.bytes": 1_000_000,
            "delivery.timeout.ms": 60_000,
        }
