"""A sale in one real Tryton becomes a production in another over a real Kafka, and what is made comes back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from connectors.contract import Connector
from connectors.tryton import crm, mes
from deploy.tryton_server import TrytonServer
from mappings import definition, shipped
from streams.bus import Attached
from streams.definitions import activate
from streams.pipeline import Pipeline
from streams.sink_task import SinkTask
from streams.source_worker import SourceWorker
from tests.bus_on_kafka import BusOnKafka, bus_on_kafka, item_event, running, until
from tests.raw_kafka import RawKafka
from tests.tryton_people import People

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]

ROUTES = """\
routes: orders
version: 2
release_when: {released: true}
to:
  - {destination: plant-a}
"""
SLOWEST_S = 90.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrytonServer]:
    with TrytonServer(tmp_path_factory.mktemp("tryton"), "sales", "plant") as running_server:
        yield running_server


def attached(name: str, connector: Connector, people: People) -> Attached:
    return Attached(name, connector, connector.config.model_validate(people.config(overlap_s=5)))


def working(kafka: BusOnKafka, parts: ExitStack) -> None:
    """Every role of the bus in this process, until the block ends."""
    plans = parts.enter_context(closing(kafka.plans))
    parts.enter_context(running(SourceWorker(kafka.bus, plans)))
    parts.enter_context(running(Pipeline(kafka.bus, 0, plans)))
    for name in kafka.bus.sinks:
        parts.enter_context(running(SinkTask(kafka.bus, kafka.bus.attached[name], plans)))


def test_a_sale_is_made_and_told_and_a_cancelled_one_is_not_made(
    server: TrytonServer, raw: RawKafka, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRYTON_KEY", server.key)
    selling, making = People(server, "sales"), People(server, "plant")
    systems = {"crm": attached("crm", crm, selling), "plant-a": attached("plant-a", mes, making)}
    kafka = bus_on_kafka(raw, topic_prefix, attached=systems)
    own = [each for each in shipped() if each.kind != "routes"]
    activate(kafka.bus.cluster, [*own, definition(ROUTES, "routes.yaml")], "a test")
    kafka.put("ref.items", item_event("P-100"))
    sale = selling.sell(selling.line("P-100", 4))
    off = selling.sell(selling.line("P-100", 3))
    with ExitStack() as parts:
        working(kafka, parts)
        job, other = job_of(selling, sale), job_of(selling, off)
        made = until(lambda: making.production(job), "the sale is a production", SLOWEST_S)
        until(lambda: making.production(other), "the other sale is one as well", SLOWEST_S)
        assert (made["quantity"], made["outputs"][0]["quantity"], made["inputs"][0]["quantity"]) == (4, 4, 8)
        making.start(made["id"])
        for work in making.production(job)["works"]:
            making.report(work["id"], 4)
        making.press("production", made["id"], "do")
        making.press("production", making.production(other)["id"], "cancel")

        def told(which: int, state: str) -> bool:
            found = selling.find("lineshaft.status", [["sale", "=", which]], "state", "percent", "good")
            return [each["state"] for each in found] == [state]

        until(lambda: told(sale, "completed"), "the sale shows that it is completed", SLOWEST_S)
        until(lambda: told(off, "aborted"), "the other one shows that it was given up", SLOWEST_S)
    (status,) = selling.find("lineshaft.status", [["sale", "=", sale]], "percent", "good")
    assert (status["percent"], float(status["good"]["decimal"])) == (100, 4.0)


def job_of(people: People, sale: int) -> str:
    found = people.sale(sale)
    return f"crm:{found['number']}/{found['lines'][0]['id']}"
