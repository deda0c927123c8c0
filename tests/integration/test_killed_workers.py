"""A record that kills the worker by force: three real processes die of it, the fourth parks it and goes on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.catalog import ITEMS, ORDERS
from schemas.wire import Reader
from tests.bus_on_kafka import BusOnKafka, bus_on_kafka, item_event, order_event, until
from tests.integration.dying_worker import DIED
from tests.integration.scripted_far_system import attached, far_bus
from tests.integration.test_sink_task import put
from tests.raw_kafka import RawKafka

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
NUMBERS = ("a", "killer", "b")


class Worker:
    """The process of one role, started again after every death."""

    def __init__(self, role: str, kafka: BusOnKafka, ledger: Path) -> None:
        cluster = kafka.bus.cluster
        arguments = (role, cluster.bootstrap, cluster.prefix, str(kafka.bus.partitions), str(ledger))
        self._command = [sys.executable, "-m", "tests.integration.dying_worker", *arguments]
        self.codes: list[int] = []

    def dies_until(self, condition: Callable[[], Any], what: str) -> None:
        """Start it as often as it dies, until the condition holds; then stop it."""
        running = subprocess.Popen(self._command)

        def held() -> Any:
            nonlocal running
            code = running.poll()
            if code is not None:
                self.codes.append(code)
                assert len(self.codes) <= 4, self.codes
                running = subprocess.Popen(self._command)
            return condition()

        try:
            until(held, what, 200)
        finally:
            running.kill()
            running.wait()


def written(ledger: Path) -> set[str]:
    """The subjects that the sink wrote."""
    return {line.split()[0] for line in ledger.read_text().splitlines()}


def parked_cause(kafka: BusOnKafka, topic: str) -> str | None:
    found = [Reader("Parked")(data) for data in kafka.newest(topic).values()]
    return next((str(each["cause"]) for each in found if each["order_key"] == "crm:killer"), None)


def test_a_record_that_kills_the_sink_three_times_is_parked_alone_and_the_others_are_written(
    raw: RawKafka, topic_prefix: str, tmp_path: Path
) -> None:
    kafka = far_bus(raw, topic_prefix, 1, {"crm": attached("crm", sink=lambda _: None)})
    for number in NUMBERS:
        put(kafka, number)
    ledger = tmp_path / "ledger"
    ledger.touch()
    worker = Worker("sink", kafka, ledger)
    worker.dies_until(lambda: "crm:b" in written(ledger), "the record behind the killer is written")
    until(lambda: parked_cause(kafka, "parked.sink.crm") == "kills", "the killer is parked")
    assert worker.codes == [DIED] * 3
    assert written(ledger) == {"crm:a", "crm:b"}


def test_a_record_that_kills_the_pipeline_three_times_is_parked_alone_and_the_others_go_on(
    raw: RawKafka, topic_prefix: str, tmp_path: Path
) -> None:
    kafka = bus_on_kafka(raw, topic_prefix, 1)
    kafka.put(ITEMS, item_event("P-1"))
    for number in NUMBERS:
        kafka.put(ORDERS, order_event(number))
    worker = Worker("pipeline", kafka, tmp_path / "none")
    worker.dies_until(lambda: len(kafka.events("sink.plant-a", "JobOrder")) == 2, "both other orders are made")
    assert parked_cause(kafka, "parked.pipeline") == "kills"
    assert worker.codes == [DIED] * 3
    assert [each.key for each in kafka.events("sink.plant-a", "JobOrder")] == ["crm:a", "crm:b"]
