"""Two CRMs and two MES on one bus over a real Kafka: Salesforce and Tryton sell, JianDaoYun and Tryton make.

Tryton is the real server. Both CRMs count from the same number; routes choose the floor by the item's site. The
far systems' own books decide.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.demo.stand_ins import StandInProcess, start_stand_in
from deploy.kafka import EmbeddedKafka
from deploy.project import load_project
from deploy.tryton_server import TrytonServer
from deploy.tryton_server.person import Person
from deploy.wiring import activate_new, bus_of
from mappings import shipped
from streams.bus import Bus
from streams.kafka.topics import apply
from streams.live_plans import LivePlans
from streams.parked import parked_now
from streams.pipeline import Pipeline
from streams.sink_task import SinkTask
from streams.source_worker import SourceWorker
from tests.bus_on_kafka import running, until
from tests.crossing_people import (
    Floor,
    JianDaoYunFloor,
    Sale,
    SalesforceShop,
    Shop,
    Told,
    TrytonFloor,
    TrytonShop,
    Work,
)
from tests.tryton_people import People

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]

SHOPS, FLOORS = ("crm-north", "crm-south"), ("plant-a", "plant-b")
MADE_AT = {"plant-a": "P-100", "plant-b": "P-200"}
ITEMS = "item,description,unit,site\nP-100,Bracket,pcs,plant-a\nP-200,Housing,u,plant-b\n"
LINKS = """\
kind,system,id,to_system,to_id
unit,crm-north,Each,plant-a,pcs
unit,crm-north,Each,plant-b,u
unit,crm-south,u,plant-a,pcs
"""
ROUTES = """\
routes: orders
version: 1
release_when: {released: true}
to:
  - {when: {item.site: plant-a}, destination: plant-a}
  - {when: {item.site: plant-b}, destination: plant-b}
"""
TABLES: list[Any] = [
    {"document": "Item", "pattern": "items.csv", "key": "item", "columns": ["item", "description", "unit", "site"]},
    {
        "document": "Link",
        "pattern": "links.csv",
        "key": ["kind", "system", "id", "to_system"],
        "columns": ["kind", "system", "id", "to_system", "to_id"],
    },
]
SLOWEST_S = 120.0


@dataclass(frozen=True)
class Crossing:
    """The running bus, its project, and the people of all four systems by their connectors' names."""

    project: Path
    bus: Bus
    shops: Mapping[str, Shop]
    floors: Mapping[str, Floor]

    def on_floor(self, floor: str, job: str, wanted: Work) -> None:
        until(lambda: self.floors[floor].works(job) == [wanted], f"{job} is {wanted} at {floor}", SLOWEST_S)

    def told(self, shop: str, sale: Sale, wanted: Told) -> None:
        until(lambda: self.shops[shop].told(sale) == [wanted], f"{sale.key} is told as {wanted}", SLOWEST_S)


@pytest.fixture(scope="module")
def crossing(tmp_path_factory: pytest.TempPathFactory, broker: EmbeddedKafka) -> Iterator[Crossing]:
    folder = tmp_path_factory.mktemp("crossing")
    with ExitStack() as parts:
        server = parts.enter_context(TrytonServer(folder / "tryton", "sales", "plant", patient=True))
        far = {
            name: start_stand_in(name, folder / name, folder / f"{name}.log") for name in ("salesforce", "jiandaoyun")
        }
        for each in far.values():
            parts.callback(each.stop)
        shops = {"crm-north": SalesforceShop("crm-north", far["salesforce"], list(MADE_AT.values()))}
        south = TrytonShop("crm-south", People(server, "sales"))
        count_like(shops["crm-north"], server)
        floor_a = JianDaoYunFloor("plant-a", far["jiandaoyun"])
        floor_b = TrytonFloor("plant-b", People(server, "plant"))
        for person in (shops["crm-north"], south, floor_a, floor_b):
            parts.callback(person.close)
        project = write_project(folder / "project", broker.bootstrap, far, server)
        bus = bus_of(load_project(project))
        apply(bus.cluster, bus.topics, bus.groups)
        activate_new(bus, load_project(project), print)
        work(bus, parts)
        yield Crossing(project, bus, {**shops, "crm-south": south}, {"plant-a": floor_a, "plant-b": floor_b})


