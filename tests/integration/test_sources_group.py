"""Two processes of sources: each source runs in exactly one, and moves when its process is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from connectors.contract import Batch
from schemas.catalog import POSITIONS
from streams import source_worker
from streams.kafka.transaction import Transactions
from streams.source_worker import SourceWorker
from tests.bus_on_kafka import BusOnKafka, running, until
from tests.integration.scripted_far_system import Script, ScriptedSource, attached, far_bus, order
from tests.raw_kafka import RawKafka

pytestmark = pytest.mark.kafka
NAMES = ["a", "b", "c", "d", "e"]


@pytest.fixture
def scripts() -> dict[str, Script]:
    return {name: Script() for name in NAMES}


@pytest.fixture
def kafka(raw: RawKafka, topic_prefix: str, scripts: dict[str, Script]) -> BusOnKafka:
    far = {name: attached(name, source=source_of(scripts[name])) for name in NAMES}
    return far_bus(raw, topic_prefix, 2, far)


def source_of(script: Script) -> Callable[[Any], ScriptedSource]:
    return lambda _: ScriptedSource(script)


def running_in(worker: SourceWorker) -> set[str]:
    return {name for name, each in list(worker._running.items()) if each.thread.is_alive()}


def test_each_source_runs_in_one_of_two_workers_and_moves_when_that_one_ends(
    kafka: BusOnKafka, scripts: dict[str, Script]
) -> None:
    one, two = SourceWorker(kafka.bus, kafka.plans), SourceWorker(kafka.bus, kafka.plans)
    with running(one):
        until(lambda: running_in(one) == set(NAMES), "all sources in the first worker")
        with running(two):
            until(
                lambda: running_in(two) and running_in(one) | running_in(two) == set(NAMES), "a share of the second"
            )
            assert running_in(one)
            assert not running_in(one) & running_in(two)
        until(lambda: running_in(one) == set(NAMES), "all sources in the first worker again")
    for name in NAMES:
        assert len(scripts[name].opened) == scripts[name].closed  # every source that was opened was let go of


def test_a_fenced_source_stops_and_the_workers_others_go_on(kafka: BusOnKafka, scripts: dict[str, Script]) -> None:
    worker = SourceWorker(kafka.bus, kafka.plans)
    with running(worker):
        until(lambda: all(script.opened for script in scripts.values()), "all sources are open")
        taker = Transactions(kafka.bus.cluster, "source-a")
        for name in NAMES:
            scripts[name].steps.append(Batch([order(name)], {"at": 1}))
        until(lambda: len(kafka.newest(POSITIONS)) == len(NAMES) - 1, "the positions of the others")
        until(lambda: running_in(worker) == set(NAMES) - {"a"}, "the fenced one has stopped")
    assert b"a" not in kafka.newest(POSITIONS)
    taker.close()


def test_a_fenced_source_begins_again_where_the_group_goes_on_calling_it_the_owner(
    kafka: BusOnKafka, scripts: dict[str, Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_worker, "OWNER_AFTER_S", 1.0)
    with running(SourceWorker(kafka.bus, kafka.plans)):
        until(lambda: scripts["a"].opened, "the source is open")
        Transactions(kafka.bus.cluster, "source-a").close()
        scripts["a"].steps.append(Batch([order("1")], {"at": 1}))
        until(lambda: len(scripts["a"].opened) == 2, "it is opened again")
        scripts["a"].steps.append(Batch([order("2")], {"at": 2}))
        until(lambda: b"a" in kafka.newest(POSITIONS), "its position moves")


def test_a_source_of_another_far_system_stops_alone(kafka: BusOnKafka, scripts: dict[str, Script]) -> None:
    worker = SourceWorker(kafka.bus, kafka.plans)
    with running(worker):
        scripts["a"].steps += [Batch([], {"at": 1}, system="org-1"), Batch([], {"at": 2}, system="org-2")]
        until(lambda: running_in(worker) == set(NAMES) - {"a"}, "the refused one has stopped")
        scripts["b"].steps.append(Batch([order("b")], {"at": 1}))
        until(lambda: b"b" in kafka.newest(POSITIONS), "another one goes on")


def test_a_defect_of_one_source_ends_the_process_so_that_it_is_started_again(
    kafka: BusOnKafka, scripts: dict[str, Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScriptedSource, "poll", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        SourceWorker(kafka.bus, kafka.plans).run(threading.Event())
