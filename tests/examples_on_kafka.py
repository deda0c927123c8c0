"""The whole examples of docs/sql.md, docs/webhook.md and docs/files.md on one bus, with their people."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from connectors.testing.running import RunningStandIn
from connectors.webhook import connector as webhook
from deploy.http import RoleServer
from deploy.kafka import EmbeddedKafka
from deploy.project import load_project
from deploy.wiring import activate_new, bus_of
from streams.ingress import Ingress
from streams.kafka.topics import apply
from streams.live_plans import LivePlans
from streams.parked import parked_now
from streams.pipeline import Pipeline
from streams.sink_task import SinkTask
from streams.source_worker import SourceWorker
from tests.bus_on_kafka import BusOnKafka, running
from tests.contract.sql_kit import Database
from tests.contract.sql_kit import running as running_postgres
from tests.raw_kafka import RawKafka
from tests.whole_example import DOCS, connectors, databases, lay, part

PAGES = ("sql.md", "webhook.md", "files.md")
ITEMS = "item,description,unit,site\nW-1,Pump,pcs,workshop\nF-1,Pipe,pcs,old-hall\n"
SITE_OF_ITEM = "insert into items (item, unit, site) values ('P-1', 'pcs', 'plant')"
IN_ITS_OWN_PROCESS = "plant-db"


class SinkProcess:
    """`lineshaft run sink plant-db`."""

    def __init__(self, project: Path) -> None:
        options = ("--project", str(project), "run", "sink", IN_ITS_OWN_PROCESS, "--port", "0")
        self._command = [sys.executable, "-P", "-m", "deploy.main", *options]
        self._log = project / "sink.log"
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as out:
            self._popen = subprocess.Popen(self._command, stdout=out, stderr=out)

    def kill(self) -> None:
        os.kill(self._popen.pid, signal.SIGKILL)
        self._popen.wait()

    def stop(self) -> None:
        self._popen.terminate()
        self._popen.wait(30)


@dataclass(frozen=True)
class Examples:
    """The running bus and everything that people of its far systems have in hand."""

    folder: Path
    kafka: BusOnKafka
    shop: Database
    plant: Database
    tool: RunningStandIn
    ingress: str
    sink: SinkProcess

    def order(self, number: int, quantity: float, item: str = "P-1") -> None:
        """The shop's people sell."""
        with self.shop.session(autocommit=False) as people:
            people.execute("insert into orders (id, customer) values (%s, 'Acme')", (number,))
            people.execute("insert into lines values (%s, 10, %s, %s)", (number, item, quantity))
            people.commit()

    def made(self, number: int) -> list[tuple[Any, ...]]:
        """The plant's rows of an order."""
        key = f"shop-db:{number}/10"
        return self.plant.run("select item, quantity::float, wanted from work_orders where bus_id = %s", key)

    def report(self, number: int, state: str, good: float = 0, scrap: float = 0) -> None:
        """The plant's people fill in a row."""
        done = "update work_orders set state = %s, good = %s, scrap = %s, changed_at = now() where bus_id = %s"
        self.plant.run(done, state, good, scrap, f"shop-db:{number}/10")

    def told(self, number: int) -> tuple[Any, ...]:
        """What an order's own row says of its production."""
        return self.shop.run("select state, percent, good::float, reason from orders where id = %s", number)[0]

    def push(self, count: int = 1) -> list[int]:
        """Carry the stand-in's signed pushes to the ingress, each so many times; the statuses of the answers."""
        pushes: Any = self.tool.control("pushes", method="GET")["pushes"]
        return [self.post(each["headers"], each["body"]) for each in pushes for _ in range(count)]

    def post(self, headers: dict[str, str], body: str) -> int:
        return httpx.post(f"{self.ingress}/webhooks/shop", headers=headers, content=body).status_code

    def taken(self, key: str) -> dict[str, Any] | None:
        """What the tool holds of one work order."""
        found: Any = self.tool.control(f"taken/{key}", method="GET")["taken"]
        return None if found is None else {name: found[name] for name in ("item", "quantity", "wanted")}

    def pushed(self, key: str) -> int:
        """How often the tool was sent one work order, whatever it then did with it."""
        return len([each for each in self.tool.entries("push") if each["id"] == key])

    def drop(self, name: str, *rows: str) -> None:
        """Somebody drops a file of orders, whole."""
        self.lay("orders", name, "order,line,item,quantity,due,cancelled\n" + "\n".join(rows) + "\n")

    def lay(self, folder: str, name: str, text: str) -> None:
        part = self.folder / folder / f".{name}"
        part.write_text(text)
        part.rename(self.folder / folder / name)

    def handed(self, known_as: str) -> list[str]:
        """The rows of the files that lie there of one document, oldest first, without id and version."""
        files = sorted((self.folder / "inbox").glob(f"WorkOrder-{known_as}-*.csv"))
        return [each.read_text().splitlines()[1].split(";", 2)[2] for each in files]

    def parked(self, stage: str = "") -> list[tuple[str, str]]:
        return [
            (each.stage, str(each.value["cause"]))
            for each in parked_now(self.kafka.bus)
            if each.stage.startswith(stage)
        ]

    def read(self, key: str) -> int:
        """How often an order was read anew."""
        return len([each for each in self.kafka.events("crm.orders", "SalesOrder") if each.key == key])


