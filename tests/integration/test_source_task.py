"""The source task on the real Kafka: a position moves with its events and never without them."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Batch
from connectors.errors import LostCursor, PositionRefused, TransientError
from schemas.catalog import ORDERS, POSITIONS
from schemas.document import Document
from schemas.wire import FETCHED, Reader
from streams.commands import redrive_command, send
from streams.kafka.transaction import Fenced, Transactions
from streams.outcome import OWNERS
from streams.source_task import AnotherSystem, SourceTask, stored_position
from tests.bus_on_kafka import BusOnKafka, running, until
from tests.integration.killed_source import BATCH
from tests.integration.scripted_far_system import Script, ScriptedSource, attached, far_bus, order
from tests.integration.test_transactions import TIMED_OUT, Faulty
from tests.raw_kafka import RawKafka

pytestmark = pytest.mark.kafka
NAMES = [f"crm-{number}" for number in range(16)]


@pytest.fixture(scope="module")
def sides() -> dict[str, ScriptedSource]:
    return {}


@pytest.fixture(scope="module")
def kafka(raw: RawKafka, sides: dict[str, Any]) -> BusOnKafka:
    """One bus with a source of its own for every test."""
    far = {name: attached(name, source=lambda _, name=name: sides[name]()) for name in NAMES}
    return far_bus(raw, "source.", 1, far)


@pytest.fixture(scope="module")
def numbers() -> Any:
    return itertools.count()


class Crm:
    """One source of the bus and the script that it plays."""

    def __init__(self, kafka: BusOnKafka, name: str, sides: dict[str, Any]) -> None:
        self.kafka, self.name, self.script = kafka, name, Script()
        self._sides = sides
        self.plays([])

    def plays(self, history: Sequence[Batch]) -> None:
        self._sides[self.name] = lambda: ScriptedSource(self.script, history)

    def task(self, adopt: bool = False) -> SourceTask:
        return SourceTask(self.kafka.bus, self.kafka.bus.attached[self.name], self.kafka.plans, adopt)

    @property
    def orders(self) -> list[str]:
        return [e.subject.split(":")[1] for e in self.kafka.events(ORDERS, "SalesOrder") if e.source == self.name]

    @property
    def position(self) -> str | None:
        data = self.kafka.newest(POSITIONS).get(self.name.encode())
        return None if data is None else str(Reader("Position")(data)["position"])

    @property
    def parked(self) -> list[Any]:
        return [Reader("Parked")(data) for data in self.kafka.newest(f"parked.source.{self.name}").values()]


@pytest.fixture
def crm(kafka: BusOnKafka, sides: dict[str, Any], numbers: Any) -> Crm:
    return Crm(kafka, NAMES[next(numbers)], sides)


def batch(at: int, *documents: Document, complete: bool = True, system: str = "org-1") -> Batch:
    return Batch(documents, {"at": at}, complete, system)


def test_events_and_position_come_together_and_a_batch_without_documents_moves_the_position_only(crm: Crm) -> None:
    crm.script.steps.extend([batch(1, order("1"), order("2")), batch(2)])
    with running(crm.task()):
        until(lambda: crm.position == '{"at":2}', "the second position")
    assert crm.orders == ["1", "2"]
    assert [each.partition for each in crm.kafka.raw.read_committed(crm.kafka.topic(POSITIONS))][-1] == 0


@pytest.mark.parametrize("call", ["produce", "commit_transaction"])
def test_an_abort_between_events_and_position_shows_neither_and_the_batch_is_done_again(crm: Crm, call: str) -> None:
    crm.script.steps.append(batch(1, order("1"), order("2")))
    task = crm.task()
    faulty = Faulty(task._transactions._producer, call, TIMED_OUT, carried_out=False)
    replaced: list[tuple[Any, Any]] = []
    replace = task._transactions._replace

    def seen_first() -> None:
        replaced.append((crm.orders, crm.position))
        replace()

    task._transactions._producer = faulty  # type: ignore[assignment]
    task._transactions._replace = seen_first  # type: ignore[method-assign]
    with running(task):
        until(lambda: crm.position == '{"at":1}', "the position")
    assert replaced == [([], None)]
    assert crm.orders == ["1", "2"]


def test_a_commit_that_happened_without_an_answer_is_not_done_again(crm: Crm) -> None:
    crm.script.steps.extend([batch(1, order("1"))])
    task = crm.task()
    faulty = Faulty(task._transactions._producer, "commit_transaction", TIMED_OUT, carried_out=True)
    task._transactions._producer = faulty  # type: ignore[assignment]
    with running(task):
        until(lambda: faulty.failed, "the commit")
        crm.script.steps.append(batch(2, order("2")))
        until(lambda: crm.position == '{"at":2}', "the next position")
    assert crm.orders == ["1", "2"]


def test_a_restart_from_every_position_gives_the_same_documents(crm: Crm) -> None:
    history = [batch(n + 1, order(str(n)), complete=n > 1) for n in range(4)]
    crm.plays(history)
    for done in range(1, 5):
        stop = threading.Event()

        class Ends(SourceTask):
            def _commit(self, *arguments: Any) -> bool:
                done = super()._commit(*arguments)
                stop.set()  # noqa: B023
                return done

        Ends(crm.kafka.bus, crm.kafka.bus.attached[crm.name], crm.kafka.plans).run(stop)
        assert crm.position == f'{{"at":{done}}}'
    assert crm.orders == ["0", "1", "2", "3"]
    assert crm.script.opened == [None, {"at": 1}, {"at": 2}, {"at": 3}]
    stored = stored_position(crm.kafka.bus.cluster, crm.name, 1)
    assert stored is not None
    assert (stored["complete"], stored["system"]) == (True, "org-1")


def test_a_document_that_cannot_be_mapped_is_parked_and_superseded_by_a_later_one_that_passes(crm: Crm) -> None:
    crm.script.steps.append(batch(1, order("1", 1, Ready=None), order("2"), order("1", 2, Ready="perhaps")))
    with running(crm.task()):
        until(lambda: crm.position == '{"at":1}', "the position")
        assert crm.orders == ["2"]
        assert sorted(each["cause"] for each in crm.parked) == ["bad_value", "required_missing"]
        assert {each["owner"] for each in crm.parked} == {OWNERS["bad_value"], OWNERS["required_missing"]}
        crm.script.steps.append(batch(2, order("1", 3)))
        until(lambda: crm.position == '{"at":2}', "the next position")
    assert (crm.orders, crm.parked) == (["2", "1"], [])


def test_a_document_that_was_parked_is_redriven_on_command(crm: Crm) -> None:
    crm.script.steps.append(batch(1, order("1", Ready=None)))
    with running(crm.task()):
        [found] = until(lambda: crm.parked, "the parked document")
        write = crm.kafka.bus.cluster.writer("Command")
        send(crm.kafka.bus.cluster, [redrive_command(f"source.{crm.name}", found["parked_id"], 0, write)])
        until(lambda: crm.parked[0]["attempts"] == 2, "another try")


def test_a_document_too_large_for_the_bus_is_held_by_reference_and_the_others_go_on(crm: Crm) -> None:
    crm.script.steps.append(batch(1, order("1", Note="x" * 1_200_000), order("2")))
    with running(crm.task()):
        until(lambda: crm.position == '{"at":1}', "the position")
        assert crm.orders == ["2"]
        [found] = crm.parked
        assert (found["cause"], found["content"]) == ("too_large", b"")
        assert "they are in the far system only" in found["message"]
        write = crm.kafka.bus.cluster.writer("Command")
        send(crm.kafka.bus.cluster, [redrive_command(f"source.{crm.name}", found["parked_id"], 0, write)])
        until(lambda: crm.parked[0]["cause"] == "gone", "what a redrive says")
    assert "change it in the far system" in crm.parked[0]["message"]


def test_another_far_systems_identity_is_refused_without_adopt(crm: Crm) -> None:
    crm.script.steps.extend([batch(1, order("1")), batch(2, order("2"), system="org-2")])
    with pytest.raises(AnotherSystem, match=r"org-1, the far side is org-2.*--adopt"):
        crm.task().run(threading.Event())
    assert (crm.orders, crm.position) == (["1"], '{"at":1}')
    crm.script.steps.extend([batch(2, order("2"), system="org-2"), batch(7, order("7"), system="org-2")])
    with running(crm.task(adopt=True)):
        until(lambda: crm.position == '{"at":7}', "the adopted position")
    assert crm.orders == ["1", "7"]  # nothing of it is used that was read behind the foreign position
    assert crm.script.opened == [None, {"at": 1}, None]


def test_a_position_that_the_far_system_refuses_stops_the_source_until_a_person_drops_it(crm: Crm) -> None:
    crm.script.steps.extend([batch(1, order("1")), PositionRefused("it went back in time")])
    with pytest.raises(AnotherSystem, match=f"connectors.{crm.name}: it went back in time: .*--adopt {crm.name}"):
        crm.task().run(threading.Event())
    assert (crm.orders, crm.position) == (["1"], '{"at":1}')
    crm.script.steps.extend([PositionRefused("it went back in time"), batch(1, order("1")), batch(2, order("2"))])
    with running(crm.task(adopt=True)):
        until(lambda: crm.position == '{"at":2}', "the position after everything was read")
    assert crm.script.opened == [None, {"at": 1}, None]


def test_fetched_orders_say_when_they_were_read_and_later_reads_later_over_any_owner(crm: Crm) -> None:
    for at in (1, 2):
        crm.script.steps.append(batch(at, order(str(at))))
        with running(crm.task()):
            until(lambda at=at: crm.position == f'{{"at":{at}}}', "the position")  # type: ignore[misc]
    read = [int(e.headers[FETCHED]) for e in crm.kafka.events(ORDERS, "SalesOrder") if e.source == crm.name]
    assert read == sorted(set(read))
    assert len(read) == 2


def test_after_a_far_error_the_source_is_opened_again_from_the_stored_position(crm: Crm) -> None:
    crm.script.steps.extend([batch(1, order("1")), TransientError("reset", 0.1), LostCursor("too old"), batch(2)])
    with running(crm.task()):
        until(lambda: crm.position == '{"at":2}', "the position")
    assert crm.script.opened == [None, {"at": 1}, {"at": 1}]
    assert crm.script.closed == 3


def test_a_source_killed_between_its_events_and_its_position_has_told_neither_and_its_successor_tells_both_once(
    crm: Crm,
) -> None:
    cluster = crm.kafka.bus.cluster
    command = [sys.executable, "-m", "tests.integration.killed_source", cluster.bootstrap, "source.", crm.name]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], check=False, timeout=120, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    crm.plays([BATCH])
    with running(crm.task()):
        until(lambda: crm.position == '{"at":1}', "the position")
    assert crm.orders == ["1", "2"]
    every = crm.kafka.raw.read_uncommitted(crm.kafka.topic(ORDERS))
    ours = [each for each in every if each.header("ce_source") == crm.name.encode()]
    assert len(ours) == 4  # what the killed one wrote is there, and nobody ever reads it
    assert crm.script.opened == [None]


def test_a_fenced_source_stops_and_publishes_nothing_more(crm: Crm) -> None:
    task = crm.task()
    successor = Transactions(crm.kafka.bus.cluster, f"source-{crm.name}")
    crm.script.steps.append(batch(1, order("1")))
    with pytest.raises(Fenced):
        task.run(threading.Event())
    assert (crm.orders, crm.position) == ([], None)
    successor.close()
