"""State read back from the real Kafka: to the high watermark, behind markers, on from where the reading stopped."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from streams.kafka import reading
from streams.kafka.cluster import Cluster
from streams.kafka.reading import EndNotReached, read_to_end, settled_offsets
from streams.kafka.transaction import Outgoing, Transactions
from streams.state import Table
from tests.raw_kafka import RawKafka

pytestmark = pytest.mark.kafka


@pytest.fixture
def cluster(raw: RawKafka, topic_prefix: str) -> Cluster:
    raw.make_topic(f"{topic_prefix}state", partitions=2, config={"cleanup.policy": "compact"})
    return Cluster(raw.bootstrap, topic_prefix)


def put(transactions: Transactions, *records: tuple[str, bytes | None], partition: int = 0) -> None:
    with transactions.open() as transaction:
        for key, value in records:
            transaction.send(Outgoing("state", key, value, partition=partition))


def keys(table: Table, partition: int = 0) -> dict[str, bytes]:
    return dict(table.items(partition))


def last_stable_offset(cluster: Cluster) -> int:
    consumer = Consumer(
        {"bootstrap.servers": cluster.bootstrap, "group.id": "lso", "isolation.level": "read_committed"}
    )
    end = consumer.get_watermark_offsets(TopicPartition(cluster.name("state"), 0), timeout=10)[1]
    consumer.close()
    return int(end)


def test_a_restore_waits_for_a_predecessors_open_transaction(cluster: Cluster) -> None:
    predecessor, table = Transactions(cluster, "predecessor"), Table(cluster, "state")
    put(predecessor, ("old", b"1"))
    restoring = threading.Thread(target=table.restore, args=([0],))
    with predecessor.open() as transaction:
        transaction.send(Outgoing("state", "late", b"2", partition=0))
        assert predecessor._producer.flush(10) == 0
        ends = reading.end_offsets(cluster.admin(), [(cluster.name("state"), 0)])
        assert last_stable_offset(cluster) < ends[cluster.name("state"), 0]
        restoring.start()
        restoring.join(1.5)
        assert restoring.is_alive()
        assert table.owned == frozenset()
    restoring.join(30)
    assert keys(table) == {"old": b"1", "late": b"2"}
    predecessor.close()


def test_offsets_that_a_transaction_holds_are_waited_for_and_not_for_ever(cluster: Cluster) -> None:
    where = TopicPartition(cluster.name("state"), 0)
    member, holder = cluster.group_consumer("held"), Transactions(cluster, "holder")
    member.commit(offsets=[TopicPartition(where.topic, 0, 3)], asynchronous=False)
    with holder.open() as transaction:
        transaction.send_offsets([TopicPartition(where.topic, 0, 7)], member.consumer_group_metadata())
        [given_up] = settled_offsets(cluster, "held", member, [where], patience_s=1.0)
        waiting = threading.Thread(target=settled_offsets, args=(cluster, "held", member, [where]))
        waiting.start()
        waiting.join(1.5)
        assert waiting.is_alive()
    waiting.join(30)
    [settled] = settled_offsets(cluster, "held", member, [where])
    assert (given_up.offset, settled.offset) == (3, 7)
    member.close()
    holder.close()


def test_a_transaction_that_stays_open_is_named_and_nothing_is_owned(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    predecessor, table = Transactions(cluster, "predecessor"), Table(cluster, "state")
    monkeypatch.setattr("streams.state.read_to_end", lambda c, begin, take: read_to_end(c, begin, take, wait_s=1.0))
    with predecessor.open() as transaction:
        transaction.send(Outgoing("state", "open", b"1", partition=0))
        assert predecessor._producer.flush(10) == 0
        with pytest.raises(EndNotReached, match=r"state', 0\).*a transaction may be open"):
            table.restore([0])
    assert table.owned == frozenset()
    predecessor.close()


def test_a_partition_that_ends_behind_markers_ends(cluster: Cluster) -> None:
    transactions, table = Transactions(cluster, "writer"), Table(cluster, "state")
    put(transactions, ("kept", b"1"))
    for _ in range(2):
        with pytest.raises(RuntimeError), transactions.open() as transaction:
            transaction.send(Outgoing("state", "kept", b"aborted", partition=0))
            assert transactions._producer.flush(10) == 0
            raise RuntimeError
    table.restore([0, 1])
    assert (keys(table), keys(table, 1)) == ({"kept": b"1"}, {})
    transactions.close()


def test_what_another_worker_wrote_meanwhile_is_caught_up_from_where_the_reading_stopped(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Any] = []

    def watched(which: Cluster, begin: Any, take: Any) -> Any:
        begun.append(dict(begin))
        return read_to_end(which, begin, take)

    monkeypatch.setattr("streams.state.read_to_end", watched)
    transactions, table = Transactions(cluster, "writer"), Table(cluster, "state")
    put(transactions, ("a", b"1"), ("b", b"1"))
    table.restore([0])
    table.disown()
    put(transactions, ("a", None), ("b", b"2"), ("c", b"1"))
    table.restore([0, 1])
    assert keys(table) == {"b": b"2", "c": b"1"}
    where = cluster.name("state")
    assert begun == [{(where, 0): 0}, {(where, 0): 3, (where, 1): 0}]
    transactions.close()


def test_a_batchs_changes_are_the_truth_only_after_its_commit(cluster: Cluster) -> None:
    transactions, table = Transactions(cluster, "writer"), Table(cluster, "state")
    put(transactions, ("a", b"1"), ("b", b"1"))
    table.restore([0])
    table.put(0, "a", None)
    table.put(0, "c", b"2")
    assert (table.get(0, "a"), keys(table)) == (None, {"b": b"1", "c": b"2"})
    assert sorted(table.changes()) == [(0, "a", None), (0, "c", b"2")]
    table.drop()
    assert (keys(table), table.changes()) == ({"a": b"1", "b": b"1"}, [])
    table.put(0, "a", None)
    table.merge()
    assert (keys(table), table.changes()) == ({"b": b"1"}, [])
    with pytest.raises(KeyError, match="partition 1 of state is not owned here"):
        table.get(1, "a")
    with pytest.raises(KeyError, match="partition 1 of state is not owned here"):
        table.put(1, "a", b"")
    transactions.close()
