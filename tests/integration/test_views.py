"""The Faust view on the real Kafka: its numbers against DuckDB, aborted records, rebuilding, the role's process."""

from __future__ import annotations

import asyncio
import itertools
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Producer

from schemas.catalog import ITEMS, ORDERS, PRODUCTION, STATUS
from schemas.event import Event
from schemas.wire import TRACEPARENT, Writer, headers_of
from streams.kafka.partitions import partition_of
from streams.pipeline import Pipeline
from streams.views import View, watch
from streams.views.committed import CommittedConsumer
from tests.bus_on_kafka import BusOnKafka, bus_on_kafka, item_event, order_event, report_event, running, until
from tests.raw_kafka import RawKafka
from tests.view_by_duckdb import by_duckdb, figures
from tests.view_events import SECOND, job, life, sale, status, trace

pytestmark = pytest.mark.kafka
MES, CRM = "sink.plant-a", "sink.crm"


@pytest.fixture
def kafka(raw: RawKafka, topic_prefix: str) -> BusOnKafka:
    return bus_on_kafka(raw, topic_prefix)


def lives(count: int) -> list[tuple[str, Event]]:
    """The topics and events of so many orders, shuffled, every third one twice."""
    sent: list[tuple[str, Event]] = []
    for each in (life(index) for index in range(count)):
        sent += [(ORDERS, event) for event in each.orders]
        sent += [(MES, event) for event in each.jobs]
        sent += [(topic, event) for event in each.statuses for topic in (STATUS, CRM)]
    sent += sent[::3]
    random.Random(7).shuffle(sent)
    return sent


def numbers(view: View) -> Any:
    """What the view reports once it has read everything."""
    until(view.caught_up, "the view has caught up")
    return view.report()


def once(kafka: BusOnKafka, folder: Path) -> Any:
    """The numbers of a view that runs only for this."""
    view = View(kafka.bus, folder)
    with running(view):
        return numbers(view)


def test_the_numbers_equal_those_that_duckdb_computes_over_the_topics(kafka: BusOnKafka, tmp_path: Path) -> None:
    for topic, event in lives(40):
        kafka.put(topic, event)
    report = once(kafka, tmp_path)
    assert len(report["windows"]) > 5
    assert {each["start"]: figures(each) for each in report["windows"]} == by_duckdb(kafka, "window")
    assert {"all": figures(report["totals"])} == by_duckdb(kafka, "all")
    assert report["totals"]["mes_to_crm"]["count"] == 2 * 40


