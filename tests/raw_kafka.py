"""A second Kafka client for assertions, built straight on confluent_kafka and sharing nothing with the bus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

TIMEOUT_S = 30.0
Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True)
class RawRecord:
    """One record as it lies in the topic."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    def header(self, name: str) -> bytes:
        """The value of the header; KeyError where there is none."""
        return dict(self.headers)[name]


class RawKafka:
    """Makes topics, writes and reads whole topics. Every method returns only when the broker has answered."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self._admin = AdminClient({"bootstrap.servers": bootstrap})
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "partitioner": "murmur2_random",
                "linger.ms": 0,
                "topic.metadata.propagation.max.ms": 2000,
            }
        )

    def make_topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> str:
        """Create the topic and return its name."""
        topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config=dict(config or {}))
        self._admin.create_topics([topic])[name].result(TIMEOUT_S)
        return name

    def topics(self) -> set[str]:
        """The names of all topics that are not the broker's own."""
        return {name for name in self._admin.list_topics(timeout=TIMEOUT_S).topics if not name.startswith("__")}

    def produce(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        partition: int = -1,
        headers: Headers = (),
    ) -> tuple[int, int]:
        """Write one record, keyed like Java does it; its partition and offset."""
        placed: list[tuple[int, int]] = []
        failed: list[KafkaError] = []

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                failed.append(error)
            else:
                placed.append((message.partition() or 0, message.offset() or 0))

        self._producer.produce(
            topic, value=value, key=key, partition=partition, headers=list(headers), on_delivery=delivered
        )
        self._producer.flush(TIMEOUT_S)
        if failed:
            raise KafkaException(failed[0])
        return placed[0]

    def read_committed(self, topic: str) -> list[RawRecord]:
        """Everything that a read-committed consumer sees now, up to the first open transaction; by partition."""
        return self._read(topic, "read_committed")

    def read_uncommitted(self, topic: str) -> list[RawRecord]:
        """Everything in the topic, also what was aborted or may yet be; by partition."""
        return self._read(topic, "read_uncommitted")

    def committed_offsets(self, group: str, topic: str) -> dict[int, int]:
        """The offset the group has committed for each partition of the topic; none where it has not."""
        asked = ConsumerGroupTopicPartitions(group)
        answer = self._admin.list_consumer_group_offsets([asked])[group].result(TIMEOUT_S)
        return {p.partition: p.offset for p in answer.topic_partitions or [] if p.topic == topic and p.offset >= 0}

    def end_offsets(self, topic: str) -> dict[int, int]:
        """The high watermark of each partition, transaction markers included."""
        consumer = self._consumer("read_uncommitted")
        try:
            found = consumer.list_topics(topic, timeout=TIMEOUT_S).topics[topic].partitions
            ends = {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=TIMEOUT_S) for p in found}
            return {partition: marks[1] for partition, marks in ends.items()}
        finally:
            consumer.close()

    def _read(self, topic: str, isolation: Literal["read_committed", "read_uncommitted"]) -> list[RawRecord]:
        consumer = self._consumer(isolation)
        try:
            open_partitions = set(consumer.list_topics(topic, timeout=TIMEOUT_S).topics[topic].partitions)
            consumer.assign([TopicPartition(topic, partition, 0) for partition in open_partitions])
            records = []
            while open_partitions:
                message = consumer.poll(TIMEOUT_S)
                if message is None:
                    raise TimeoutError(f"no end of partitions {open_partitions} of {topic} within {TIMEOUT_S} s")
                error = message.error()
                if error is None:
                    records.append(_record(message))
                elif error.code() == KafkaError._PARTITION_EOF:
                    open_partitions.discard(message.partition() or 0)
                else:
                    raise KafkaException(error)
            return sorted(records, key=lambda record: (record.partition, record.offset))
        finally:
            consumer.close()

    def _consumer(self, isolation: str) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": "raw",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": isolation,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 20,
            }
        )


def _record(message: Message) -> RawRecord:
    headers = cast("list[tuple[str, bytes]]", message.headers() or [])
    return RawRecord(message.partition() or 0, message.offset() or 0, message.key(), message.value(), headers)
