"""The sink task on the real Kafka, against a scripted far system; assertions from the raw client."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from connectors.contract import Rejection
from connectors.errors import DataError, Throttled, TransientError, UnknownOutcome
from schemas.catalog import LINKS
from schemas.document import Document
from schemas.event import Event
from schemas.identity import link_key
from schemas.wire import Reader
from streams.breaker import OPENS_AFTER
from streams.clock import now_us
from streams.commands import redrive_command, send
from streams.sink_task import SinkTask
from tests.bus_on_kafka import BusOnKafka, running, until
from tests.integration.scripted_far_system import Script, ScriptedSink, attached, far_bus
from tests.raw_kafka import RawKafka

pytestmark = pytest.mark.kafka
TOPIC, PARKED = "sink.crm", "parked.sink.crm"


@pytest.fixture(scope="module")
def scripts() -> dict[str, Script]:
    return {}


@pytest.fixture(scope="module")
def kafka(raw: RawKafka, scripts: dict[str, Script]) -> BusOnKafka:
    """One bus; its sink plays the script of the test at hand."""
    return far_bus(raw, "sink.", 1, {"crm": attached("crm", sink=lambda _: ScriptedSink(scripts["now"]))})


@pytest.fixture
def script(scripts: dict[str, Script]) -> Script:
    scripts["now"] = Script()
    return scripts["now"]


@pytest.fixture
def start(kafka: BusOnKafka, script: Script) -> Iterator[Callable[[], Any]]:
    yield lambda: running(SinkTask(kafka.bus, kafka.bus.attached["crm"], kafka.plans))


def put(kafka: BusOnKafka, number: str, percent: int = 0, reason: str | None = None, version: int = 0) -> None:
    """An OrderStatus on its way to the CRM."""
    key, at = f"crm:{number}", version or now_us()
    zero = dict.fromkeys(("good", "scrap", "rework"), 0)
    value: Any = {
        "order_key": key,
        "number": number,
        "state": "running",
        "percent": percent,
        "reason": reason,
        **zero,
    }
    kafka.put(TOPIC, Event("OrderStatus", key, key, f"{key}/{at}", "pipeline", at, at, value))


def parked(kafka: BusOnKafka) -> dict[str, Any]:
    found = [Reader("Parked")(data) for data in kafka.newest(PARKED).values()]
    return {str(each["order_key"]): each for each in found}


def committed(kafka: BusOnKafka) -> int:
    return kafka.raw.committed_offsets(kafka.topic("sink.crm"), kafka.topic(TOPIC))[0]


def end(kafka: BusOnKafka) -> int:
    return kafka.raw.end_offsets(kafka.topic(TOPIC))[0]


def raises(error: Exception) -> Callable[[Sequence[Document]], Sequence[Rejection]]:
    def answer(_: Sequence[Document]) -> Sequence[Rejection]:
        raise error

    return answer


def test_only_the_newest_version_of_a_subject_is_written_and_then_the_offsets_are_committed(
    kafka: BusOnKafka, script: Script, start: Any
) -> None:
    for percent in (10, 20, 30):
        put(kafka, "newest", percent)
    put(kafka, "other", 5)
    with start():
        until(lambda: committed(kafka) == end(kafka), "the commit")
    assert sorted((d.id, d.fields["Percent"]) for write in script.writes for d in write) == [
        ("crm:newest", 30),
        ("crm:other", 5),
    ]


def test_a_batch_is_repeated_while_the_far_system_says_wait_and_the_group_is_kept(
    kafka: BusOnKafka, script: Script, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    take_over = SinkTask._take_over

    def counted(*arguments: Any) -> None:
        taken.append(1)
        take_over(*arguments)

    monkeypatch.setattr(SinkTask, "_take_over", counted)
    for error in (Throttled("slow down", 0.3), TransientError("row lock"), UnknownOutcome("timed out")):
        script.answers.append(raises(error))
    put(kafka, "waits", 1)
    with start():
        until(lambda: committed(kafka) == end(kafka), "the commit")
    assert script.written == ["crm:waits"]
    assert script.called.qsize() == 4
    assert len(script.opened) == 4  # a new instance after every failure
    assert taken == [1]


def test_while_the_breaker_is_open_records_wait_and_then_only_the_newest_of_them_is_written(
    kafka: BusOnKafka, script: Script, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.outcome.FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("streams.breaker.FIRST_COOL_DOWN_S", 0.05)

    def changes_meanwhile(_: Sequence[Document]) -> Sequence[Rejection]:
        put(kafka, "away", 2)
        raise TransientError("not reachable")

    script.answers.append(changes_meanwhile)
    script.answers.extend([raises(TransientError("not reachable"))] * (OPENS_AFTER - 1))
    before = committed(kafka)
    put(kafka, "away", 1)
    put(kafka, "other", 1)
    with start():
        until(lambda: committed(kafka) == before + 3, "the commit")
    written = sorted((each.id, each.fields["Percent"]) for write in script.writes for each in write)
    assert written == [("crm:away", 2), ("crm:other", 1)]


def test_of_several_documents_exactly_the_impossible_one_is_parked(
    kafka: BusOnKafka, script: Script, start: Any
) -> None:
    script.never = frozenset({"crm:bad"})
    for number in ("good-1", "good-2", "bad", "good-3"):
        put(kafka, number)
    with start():
        until(lambda: committed(kafka) == end(kafka), "the commit")
        assert sorted(set(script.written)) == ["crm:good-1", "crm:good-2", "crm:good-3"]
        found = parked(kafka)["crm:bad"]
        assert (found["cause"], found["message"], found["attempts"]) == ("refused", "this can never succeed", 1)

        script.never = frozenset()
        put(kafka, "bad", 77)
        until(lambda: "crm:bad" not in parked(kafka), "the later record closes the parked one")
    assert script.writes[-1][0].fields["Percent"] == 77


def test_a_batch_that_is_repeated_parks_its_rejection_once(kafka: BusOnKafka, script: Script) -> None:
    """The process ends after the parked record is durable and before the offsets are."""

    class Dies(SinkTask):
        def _commit(self, messages: Any) -> None:
            raise RuntimeError("killed here")

    before = committed(kafka)
    for _ in range(2):
        script.answers.append(lambda _: [Rejection(0, DataError("no such order"))])
    put(kafka, "twice")
    with pytest.raises(RuntimeError, match="killed here"):
        Dies(kafka.bus, kafka.bus.attached["crm"], kafka.plans).run(threading.Event())
    assert committed(kafka) == before
    assert parked(kafka)["crm:twice"]["message"] == "no such order"
    with running(SinkTask(kafka.bus, kafka.bus.attached["crm"], kafka.plans)):
        until(lambda: committed(kafka) == end(kafka), "the commit")
    places = {each.key for each in kafka.raw.read_committed(kafka.topic(PARKED)) if b"twice" in (each.key or b"")}
    assert len(places) == 1
    assert parked(kafka)["crm:twice"]["attempts"] == 2


def test_an_operators_redrive_writes_the_parked_record(kafka: BusOnKafka, script: Script, start: Any) -> None:
    script.never = frozenset({"crm:redriven"})
    put(kafka, "redriven", 12)
    with start():
        found = until(lambda: parked(kafka).get("crm:redriven"), "the parked record")
        script.never = frozenset()
        write = kafka.bus.cluster.writer("Command")
        send(kafka.bus.cluster, [redrive_command("sink.crm", found["parked_id"], 0, write)])
        until(lambda: "crm:redriven" not in parked(kafka), "it is resolved")
    assert script.writes[-1][0].fields["Percent"] == 12


def test_redriving_an_older_record_does_not_close_a_newer_parked_one(
    kafka: BusOnKafka, script: Script, start: Any
) -> None:
    script.answers.append(lambda _: [Rejection(0, DataError("first"))])
    put(kafka, "order", 1)
    with start():
        until(lambda: parked(kafka).get("crm:order"), "the first is parked")
        script.answers.append(lambda _: [Rejection(0, DataError("second"))])
        put(kafka, "order", 2)
        both = until(lambda: of(kafka, "crm:order", 2), "both are parked")
        older = min(both, key=lambda each: int(each["offset"]))
        write = kafka.bus.cluster.writer("Command")
        send(kafka.bus.cluster, [redrive_command("sink.crm", older["parked_id"], 0, write)])
        left = until(lambda: of(kafka, "crm:order", 1), "the older one is resolved")
    assert left[0]["message"] == "second"


def of(kafka: BusOnKafka, key: str, count: int) -> list[Any]:
    found = [Reader("Parked")(data) for data in kafka.newest(PARKED).values()]
    mine = [each for each in found if each["order_key"] == key]
    return mine if len(mine) == count else []


def test_a_reference_that_arrives_while_no_sink_runs_redrives_what_waited_for_it(
    kafka: BusOnKafka, script: Script, start: Any
) -> None:
    put(kafka, "waiting", 3, reason="broken tool")
    with start():
        found = until(lambda: parked(kafka).get("crm:waiting"), "the parked record")
        assert found["cause"] == "unknown_reference"
    link = {"kind": "reason", "system": "crm", "id": "broken tool", "to_system": "crm", "to_id": "R7"}
    key = link_key("reason", "crm", "broken tool", "crm")
    kafka.put(LINKS, Event("Link", key, key, "link", "ref", 1, 1, link))
    with start():
        until(lambda: "crm:waiting" not in parked(kafka), "it is redriven by itself")
    assert script.writes[-1][0].fields["Reason"] == "R7"


def test_a_record_nobody_can_read_is_parked_and_the_others_are_written(
    kafka: BusOnKafka, script: Script, start: Any
) -> None:
    kafka.raw.produce(kafka.topic(TOPIC), b"garbage", b"crm:garbage", 0)
    kafka.raw.produce(kafka.topic(TOPIC), b"x" * 990_000, b"crm:large", 0)
    put(kafka, "after-garbage")
    with start():
        until(lambda: committed(kafka) == end(kafka), "the commit")
    assert script.written == ["crm:after-garbage"]
    assert (parked(kafka)["crm:garbage"]["cause"], parked(kafka)["crm:garbage"]["content"]) == (
        "undecodable",
        b"garbage",
    )
    assert (parked(kafka)["crm:large"]["content_type"], parked(kafka)["crm:large"]["content"]) == ("reference", b"")


def test_after_the_assignment_is_lost_nothing_is_written_and_nothing_is_missed(
    raw: RawKafka, scripts: dict[str, Script], caplog: pytest.LogCaptureFixture
) -> None:
    """A second task joins while the first one waits: the batch is the next owner's, from its start."""
    script = scripts["now"] = Script()
    far = {"crm": attached("crm", sink=lambda _: ScriptedSink(script))}
    kafka = far_bus(raw, "sinks.", 2, far)
    script.answers.append(raises(Throttled("for long", 600)))
    numbers = [str(number) for number in range(20)]
    for number in numbers:
        put(kafka, number)
    first = SinkTask(kafka.bus, far["crm"], kafka.plans)
    with running(first):
        assert called(script) == "write"
        with running(SinkTask(kafka.bus, far["crm"], kafka.plans)):
            until(lambda: "left to its new owner" in caplog.text, "the first task gives the batch up")
            first.gate.succeeded()  # the far system's wish stands for whatever the task owns next
            until(lambda: set(script.written) >= {f"crm:{each}" for each in numbers}, "every order is written")
    assert sorted(set(script.written)) == sorted(f"crm:{each}" for each in numbers)
    topic = kafka.topic(TOPIC)
    assert raw.committed_offsets(kafka.topic("sink.crm"), topic) == raw.end_offsets(topic)


def called(script: Script) -> str:
    try:
        return script.called.get(timeout=30)
    except queue.Empty as none:
        raise AssertionError("the far system was not called") from none


def test_a_record_that_is_locked_alone_is_written_later_by_itself_and_holds_nobody_up(
    kafka: BusOnKafka, script: Script, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.schedule.PAUSES_S", (0.5,))
    for _ in range(2):
        script.answers.append(lambda documents: [Rejection(len(documents) - 1, TransientError("row lock"))])
    put(kafka, "locked", 5)
    with start():
        found = until(lambda: parked(kafka).get("crm:locked"), "the parked record")
        assert (found["cause"], found["owner"].split(":")[0]) == ("busy", "nobody")
        assert committed(kafka) == end(kafka)
        until(lambda: "crm:locked" not in parked(kafka), "it is written by itself")
    assert script.written == ["crm:locked"]