@contextmanager
def running_examples(folder: Path, broker: EmbeddedKafka) -> Iterator[Examples]:
    """Everything runs until the block ends."""
    with ExitStack() as parts:
        there = databases(parts.enter_context(running_postgres(folder / "postgres")))
        tool = RunningStandIn(webhook, folder / "tool", requests_per_second=1000)
        tool.start()
        parts.callback(tool.stop)
        project = laid(folder / "project", {name: settings for name, (_, settings) in there.items()}, tool, broker)
        bus = bus_of(load_project(project))
        apply(bus.cluster, bus.topics, bus.groups)
        activate_new(bus, load_project(project), print)
        sink = SinkProcess(project)
        parts.callback(sink.stop)
        ingress = work(BusOnKafka(bus, RawKafka(broker.bootstrap)), parts)
        kafka = BusOnKafka(bus, RawKafka(broker.bootstrap))
        shop, plant = there["shop-db"][0], there["plant-db"][0]
        shop.run(SITE_OF_ITEM)
        yield Examples(project, kafka, shop, plant, tool, ingress, sink)


def laid(folder: Path, sql: dict[str, Any], tool: RunningStandIn, broker: EmbeddedKafka) -> Path:
    """The project of all three pages: their own settings, with the addresses and secrets of what runs here."""
    shown = {**connectors((DOCS / "webhook.md").read_text("utf-8")), **connectors(part("files.md"))}
    shown["old-mes"] = connectors((DOCS / "files.md").read_text("utf-8"))["old-mes"]
    of_shop = {name: shown["shop"][name] for name in ("receive", "send")}
    own = {
        **sql,
        "shop": {"type": "webhook", **tool.settings(**of_shop)},
        "orders-in": {**shown["orders-in"], "poll_interval_s": 0.2},
        "old-mes": {**shown["old-mes"], "folder": "inbox"},
    }
    top = {"kafka": {"bootstrap": broker.bootstrap}, "topic_prefix": "examples.", "partitions": 3}
    lay(folder, PAGES, own, top)
    for each in ("orders", "inbox"):
        (folder / each).mkdir()
    (folder / "reference" / "items.csv").write_text(ITEMS)
    return folder


def work(kafka: BusOnKafka, parts: ExitStack) -> str:
    """Every other role of the bus in this process; the address of the ingress."""
    bus = kafka.bus
    plans = parts.enter_context(closing(LivePlans(bus)))
    parts.enter_context(running(SourceWorker(bus, plans)))
    parts.enter_context(running(Pipeline(bus, 0, plans)))
    for name in bus.sinks:
        if name != IN_ITS_OWN_PROCESS:
            parts.enter_context(running(SinkTask(bus, bus.attached[name], plans)))
    ingress = Ingress(bus, plans)
    ingress.open()
    parts.callback(ingress.close)
    server = RoleServer("ingress", "127.0.0.1", 0, lambda: True, ingress.routes())
    server.start()
    parts.callback(server.stop)
    return server.address
