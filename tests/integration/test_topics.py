"""Topics, first offsets, lost positions and lag on the real Kafka."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from schemas.catalog import ORDERS, PRODUCTION, STATE
from streams.kafka import topics
from streams.kafka.cluster import Cluster
from streams.kafka.consuming import PositionLost, good
from streams.kafka.topics import Topic, TopicsRefused, check_partitions, needed
from streams.pipeline import AssignmentSplit, Pipeline, _same_numbers
from tests.bus_on_kafka import BusOnKafka, bus_on_kafka, until
from tests.raw_kafka import RawKafka

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def kafka(raw: RawKafka) -> BusOnKafka:
    return bus_on_kafka(raw, "topics.", partitions=2)


def actions(cluster: Cluster, wanted: list[Topic]) -> dict[str, str]:
    return {each.topic.name: each.action for each in topics.plan(cluster, wanted)}


def test_plan_shows_what_apply_makes_and_a_second_apply_makes_nothing(raw: RawKafka, topic_prefix: str) -> None:
    cluster, wanted = Cluster(raw.bootstrap, topic_prefix), needed(2, ["crm"], ["mes"])
    assert set(actions(cluster, wanted).values()) == {"create"}
    assert not [name for name in raw.topics() if name.startswith(topic_prefix)]
    topics.apply(cluster, wanted, [("pipeline", [ORDERS])])
    assert set(actions(cluster, wanted).values()) == {"none"}
    assert {name for name in raw.topics() if name.startswith(topic_prefix)} == {
        cluster.name(each.name) for each in wanted
    }
    assert raw.committed_offsets(cluster.name("pipeline"), cluster.name(ORDERS)) == {0: 0, 1: 0}
    topics.apply(cluster, wanted, [("pipeline", [ORDERS])])


def test_another_partition_count_is_refused_and_nothing_is_made(kafka: BusOnKafka) -> None:
    before = kafka.raw.topics()
    wanted = needed(3, kafka.bus.sources, [*kafka.bus.sinks, "a-new-one"])
    assert actions(kafka.bus.cluster, wanted)[ORDERS] == "refused"
    with pytest.raises(TopicsRefused, match=r"crm.orders has 2 partitions, the project says 3; .* `partitions: 2`"):
        topics.apply(kafka.bus.cluster, wanted, [])
    assert kafka.raw.topics() == before


def test_a_worker_refuses_topics_of_different_counts_and_a_missing_one(kafka: BusOnKafka) -> None:
    check_partitions(kafka.bus.cluster, [ORDERS, STATE], 2)
    kafka.raw.make_topic(kafka.topic("odd"), partitions=5)
    with pytest.raises(TopicsRefused, match="odd has 5 partitions, the others 2"):
        check_partitions(kafka.bus.cluster, [ORDERS, "odd"], 2)
    with pytest.raises(TopicsRefused, match="the topic missing does not exist: run `lineshaft topics apply`"):
        check_partitions(kafka.bus.cluster, ["missing"], 2)


@pytest.mark.parametrize(
    ("owned", "numbers"),
    [
        ([], frozenset()),
        ([("a", 0), ("a", 1), ("b", 1), ("b", 0)], frozenset({0, 1})),
    ],
)
def test_a_worker_owns_the_same_partitions_of_every_topic(owned: list[tuple[str, int]], numbers: Any) -> None:
    assert _same_numbers([TopicPartition(*each) for each in owned]) == numbers


def test_an_assignment_that_splits_an_orders_topics_is_refused() -> None:
    split = [TopicPartition("a", 0), TopicPartition("a", 1), TopicPartition("b", 0)]
    with pytest.raises(AssignmentSplit, match="split one order's topics over workers"):
        _same_numbers(split)


def owned_numbers(members: list[Any]) -> list[dict[str, set[int]]]:
    """What each member owns, by topic, after one more poll of all; empty while one of them owns nothing."""
    for member in members:
        member.poll(0.1)
    found: list[dict[str, set[int]]] = []
    for member in members:
        mine: dict[str, set[int]] = {}
        for each in member.assignment():
            mine.setdefault(each.topic, set()).add(each.partition)
        found.append(mine)
    return found if all(found) else []


def test_two_workers_own_the_same_partitions_of_every_topic(raw: RawKafka) -> None:
    kafka = bus_on_kafka(raw, "assigned.", partitions=7)
    subscribed = [kafka.topic(ORDERS), kafka.topic(PRODUCTION)]
    members = [kafka.bus.cluster.group_consumer("pipeline") for _ in range(2)]
    try:
        for member in members:
            member.subscribe(subscribed)
        owned = until(lambda: owned_numbers(members), "both members own partitions")
        for each in owned:
            assert each[subscribed[0]] == each[subscribed[1]]
        assert sorted(number for each in owned for number in each[subscribed[0]]) == list(range(7))
    finally:
        for member in members:
            member.close()


@pytest.fixture
def lonely(kafka: BusOnKafka) -> Iterator[Any]:
    """A member of a group that no `apply` has prepared."""
    consumer = kafka.bus.cluster.group_consumer("never-applied")
    consumer.subscribe([kafka.topic("mes.production")])
    yield consumer
    consumer.close()


def test_a_group_without_first_offsets_stops_instead_of_skipping(lonely: Any) -> None:
    with pytest.raises(PositionLost, match=r"mes.production\[\d\].*resync the sources"):
        until(lambda: good(lonely.consume(10, timeout=0.2)), "never")


def test_offsets_beyond_the_retention_stop_the_pipeline_and_a_new_group_begins_at_the_first_record(
    kafka: BusOnKafka,
) -> None:
    for _ in range(3):
        kafka.raw.produce(kafka.topic(ORDERS), b"old", b"k", 0)
    for future in kafka.raw._admin.delete_records([TopicPartition(kafka.topic(ORDERS), 0, 2)]).values():
        future.result(10)
    with pytest.raises(PositionLost, match=r"crm.orders\[0\].*set the group's offsets by hand"):
        Pipeline(kafka.bus, 0, kafka.plans).run(threading.Event())
    topics.apply(kafka.bus.cluster, kafka.bus.topics, [("newcomer", [ORDERS])])
    assert kafka.raw.committed_offsets(kafka.topic("newcomer"), kafka.topic(ORDERS)) == {0: 2, 1: 0}