def count_like(shop: SalesforceShop, server: TrytonServer) -> None:
    """An administrator lets Tryton number its sales as Salesforce numbers its orders, beginning with the next one."""
    number = int(shop.sell(P_100=1).key.partition(":")[2])
    people: Any = server.facts["people"]
    person = Person(server.url, "sales", int(str(server.facts["company"])), people["login"], people["password"])
    with closing(person):
        [settings] = person.find("sale.configuration", [], "sale_sequence")
        person.call("ir.sequence", "write", [settings["sale_sequence"]], {"padding": 8, "number_next": number + 1})


def write_project(folder: Path, bootstrap: str, far: Mapping[str, StandInProcess], server: TrytonServer) -> Path:
    """lineshaft.yaml, secrets, master data and routes, as an administrator lays them."""
    for each in ("secrets", "reference", "routes"):
        (folder / each).mkdir(parents=True)

    def secret(name: str, value: object) -> str:
        (folder / "secrets" / name).write_text(str(value))
        return f"${{file:secrets/{name}}}"

    def tryton(kind: str, database: str) -> dict[str, Any]:
        key = secret(f"{kind}.key", server.key)
        return {
            "type": kind,
            "url": server.url,
            "database": database,
            "company": server.facts["company"],
            "key": key,
            "poll_interval_s": 0.2,
            "overlap_s": 10,
        }

    secrets = {"private_key", "client_secret", "api_key", "webhook_secret"}
    entries = {
        each: {
            name: secret(f"{each}-{name}", value) if name in secrets else value
            for name, value in far[each].entry.items()
        }
        for each in far
    }
    connectors = {
        "crm-north": entries["salesforce"],
        "crm-south": tryton("tryton-crm", "sales"),
        "plant-a": {**entries["jiandaoyun"], "sweep_interval_s": 0.5},
        "plant-b": tryton("tryton-mes", "plant"),
        "reference": {"type": "files", "folder": "reference", "tables": TABLES, "poll_interval_s": 0.5},
    }
    whole = {
        "kafka": {"bootstrap": bootstrap},
        "topic_prefix": "crossing.",
        "partitions": 3,
        "routes": "routes",
        "connectors": connectors,
    }
    (folder / "lineshaft.yaml").write_text(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True))
    (folder / "reference" / "items.csv").write_text(ITEMS)
    (folder / "reference" / "links.csv").write_text(LINKS)
    (folder / "routes" / "routes.yaml").write_text(ROUTES)
    return folder


def work(bus: Bus, parts: ExitStack) -> None:
    """Every role of the bus in this process, until the block ends."""
    plans = parts.enter_context(closing(LivePlans(bus)))
    parts.enter_context(running(SourceWorker(bus, plans)))
    parts.enter_context(running(Pipeline(bus, 0, plans)))
    for name in bus.sinks:
        parts.enter_context(running(SinkTask(bus, bus.attached[name], plans)))


@pytest.mark.parametrize("floor", FLOORS)
@pytest.mark.parametrize("shop", SHOPS)
def test_an_order_lives_its_whole_life_between(crossing: Crossing, shop: str, floor: str) -> None:
    """Made, changed, reported and finished; another one cancelled: the books of both sides end equal."""
    people, item = crossing.shops[shop], MADE_AT[floor]
    name = item.replace("-", "_")
    sale, off = people.sell(**{name: 5}), people.sell(**{name: 3})
    crossing.on_floor(floor, sale.jobs[item], Work(item, 5, "released"))
    crossing.on_floor(floor, off.jobs[item], Work(item, 3, "released"))
    people.change(sale, item, 7)
    people.cancel(off)
    crossing.on_floor(floor, sale.jobs[item], Work(item, 7, "released"))
    crossing.on_floor(floor, off.jobs[item], Work(item, 3, "cancelled"))
    crossing.told(shop, off, Told("aborted", 0, 0))
    crossing.floors[floor].report(sale.jobs[item], good=6, scrap=1)
    crossing.told(shop, sale, Told("running", 6, 1))
    crossing.floors[floor].finish(sale.jobs[item])
    crossing.told(shop, sale, Told("completed", 6, 1))
    assert crossing.floors[floor].works(sale.jobs[item]) == [Work(item, 7, "completed")]


