"""The topics a bus needs, what the cluster has, and the difference.

Topics of orders all have the same partition count, fixed for ever: the partition of a key may not move.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from schemas import catalog
from schemas.catalog import TOPICS, TopicKind
from streams.kafka.cluster import Cluster
from streams.kafka.reading import committed_offsets, first_offsets, until_coordinated
from streams.kafka.typing_gaps import NewTopic
from streams.stopping import MustStop

VISIBLE_S = 30.0
REPLICATION_UNSET = -1  # the broker's default.replication.factor


@dataclass(frozen=True)
class Topic:
    """One topic of the bus by its plain name."""

    name: str
    kind: TopicKind
    partitions: int

    def settings(self) -> dict[str, str]:
        """Its settings on the broker. Append time makes retention honest and the broker's clock visible."""
        policy = "compact" if self.kind.compacted else "delete"
        retention = {} if self.kind.compacted else {"retention.ms": str(self.kind.retention_ms)}
        timestamps = {"message.timestamp.type": "LogAppendTime"}
        return {"cleanup.policy": policy, **retention, **timestamps, **(self.kind.settings or {})}


@dataclass(frozen=True)
class Difference:
    """One topic and what is to be done about it; `refused` says why it cannot be done."""

    topic: Topic
    action: Literal["create", "none", "refused"]
    reason: str = ""


class TopicsRefused(MustStop):
    """A topic of the cluster does not fit and may not be changed; the message says which and why."""


def needed(partitions: int, sources: Iterable[str], sinks: Iterable[str]) -> list[Topic]:
    """Every topic of a bus with these sources and sinks."""
    sinks, sources = sorted(sinks), sorted(sources)
    stages = ["pipeline", *(f"source.{name}" for name in sources), *(f"sink.{name}" for name in sinks)]
    fixed = [TOPICS[name] for name in TOPICS if "{name}" not in TOPICS[name].name]
    kinds = [
        *fixed,
        *(replace(TOPICS["sink"], name=catalog.sink_topic(name)) for name in sinks),
        *(replace(TOPICS["bulk"], name=catalog.bulk_topic(name)) for name in sinks),
        *(replace(TOPICS["parked"], name=catalog.parked_topic(stage)) for stage in stages),
        *(replace(TOPICS["commands"], name=catalog.command_topic(stage)) for stage in stages),
    ]
    return [Topic(kind.name, kind, kind.partitions or partitions) for kind in kinds]


def plan(cluster: Cluster, topics: Sequence[Topic]) -> list[Difference]:
    """What `apply` would do."""
    existing = cluster.admin().list_topics(timeout=15).topics
    found = {name: len(data.partitions) for name, data in existing.items()}
    return [_difference(topic, found.get(cluster.name(topic.name))) for topic in topics]


def _difference(topic: Topic, partitions: int | None) -> Difference:
    if partitions is None:
        return Difference(topic, "create")
    if partitions != topic.partitions:
        reason = (
            f"{topic.name} has {partitions} partitions, the project says {topic.partitions}; changing it would move "
            f"orders to other partitions. Set `partitions: {partitions}` in lineshaft.yaml."
        )
        return Difference(topic, "refused", reason)
    return Difference(topic, "none")


def apply(cluster: Cluster, topics: Sequence[Topic], groups: Iterable[tuple[str, Sequence[str]]]) -> list[Difference]:
    """Create what is missing, then write the first offsets of the groups (group, its topics) that have none.

    Nothing is created where anything is refused (TopicsRefused).
    """
    differences = plan(cluster, topics)
    refused = [each.reason for each in differences if each.action == "refused"]
    if refused:
        raise TopicsRefused("\n".join(refused))
    _create(cluster, [each.topic for each in differences if each.action == "create"])
    for group, names in groups:
        _first_offsets(cluster, group, names)
    return differences


def _create(cluster: Cluster, topics: Sequence[Topic]) -> None:
    if not topics:
        return
    new = [
        NewTopic(cluster.name(topic.name), topic.partitions, REPLICATION_UNSET, config=topic.settings())
        for topic in topics
    ]
    admin = cluster.admin()  # kept until the answers are there
    for future in admin.create_topics(new, operation_timeout=30).values():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise


def _first_offsets(cluster: Cluster, group: str, names: Sequence[str]) -> None:
    """A new group begins at the first record, never wherever the end happens to be."""
    counts = _seen(cluster, names)
    where = [(topic, number) for topic, numbers in counts.items() for number in numbers]
    consumer = cluster.free_consumer(group)
    try:
        known = committed_offsets(consumer, [TopicPartition(topic, number) for topic, number in where])
        first = first_offsets(cluster.admin(), [(each.topic, each.partition) for each in known if each.offset < 0])
        new = [TopicPartition(topic, number, offset) for (topic, number), offset in first.items()]
        if new:
            until_coordinated(lambda: consumer.commit(offsets=new, asynchronous=False))
    finally:
        consumer.close()


def _seen(cluster: Cluster, names: Sequence[str]) -> dict[str, list[int]]:
    """The partitions of the topics, by name on the cluster, as soon as the brokers show those that were just made."""
    admin, deadline = cluster.admin(), time.monotonic() + VISIBLE_S
    while True:
        found = admin.list_topics(timeout=15).topics
        missing = [name for name in names if cluster.name(name) not in found]
        if not missing:
            return {cluster.name(name): list(found[cluster.name(name)].partitions) for name in names}
        if time.monotonic() > deadline:
            raise TopicsRefused(f"the brokers do not show {', '.join(missing)}: apply the topics again")
        time.sleep(0.1)


def check_partitions(cluster: Cluster, names: Iterable[str], partitions: int) -> None:
    """Raise TopicsRefused unless every one of these topics has exactly `partitions` partitions."""
    found = cluster.admin().list_topics(timeout=15).topics
    for name in names:
        data = found.get(cluster.name(name))
        if data is None:
            raise TopicsRefused(f"the topic {name} does not exist: run `lineshaft topics apply`")
        if len(data.partitions) != partitions:
            raise TopicsRefused(
                f"{name} has {len(data.partitions)} partitions, the others {partitions}: an order's records would be "
                "split over workers. Restore the topic with the same count."
            )