def test_a_view_that_was_thrown_away_and_rebuilt_gives_the_same_numbers(kafka: BusOnKafka, tmp_path: Path) -> None:
    events = lives(12)
    for topic, event in events[: len(events) // 2]:
        kafka.put(topic, event)
    once(kafka, tmp_path)
    for topic, event in events[len(events) // 2 :]:
        kafka.put(topic, event)
    grown = once(kafka, tmp_path)
    assert grown["totals"]["released"] == 12
    shutil.rmtree(tmp_path)
    assert once(kafka, tmp_path) == grown


def test_a_view_reads_on_where_its_store_stands_and_counts_nothing_twice(kafka: BusOnKafka, tmp_path: Path) -> None:
    kafka.put(ORDERS, sale("1", 2 * SECOND, SECOND, "a"))
    before = once(kafka, tmp_path)
    assert before["totals"]["placed"] == 1
    assert once(kafka, tmp_path) == before
    kafka.put(ORDERS, sale("2", 4 * SECOND, 3 * SECOND, "b"))
    assert once(kafka, tmp_path)["totals"]["placed"] == 2


def test_no_view_counts_a_record_of_an_aborted_transaction(kafka: BusOnKafka, tmp_path: Path) -> None:
    transactionally(kafka, ORDERS, sale("1", 2 * SECOND, SECOND, "a"), commit=False)
    transactionally(kafka, ORDERS, sale("2", 2 * SECOND, SECOND, "b"), commit=True)
    transactionally(kafka, MES, job("2", 3 * SECOND, "b"), commit=False)
    transactionally(kafka, STATUS, status("2", 9 * SECOND, 8 * SECOND, "c", "completed", SECOND), commit=False)
    kafka.put(STATUS, status("3", 9 * SECOND, 8 * SECOND, "d"))
    totals = once(kafka, tmp_path)["totals"]
    assert (totals["placed"], totals["released"], totals["completed"]) == (1, 0, 0)
    assert totals["mes_to_crm"]["count"] == 1
    assert len(kafka.raw.read_uncommitted(kafka.topic(ORDERS))) == 2


def test_a_view_waits_for_an_open_transaction_and_then_counts_it(kafka: BusOnKafka, tmp_path: Path) -> None:
    producer = opened(kafka)
    produce(producer, kafka, ORDERS, sale("1", 2 * SECOND, SECOND, "a"))
    producer.flush(30)
    view = View(kafka.bus, tmp_path)
    with running(view):
        assert numbers(view)["totals"]["placed"] == 0
        producer.commit_transaction(30)
        until(lambda: view.report()["totals"]["placed"] == 1, "the committed order")


def test_a_record_nobody_can_read_is_left_out_and_the_others_are_counted(kafka: BusOnKafka, tmp_path: Path) -> None:
    kafka.raw.produce(kafka.topic(ORDERS), b"\x00garbage", b"crm:1", 0, [("ce_type", b"lineshaft.SalesOrder")])
    kafka.raw.produce(kafka.topic(ORDERS), None, b"crm:1", 0)
    kafka.put(ORDERS, sale("2", 2 * SECOND, SECOND, "a"))
    assert once(kafka, tmp_path)["totals"]["placed"] == 1


def test_a_view_of_topics_that_were_made_anew_forgets_the_old_ones(kafka: BusOnKafka, tmp_path: Path) -> None:
    kafka.put(ORDERS, sale("1", 2 * SECOND, SECOND, "a"))
    assert once(kafka, tmp_path)["totals"]["placed"] == 1
    topic, admin = kafka.topic(ORDERS), kafka.bus.cluster.admin()
    admin.delete_topics([topic])[topic].result(30)
    until(lambda: topic not in kafka.raw.topics(), "the topic is gone")
    kafka.raw.make_topic(topic, 3)
    anew = replace(kafka, raw=RawKafka(kafka.raw.bootstrap))  # the first client still knows the deleted topic
    for number in ("2", "3"):
        anew.put(ORDERS, sale(number, 2 * SECOND, SECOND, number))
    assert once(kafka, tmp_path)["totals"]["placed"] == 2


def test_what_the_pipeline_publishes_is_what_the_view_measures(kafka: BusOnKafka, tmp_path: Path) -> None:
    kafka.put(ITEMS, item_event("P-1"))
    order, report = order_event("1"), report_event("1", good=5, state="completed")
    view = View(kafka.bus, tmp_path)
    with running(Pipeline(kafka.bus, 0, kafka.plans)), running(view):
        kafka.put(ORDERS, traced(order, "order"))
        until(lambda: kafka.events(MES, "JobOrder"), "a job order")
        kafka.put(PRODUCTION, traced(report, "report"))
        totals = until(lambda: _completed(view), "a completed order")
    assert (totals["placed"], totals["released"], totals["crm_to_mes"]["count"]) == (1, 1, 1)
    assert totals["mes_to_crm"]["count"] == 1
    [made] = kafka.events(MES, "JobOrder")
    assert totals["crm_to_mes"]["max_s"] * SECOND == pytest.approx(made.version - order.time_us)


def test_a_view_that_is_ready_but_reads_nothing_ends_so_that_it_is_started_again(
    kafka: BusOnKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object, **__: object) -> dict[object, object]:
        await asyncio.sleep(0.1)
        return {}

    kafka.put(ORDERS, sale("1", 2 * SECOND, SECOND, "a"))
    monkeypatch.setattr(watch, "PATIENCE_S", 2.0)
    monkeypatch.setattr(CommittedConsumer, "_getmany", nothing)
    view = View(kafka.bus, tmp_path)
    with pytest.raises(watch.StandsStill, match=r"crm\.orders\[\d\] from offset 0"):
        view.run(threading.Event())
    assert not view.healthy()
    monkeypatch.undo()
    assert once(kafka, tmp_path)["totals"]["placed"] == 1


def _completed(view: View) -> Any:
    totals = view.report()["totals"] if view.healthy() else {"completed": 0}
    return totals if totals["completed"] else None


def traced(event: Event, name: str) -> Event:
    return Event(**{**vars(event), "headers": {**event.headers, TRACEPARENT: trace(name)}})


def opened(kafka: BusOnKafka) -> Producer:
    """A raw transactional producer with a transaction open."""
    producer = Producer(
        {"bootstrap.servers": kafka.raw.bootstrap, "transactional.id": f"{kafka.bus.cluster.prefix}{next(IDS)}"}
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    return producer


IDS: Iterator[int] = itertools.count()


def produce(producer: Producer, kafka: BusOnKafka, topic: str, event: Event) -> None:
    partition = partition_of(event.key, kafka.bus.partitions)
    data, headers = Writer(event.record)(event.value), headers_of(event)
    producer.produce(kafka.topic(topic), data, event.key.encode(), partition, headers=headers)


def transactionally(kafka: BusOnKafka, topic: str, event: Event, commit: bool) -> None:
    """One record in a transaction of its own, which is committed or aborted once the broker has the record."""
    producer = opened(kafka)
    produce(producer, kafka, topic, event)
    producer.flush(30)
    end: Callable[[float], None] = producer.commit_transaction if commit else producer.abort_transaction
    end(30)


SCRIPT = """
import logging, sys
from pathlib import Path
from deploy.roles import Listening, run_views
from tests.bus_on_kafka import Bus, Cluster, far
logging.basicConfig(level=logging.INFO, format="%(message)s")
_, bootstrap, prefix, folder = sys.argv
bus = Bus(Cluster(bootstrap, prefix), 3, {"crm": far("crm"), "plant-a": far("plant-a")})
run_views(bus, Listening("127.0.0.1", 0), Path(folder))
"""


@contextmanager
def process(kafka: BusOnKafka, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The role `views` as a process, and the address that it says it listens on."""
    arguments = [sys.executable, "-c", SCRIPT, kafka.raw.bootstrap, kafka.bus.cluster.prefix, str(folder)]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as child:
        try:
            assert child.stderr is not None
            said = next(line for line in child.stderr if "metrics and health at" in line)
            threading.Thread(target=child.stderr.read, daemon=True).start()
            yield child, said.rsplit(" ", 1)[1].strip()
        finally:
            child.kill()


def asked(address: str) -> Any:
    """The report of a process that has caught up."""
    caught_up = lambda: (found := _json(f"{address}/kpi?windows=all")) and found["caught_up"] and found  # noqa: E731
    return until(caught_up, "the process has caught up")


def _json(address: str) -> Any:
    answer = httpx.get(address)
    return answer.json() if answer.status_code == httpx.codes.OK else None


def test_a_killed_role_goes_on_where_it_stood_and_sigterm_ends_it_in_order(kafka: BusOnKafka, tmp_path: Path) -> None:
    events = lives(12)
    for topic, event in events[:100]:
        kafka.put(topic, event)
    with process(kafka, tmp_path / "killed") as (child, address):
        assert asked(address)["totals"]["placed"]
        for topic, event in events[100:]:
            kafka.put(topic, event)
        child.kill()
    with process(kafka, tmp_path / "killed") as (child, address):
        found = asked(address)
        assert httpx.get(f"{address}/health").json() == {"role": "views", "healthy": True}
        assert len(_json(f"{address}/kpi?windows=1")["windows"]) == 1
        assert httpx.get(f"{address}/kpi?windows=few").status_code == httpx.codes.BAD_REQUEST
        child.terminate()
        assert child.wait(30) == 0
    assert {**once(kafka, tmp_path / "fresh"), "caught_up": True} == found
