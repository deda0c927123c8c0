"""Transactions on the real Kafka: what was aborted is never seen, what was committed is seen once."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from schemas.catalog import ITEMS, LINKS, ORDERS, STATE, STATUS
from schemas.wire import Reader, Writer
from streams.commands import redrive_command
from streams.kafka.client import OFFSET_BEGINNING
from streams.kafka.partitions import partition_of
from streams.kafka.reading import Follower, read_to_end
from streams.kafka.transaction import Fenced, Outgoing, Transactions, produce
from streams.pipeline import Pipeline
from streams.state import Table
from tests.bus_on_kafka import ONE, BusOnKafka, bus_on_kafka, item_event, order_event, running, until
from tests.raw_kafka import RawKafka

pytestmark = pytest.mark.kafka
SINK = "sink.plant-a"


@pytest.fixture(scope="module")
def kafka(raw: RawKafka) -> BusOnKafka:
    """One bus for the module; every test has orders of its own."""
    made = bus_on_kafka(raw, "transactions.", partitions=2)
    made.put(ITEMS, item_event("P-1"))
    return made


@pytest.fixture(scope="module")
def pipeline(kafka: BusOnKafka) -> Iterator[Pipeline]:
    """A pipeline that is turned by hand."""
    made = Pipeline(kafka.bus, 0, kafka.plans)
    made._open()
    turn_until(made, lambda: len(made._states.owned) == 2, "both partitions")
    yield made
    made.close()


def turn_until(pipeline: Pipeline, condition: Callable[[], Any], what: str) -> Any:
    def turned() -> Any:
        pipeline.turn()
        return condition()

    return until(turned, what)


def link(key: str) -> Outgoing:
    value = {"kind": "unit", "system": "crm", "id": key, "to_system": "mes", "to_id": "pcs"}
    return Outgoing(LINKS, key, Writer("Link")(value))


def ids(records: Any) -> set[str]:
    return {str(Reader("Link")(each.value)["id"]) for each in records}


def jobs(kafka: BusOnKafka, number: str) -> list[Any]:
    return [each for each in kafka.events(SINK, "JobOrder") if each.key == f"crm:{number}"]


def consumed(kafka: BusOnKafka) -> int:
    return sum(kafka.raw.committed_offsets(kafka.topic("pipeline"), kafka.topic(ORDERS)).values())


def restored(kafka: BusOnKafka) -> dict[int, dict[str, bytes]]:
    """The state as a fresh worker reads it."""
    fresh = Table(kafka.bus.cluster, STATE)
    fresh.restore([0, 1])
    return {number: dict(fresh.items(number)) for number in (0, 1)}


def in_memory(pipeline: Pipeline) -> dict[int, dict[str, bytes]]:
    return {number: dict(pipeline._states.items(number)) for number in (0, 1)}


def test_an_aborted_transaction_is_never_seen(kafka: BusOnKafka) -> None:
    cluster, topic = kafka.bus.cluster, kafka.topic(LINKS)
    transactions = Transactions(cluster, "aborting")
    with pytest.raises(RuntimeError), transactions.open() as transaction:
        transaction.send(link("aborted"))
        assert transactions._producer.flush(10) == 0
        raise RuntimeError
    with transactions.open() as transaction:
        transaction.send(link("committed"))
    transactions.close()
    assert {"aborted", "committed"} <= ids(kafka.raw.read_uncommitted(topic))
    found: list[Any] = []
    read_to_end(cluster, {(topic, number): OFFSET_BEGINNING for number in (0, 1)}, found.append)
    follower = Follower(cluster, LINKS)
    for seen in (ids(kafka.raw.read_committed(topic)), {link_id(each) for each in (*found, *follower.read_whole())}):
        assert "committed" in seen
        assert "aborted" not in seen
    follower.close()


def link_id(message: Any) -> str:
    return str(Reader("Link")(message.value())["id"])


def test_a_zombie_is_fenced_at_its_next_commit(kafka: BusOnKafka) -> None:
    zombie = Transactions(kafka.bus.cluster, "taken")
    with pytest.raises(Fenced), zombie.open() as transaction:
        transaction.send(link("zombie"))
        assert zombie._producer.flush(10) == 0
        successor = Transactions(kafka.bus.cluster, "taken")
    with successor.open() as transaction:
        transaction.send(link("successor"))
    with pytest.raises(Fenced), zombie.open() as transaction:
        transaction.send(link("zombie"))
    seen = ids(kafka.raw.read_committed(kafka.topic(LINKS)))
    assert "successor" in seen
    assert "zombie" not in seen
    for each in (zombie, successor):
        each.close()


class Faulty:
    """The real producer, of which one call fails once, before or after it has been carried out."""

    def __init__(self, real: Any, call: str, error: KafkaError, carried_out: bool) -> None:
        self._real, self._call, self._error, self._carried_out = real, call, error, carried_out
        self.failed = False

    def __getattr__(self, name: str) -> Any:
        if name == self._call and not self.failed:
            return self._fail
        return getattr(self._real, name)

    def _fail(self, *arguments: Any, **named: Any) -> None:
        self.failed = True
        if self._carried_out:
            getattr(self._real, self._call)(*arguments, **named)
        raise KafkaException(self._error)


TIMED_OUT = KafkaError(KafkaError._TIMED_OUT, "no answer", retriable=True)
ABORTABLE = KafkaError(KafkaError.ILLEGAL_GENERATION, "rebalanced", txn_requires_abort=True)


@pytest.mark.parametrize(
    ("call", "error", "carried_out"),
    [
        ("produce", TIMED_OUT, False),
        ("produce", TIMED_OUT, True),
        ("send_offsets_to_transaction", ABORTABLE, False),
        ("send_offsets_to_transaction", TIMED_OUT, True),
        ("commit_transaction", ABORTABLE, False),
        ("commit_transaction", TIMED_OUT, False),
        ("commit_transaction", TIMED_OUT, True),
    ],
    ids=lambda each: each.name() if isinstance(each, KafkaError) else str(each),
)
def test_after_a_failure_anywhere_everything_is_there_once_and_the_state_is_a_fresh_replays(
    kafka: BusOnKafka,
    pipeline: Pipeline,
    call: str,
    error: KafkaError,
    carried_out: bool,
) -> None:
    number, before = f"{call}-{error.code()}-{carried_out}", consumed(kafka)
    faulty = Faulty(pipeline._transactions._producer, call, error, carried_out)
    pipeline._transactions._producer = cast("Any", faulty)
    kafka.put(ORDERS, order_event(number))
    turn_until(pipeline, lambda: faulty.failed, "the failure")
    happened = call == "commit_transaction" and carried_out
    assert len(jobs(kafka, number)) == int(happened)
    assert (consumed(kafka) > before) == happened
    assert restored(kafka) == in_memory(pipeline)
    kafka.put(ORDERS, order_event(f"{number}-next"))
    turn_until(pipeline, lambda: jobs(kafka, f"{number}-next"), "the next order")
    assert len(jobs(kafka, number)) == 1
    assert len([each for each in kafka.events(STATUS, "OrderStatus") if each.key == f"crm:{number}"]) == 1
    assert restored(kafka) == in_memory(pipeline)


def test_an_assignment_that_changed_under_the_batch_commits_nothing(
    kafka: BusOnKafka, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, work = consumed(kafka), pipeline._work

    def rebalanced(*arguments: Any) -> Any:
        monkeypatch.undo()
        pipeline._assignment += 1  # what the callbacks of a rebalance do
        return work(*arguments)

    monkeypatch.setattr(pipeline, "_work", rebalanced)
    kafka.put(ORDERS, order_event("rebalanced"))
    turn_until(pipeline, lambda: pipeline._work == work, "the batch")
    assert (jobs(kafka, "rebalanced"), consumed(kafka)) == ([], before)
    turn_until(pipeline, lambda: jobs(kafka, "rebalanced"), "the batch, again")
    assert len(jobs(kafka, "rebalanced")) == 1


def test_offsets_of_a_partition_that_is_not_owned_are_refused(
    kafka: BusOnKafka, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, work, owned = consumed(kafka), pipeline._work, dict(pipeline._positions)

    def lost(*arguments: Any) -> Any:
        monkeypatch.undo()
        pipeline._positions = {where: at for where, at in owned.items() if where[0] != kafka.topic(ORDERS)}
        return work(*arguments)

    monkeypatch.setattr(pipeline, "_work", lost)
    kafka.put(ORDERS, order_event("foreign"))
    turn_until(pipeline, lambda: pipeline._positions != owned, "the batch")
    assert (jobs(kafka, "foreign"), consumed(kafka)) == ([], before)
    pipeline._positions = owned
    pipeline._settle()
    turn_until(pipeline, lambda: jobs(kafka, "foreign"), "the batch, again")


def test_after_a_revoke_nothing_is_processed_until_the_partitions_are_back(
    kafka: BusOnKafka, pipeline: Pipeline
) -> None:
    kafka.put(ORDERS, order_event("revoked", line={"item": "P-revoked"}))
    turn_until(pipeline, lambda: "items/P-revoked" in pipeline._parking.references(), "the parked order")
    partitions = pipeline._consumer.assignment()
    pipeline._give_away(pipeline._consumer, partitions)
    kafka.put(ITEMS, item_event("P-revoked"))
    turn_until(pipeline, lambda: pipeline._references.item("P-revoked"), "the item")
    pipeline.turn()
    assert jobs(kafka, "revoked") == []
    pipeline._take_over(pipeline._consumer, partitions)
    turn_until(pipeline, lambda: jobs(kafka, "revoked"), "the parked order, redriven")


def test_of_two_parked_revisions_the_newer_one_wins(kafka: BusOnKafka, pipeline: Pipeline) -> None:
    for at, quantity in ((1_000_000, 5), (2_000_000, 7)):
        line = {"item": "P-two", "quantity": quantity * ONE}
        kafka.put(ORDERS, order_event("two", at_us=at, line=line))
    turn_until(pipeline, lambda: len(pipeline._parking.waiting_for({"items/P-two"})) == 2, "two parked revisions")
    kafka.put(ITEMS, item_event("P-two"))
    turn_until(pipeline, lambda: not pipeline._parking.waiting_for({"items/P-two"}), "both are redriven")
    assert [each.value["quantity"] for each in jobs(kafka, "two")][-1] == 7 * ONE


def parked(kafka: BusOnKafka, number: str) -> Any:
    found = [Reader("Parked")(data) for data in kafka.newest("parked.pipeline").values()]
    return next((each for each in found if each["order_key"] == f"crm:{number}"), None)


def test_an_order_too_large_for_its_state_is_parked_by_reference_and_blocks_nobody(
    kafka: BusOnKafka, pipeline: Pipeline
) -> None:
    kafka.put(ORDERS, order_event("large", line={"description": "x" * 910_000}))
    kafka.put(ORDERS, order_event("small"))
    turn_until(pipeline, lambda: jobs(kafka, "small") and parked(kafka, "large"), "the small one and the parked one")
    found = parked(kafka, "large")
    assert (found["cause"], found["content"], found["content_type"]) == ("too_large", b"", "reference")
    assert "they are in crm.orders" in found["message"]

    redrive(kafka, pipeline, found)
    assert turn_until(pipeline, lambda: parked(kafka, "large")["attempts"] == 2, "another try")
    assert parked(kafka, "large")["cause"] == "too_large"

    forget(kafka, found)
    redrive(kafka, pipeline, found)
    turn_until(pipeline, lambda: parked(kafka, "large")["attempts"] == 3, "a third try")
    assert parked(kafka, "large")["cause"] == "gone"
    assert "its retention took it" in parked(kafka, "large")["message"]


def redrive(kafka: BusOnKafka, pipeline: Pipeline, found: Any) -> None:
    write = kafka.bus.cluster.writer("Command")
    command = redrive_command("pipeline", found["parked_id"], found["partition"], write)
    producer = kafka.bus.cluster.producer()
    produce(producer, kafka.bus.cluster, command, lambda *_: None)
    assert producer.flush(10) == 0


def forget(kafka: BusOnKafka, found: Any) -> None:
    """Let the retention take everything up to the record."""
    where = TopicPartition(kafka.topic(found["topic"]), found["partition"], found["offset"] + 1)
    for future in kafka.raw._admin.delete_records([where]).values():
        future.result(10)


def test_a_pipeline_whose_slot_was_taken_stops_and_its_batch_is_done_once(raw: RawKafka) -> None:
    kafka = bus_on_kafka(raw, "slot.", partitions=1)
    kafka.put(ITEMS, item_event("P-1"))
    zombie = Pipeline(kafka.bus, 0, kafka.plans)
    zombie._open()
    kafka.put(ORDERS, order_event("1"))
    turn_until(zombie, lambda: jobs(kafka, "1"), "the first order")
    taker = Transactions(kafka.bus.cluster, "pipeline-0")
    kafka.put(ORDERS, order_event("2"))
    with pytest.raises(Fenced):
        turn_until(zombie, lambda: False, "the zombie is fenced")
    assert jobs(kafka, "2") == []
    zombie.close()
    taker.close()
    with running(Pipeline(kafka.bus, 0, kafka.plans)):
        until(lambda: jobs(kafka, "2"), "the second order")
    assert [len(jobs(kafka, number)) for number in "12"] == [1, 1]


def test_a_worker_killed_in_mid_transaction_blinds_nobody_for_long(kafka: BusOnKafka) -> None:
    program = f"""
        import sys, time
        from streams.kafka.cluster import Cluster
        from streams.kafka.transaction import Outgoing, Transactions
        transactions = Transactions(Cluster({kafka.bus.cluster.bootstrap!r}, {kafka.bus.cluster.prefix!r}), "killed")
        with transactions.open() as transaction:
            transaction.send(Outgoing("order.status", "killed", b"killed", partition=0))
            assert transactions._producer.flush(10) == 0
            print("open", flush=True)
            time.sleep(600)
    """
    worker = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "open\n"
    worker.kill()
    worker.wait()
    worker.stdout.close()
    topic = kafka.topic(STATUS)
    kafka.raw.produce(topic, b"after", b"k", 0)
    seen = until(lambda: [e.value for e in kafka.raw.read_committed(topic) if e.value == b"after"], "it", seconds=30)
    assert seen == [b"after"]
    assert b"killed" not in [each.value for each in kafka.raw.read_committed(topic)]


def test_a_key_goes_where_the_java_client_and_the_bus_put_it(kafka: BusOnKafka, raw: RawKafka) -> None:
    topic = raw.make_topic("transactions.murmur", partitions=7)
    keys = [f"crm:{number}" for number in range(100)] + ["客户:1", "x", "🙂"]
    producer = kafka.bus.cluster.producer()
    for key in keys:
        produce(producer, kafka.bus.cluster, Outgoing("murmur", key, b""), lambda *_: None)
    assert producer.flush(10) == 0
    placed = {(each.key or b"").decode(): each.partition for each in raw.read_committed(topic)}
    assert placed == {key: partition_of(key, 7) for key in keys}