def test_two_crms_with_the_same_numbers_and_two_floors_never_hear_of_each_other_s_orders(crossing: Crossing) -> None:
    """Each order has a line for each floor; the orders of both CRMs have the same number."""
    sales = {name: crossing.shops[name].sell(P_100=size, P_200=size + 10) for size, name in enumerate(SHOPS, 1)}
    assert len({sale.key.partition(":")[2] for sale in sales.values()}) == 1, "the CRMs do not number alike"
    for size, shop in enumerate(SHOPS, 1):
        wanted = sales[shop].jobs
        crossing.on_floor("plant-a", wanted["P-100"], Work("P-100", size, "released"))
        crossing.on_floor("plant-b", wanted["P-200"], Work("P-200", size + 10, "released"))
        crossing.floors["plant-a"].report(wanted["P-100"], good=size, scrap=0)
        crossing.floors["plant-b"].report(wanted["P-200"], good=size + 10, scrap=size)
    for size, shop in enumerate(SHOPS, 1):
        for floor, item in MADE_AT.items():
            crossing.floors[floor].finish(sales[shop].jobs[item])
        crossing.told(shop, sales[shop], Told("completed", 2 * size + 10, size))
    for shop in SHOPS:
        assert {key.partition(":")[0] for key in crossing.shops[shop].everything_told()} == {shop}
    for floor in FLOORS:
        jobs = crossing.floors[floor].everything()
        assert len(jobs) == len(set(jobs)), "a job order was made twice"
    assert not set(crossing.floors["plant-a"].everything()) & set(crossing.floors["plant-b"].everything())
    assert parked_now(crossing.bus) == []


def test_another_floor_takes_over_by_an_edit_of_the_routes_alone(crossing: Crossing) -> None:
    """What was begun stays where it is; what is sold from now on goes to the other floor."""
    before = {shop: crossing.shops[shop].sell(P_100=4) for shop in SHOPS}
    for sale in before.values():
        crossing.on_floor("plant-a", sale.jobs["P-100"], Work("P-100", 4, "released"))
    edited = ROUTES.replace("version: 1", "version: 2").replace("destination: plant-a", "destination: plant-b")
    (crossing.project / "routes" / "routes.yaml").write_text(edited)
    lineshaft(crossing.project, "mapping", "activate", "orders", "--yes")
    after = {shop: crossing.shops[shop].sell(P_100=9) for shop in SHOPS}
    for shop in SHOPS:
        crossing.shops[shop].change(before[shop], "P-100", 6)
    for shop in SHOPS:
        old, new = before[shop].jobs["P-100"], after[shop].jobs["P-100"]
        crossing.on_floor("plant-b", new, Work("P-100", 9, "released"))
        crossing.on_floor("plant-a", old, Work("P-100", 6, "released"))
        assert (crossing.floors["plant-a"].works(new), crossing.floors["plant-b"].works(old)) == ([], [])
        crossing.floors["plant-b"].report(new, good=9, scrap=0)
        crossing.floors["plant-b"].finish(new)
        crossing.told(shop, after[shop], Told("completed", 9, 0))


def lineshaft(project: Path, *arguments: str) -> Any:
    command = [sys.executable, "-m", "deploy.main", "--project", str(project), *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_routes_of_this_page_are_those_that_ship_with_a_second_floor() -> None:
    [own] = [each for each in shipped() if each.kind == "routes"]
    assert ROUTES.startswith(own.text.rstrip())
