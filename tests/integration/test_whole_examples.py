"""The whole examples of docs/sql.md, docs/webhook.md and docs/files.md on one bus over a real Kafka.

Databases are a real PostgreSQL, folders are folders, pushes come and go over HTTP to the webhook's stand-in. What
the bus does is looked up where the far systems keep it; the sink of the plant's database is a process that is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import Workbook

from connectors.testing.running import RunningStandIn
from connectors.webhook import connector as webhook
from deploy.http import RoleServer
from deploy.kafka import EmbeddedKafka
from deploy.project import load_project
from deploy.wiring import activate_new, bus_of
from schemas.document import Value
from streams.ingress import Ingress
from streams.kafka.topics import apply
from streams.live_plans import LivePlans
from streams.parked import parked_now
from streams.pipeline import Pipeline
from streams.sink_task import SinkTask
from streams.source_worker import SourceWorker
from tests.bus_on_kafka import BusOnKafka, running, until
from tests.contract.sql_kit import Database
from tests.contract.sql_kit import running as running_postgres
from tests.raw_kafka import RawKafka
from tests.whole_example import DOCS, connectors, databases, lay, part

pytestmark = [pytest.mark.kafka, pytest.mark.needs("pg_ctlcluster"), pytest.mark.timeout(300)]

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


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory, broker: EmbeddedKafka) -> Iterator[Examples]:
    folder = tmp_path_factory.mktemp("examples")
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


def is_made(examples: Examples, number: int, quantity: float, wanted: str = "released") -> None:
    row = ("P-1", quantity, wanted)
    until(lambda: examples.made(number) == [row], f"order {number} is {row} in the plant")


def is_told(examples: Examples, number: int, *row: object) -> None:
    """`row`: state, percent, good, reason."""
    until(lambda: examples.told(number) == row, f"order {number} is told as {row}")


def test_an_order_of_one_database_is_made_in_another_and_told_back(examples: Examples) -> None:
    examples.order(7, 4)
    is_made(examples, 7, 4)
    examples.shop.run("update lines set quantity = 5, changed_at = now() where order_id = 7")
    is_made(examples, 7, 5)
    examples.report(7, "running", good=2, scrap=1)
    is_told(examples, 7, "running", 40, 2, None)
    examples.report(7, "done", good=5, scrap=1)
    is_told(examples, 7, "completed", 100, 5, None)
    assert examples.made(7) == [("P-1", 5, "released")]


def test_an_order_that_its_database_cancels_is_cancelled_in_the_plant_and_told_so_when_people_agree(
    examples: Examples,
) -> None:
    examples.order(8, 4)
    is_made(examples, 8, 4)
    examples.report(8, "running", good=1)
    is_told(examples, 8, "running", 25, 1, None)
    examples.shop.run("update orders set cancelled = true, changed_at = now() where id = 8")
    is_made(examples, 8, 4, "cancelled")
    examples.report(8, "cancelled", good=1)
    is_told(examples, 8, "aborted", 25, 1, "cancelled in the CRM")


def test_a_sink_killed_in_the_middle_of_a_write_makes_each_row_once(examples: Examples) -> None:
    numbers = range(100, 120)
    with examples.plant.session(autocommit=False) as people:
        people.execute("lock table work_orders in exclusive mode")
        for number in numbers:
            examples.order(number, 1)
        waiting = "select 1 from pg_stat_activity where datname = %s and wait_event_type = 'Lock'"
        until(lambda: examples.plant.run(waiting, examples.plant.name), "the sink waits for the table")
        examples.sink.kill()
        people.rollback()
    examples.sink.start()
    for number in numbers:
        is_made(examples, number, 1)
    rows = "select count(*), count(distinct bus_id) from work_orders where bus_id like 'shop-db:1__/10'"
    assert examples.plant.run(rows) == [(len(numbers), len(numbers))]


def test_a_trigger_that_stamps_what_the_bus_writes_makes_no_endless_echo(examples: Examples) -> None:
    examples.shop.run(
        "create function stamped() returns trigger language plpgsql as "
        "$$ begin new.changed_at := clock_timestamp(); return new; end $$"
    )
    examples.shop.run("create trigger stamp before update on orders for each row execute function stamped()")
    examples.order(9, 4)
    is_made(examples, 9, 4)
    examples.report(9, "running", good=2)
    is_told(examples, 9, "running", 50, 2, None)
    examples.order(10, 1)
    examples.report(9, "done", good=4)
    is_told(examples, 9, "completed", 100, 4, None)
    is_made(examples, 10, 1)
    examples.report(10, "done", good=1)
    is_told(examples, 10, "completed", 100, 1, None)
    examples.shop.run("drop trigger stamp on orders")
    assert examples.read("shop-db:9") <= 8, "one for the order and one for each status that was written"


def test_a_signed_push_becomes_a_signed_push_however_often_it_is_delivered(examples: Examples) -> None:
    items: Value = [{"id": "L1", "item": "W-1", "quantity": 5}]
    made = examples.tool.control("order", {"number": "A-7", "customer": {"name": "Acme"}, "items": items})["id"]
    assert examples.push(count=3) == [200, 200, 200]
    key = f"shop:{made}/L1"
    wanted = {"item": "W-1", "quantity": 5, "wanted": "released"}
    until(lambda: examples.taken(key) == wanted, "the work order was pushed")
    examples.tool.control("order", {"id": made, "items": [{"id": "L1", "item": "W-1", "quantity": 6}]})
    assert examples.push(count=2) == [200, 200]
    until(lambda: examples.taken(key) == {**wanted, "quantity": 6}, "the change was pushed")
    examples.tool.control(f"order/{made}", method="DELETE")
    assert examples.push(count=2) == [200, 200]
    until(lambda: (examples.taken(key) or {}).get("wanted") == "cancelled", "the cancellation was pushed")
    assert examples.pushed(key) == 3


def test_a_push_with_a_wrong_signature_is_refused(examples: Examples) -> None:
    made = examples.tool.control("order", {"number": "A-8", "items": [{"id": "L1", "item": "W-1", "quantity": 1}]})
    pushes: Any = examples.tool.control("pushes", method="GET")["pushes"]
    headers = {**pushes[0]["headers"], "webhook-signature": "v1,AAAA"}
    assert [examples.post(headers, each["body"]) for each in pushes] == [401]
    assert examples.read(f"shop:{made['id']}") == 0


def test_a_push_that_no_mapping_can_read_waits_and_is_closed_by_a_better_one(examples: Examples) -> None:
    made = examples.tool.control("order", {"number": "A-9", "items": [{"item": "W-1", "quantity": 1}]})["id"]
    assert examples.push() == [200]
    until(lambda: examples.parked("source.shop") == [("source.shop", "required_missing")], "the push is parked")
    examples.tool.control("order", {"id": made, "items": [{"id": "L1", "item": "W-1", "quantity": 1}]})
    assert examples.push() == [200]
    until(lambda: examples.taken(f"shop:{made}/L1"), "the better one went through")
    until(lambda: examples.parked("source.shop") == [], "the parked one is closed")


def test_a_dropped_csv_of_orders_becomes_files_and_nothing_twice(examples: Examples) -> None:
    examples.drop("orders-1.csv", "A-7,1,F-1,5,2026-05-20,no", "A-7,2,F-1,2.5,,no")
    first, second = "orders-in%3AA-7-1%2F1", "orders-in%3AA-7-2%2F2"
    until(lambda: examples.handed(first) == ["F-1;5;2026-05-20;released"], "the first line is handed over")
    until(lambda: examples.handed(second) == ["F-1;2.5;;released"], "the second as well")
    examples.drop("orders-1.csv", "A-7,1,F-1,5,2026-05-20,no", "A-7,2,F-1,2.5,,no")
    examples.drop("orders-2.csv", "A-7,1,F-1,5,2026-05-20,no", "A-7,2,F-1,2.5,,yes")
    until(lambda: examples.handed(second) == ["F-1;2.5;;released", "F-1;2.5;;cancelled"], "the cancellation")
    assert examples.handed(first) == ["F-1;5;2026-05-20;released"]


def test_a_dropped_excel_sheet_of_orders_becomes_files(examples: Examples) -> None:
    book = Workbook()
    assert book.active is not None
    for row in (["order", "line", "item", "quantity", "due", "cancelled"], ["X-1", 1, "F-1", 3, None, "no"]):
        book.active.append(row)
    book.save(examples.folder / "orders" / ".orders-3.xlsx")
    (examples.folder / "orders" / ".orders-3.xlsx").rename(examples.folder / "orders" / "orders-3.xlsx")
    until(lambda: examples.handed("orders-in%3AX-1-1%2F1") == ["F-1;3;;released"], "the row is handed over")


def test_nothing_was_parked_but_what_was_wrong(examples: Examples) -> None:
    until(lambda: examples.parked() == [], "nothing is parked")
