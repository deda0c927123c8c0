"""What cannot be processed on a running bus: parked with its reason, listed, traced, and tried again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag
from typing import Any

import httpx
import pytest
import yaml

from deploy.demo.compare import Table
from deploy.demo.jiandaoyun_floor import SWEEP_S
from deploy.demo.log import Row, WorkOrder
from deploy.demo.login import Login, trust
from deploy.demo.project_files import write_project
from deploy.demo.salesforce_shop import Salesperson
from deploy.demo.stand_ins import StandInProcess, start_stand_in
from deploy.kafka import EmbeddedKafka
from deploy.project import load_project
from deploy.supervisor import Supervisor
from deploy.up_commands import roles_of
from deploy.wiring import activate_new, bus_of
from mappings import shipped
from streams.audit import entries
from streams.bus import Bus
from streams.kafka.topics import apply
from streams.parked import parked_now
from streams.trace import UnknownOrder, belongs_to, trace
from tests.bus_on_kafka import until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]

START = datetime(2026, 5, 1, 8, tzinfo=UTC)
HEALTHY_S = 120.0
COLUMNS = "item,description,unit,site\n"
PARTS = ("Bracket", "Unknown Thing", "Stray")


def work_order(number: str, part: str) -> WorkOrder:
    row = Row(number, part, 5, "Turning", "Lathe", START, START, 5, 0, False)
    return WorkOrder(number, part, 5, (row,))


class Seller(Salesperson):
    """A salesperson of a company that writes the wished day of a line into its description."""

    def __init__(self, login: Login) -> None:
        super().__init__(login)
        self.wish: str | None = None

    def _composite(self, parts: Sequence[tuple[str, str, str, Table | None]]) -> dict[str, Table]:
        wished: Table = {"Description": self.wish} if self.wish else {}
        return super()._composite(
            [(name, method, path, {**body, **wished} if body and name == "line" else body)
             for name, method, path, body in parts]
        )  # fmt: skip

    def sell(self, number: str, part: str, wish: str | None = None) -> tuple[str, str]:
        """Place an order; its number and its line's id."""
        self.wish = wish
        key, line = self.place(work_order(number, part)).split("/")
        return key.removeprefix("crm:"), line


@dataclass
class Running:
    """A running bus in a project's folder, and the person who sells."""

    folder: Path
    salesforce: StandInProcess
    seller: Seller
    bus: Bus

    def lineshaft(self, *arguments: str) -> tuple[int, Any]:
        """Exit code and what the command said: its JSON, or its message."""
        command = [sys.executable, "-m", "deploy.main", "--project", str(self.folder), *arguments, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr

    def parked(self, name: str) -> Any:
        """The newest parked record of the order of that name, once there is one; a person's edits came one by one."""
        until(lambda: any(belongs_to(each, name) for each in parked_now(self.bus)), f"{name} is parked")
        return self.lineshaft("parked", "list", "--order", name)[1][-1]

    def trace(self, name: str) -> Any:
        return self.lineshaft("trace", name)[1]

    def made(self, name: str) -> Any:
        """The jobs of the order, once there are some."""
        until(lambda: self._jobs(name), f"{name} is made")
        return self.trace(name)["jobs"]

    def _jobs(self, name: str) -> Any:
        try:
            return (trace(self.bus, name).state or {}).get("jobs")
        except UnknownOrder:
            return None  # it has not reached the bus yet

    def drop(self, name: str, *rows: str) -> None:
        part = self.folder / "reference" / f"{name}.part"
        part.write_text(COLUMNS + "".join(f"{row}\n" for row in rows))
        part.rename(part.with_suffix(".csv"))

    def edit(self, kind: str, far_id: str, **fields: str) -> None:
        """A person edits a record in the far system."""
        with httpx.Client(verify=trust(self.salesforce.login.ca_file)) as client:
            client.post(f"{self.salesforce.control}/person/{kind}/{far_id}", json=fields).raise_for_status()


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory, broker: EmbeddedKafka) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("parked")
    with ExitStack() as parts:
        far = {}
        for name in ("salesforce", "jiandaoyun"):
            far[name] = start_stand_in(name, folder / "far" / name, folder / f"{name}.log")
            parts.callback(far[name].stop)
        project = folder / "project"
        plant = {**far["jiandaoyun"].entry, "sweep_interval_s": SWEEP_S}
        write_project(project, far["salesforce"].entry, plant)
        _change(project, broker.bootstrap)
        seller = Seller(far["salesforce"].login)
        parts.callback(seller.close)
        running = Running(project, far["salesforce"], seller, bus_of(load_project(project)))
        running.drop("items", "BRACKET,Bracket,pcs,plant-a", "STRAY,Stray,pcs,nowhere")
        seller.prepare([work_order("", part) for part in PARTS])
        parts.callback(_started(project).stop)
        number, _ = seller.sell("WO-0", "Bracket")
        running.made(number)
        yield running


def _change(project: Path, bootstrap: str) -> None:
    """The session's Kafka, and a mapping that reads the wished day of a line from its description."""
    written = project / "lineshaft.yaml"
    changed = {"kafka": {"bootstrap": bootstrap}, "topic_prefix": "parked-commands.", "partitions": 2}
    written.write_text(yaml.safe_dump({**yaml.safe_load(written.read_text()), **changed, "mappings": ["mappings"]}))
    (project / "mappings").mkdir()
    for each in shipped():
        if each.kind == "mapping":
            text = each.text
            if each.name == "salesforce-order":
                text = text.replace("{from: ServiceDate, as: date}", "{from: Description, as: date}")
                text = text.replace("as drawn", '"2026-05-18"')
            (project / "mappings" / f"{each.name}.yaml").write_text(text)


def _started(folder: Path) -> Supervisor:
    project = load_project(folder)
    bus = bus_of(project)
    apply(bus.cluster, bus.topics, bus.groups)
    activate_new(bus, project, lambda _: None)
    roles = [each for each in roles_of(project, bus) if each.name not in ("views", "ingress")]
    supervisor = Supervisor(roles, folder / "logs")
    supervisor.start()
    try:
        supervisor.wait_healthy(HEALTHY_S, lambda _: None, Flag())
    except BaseException:
        supervisor.stop()
        raise
    return supervisor


def test_an_unknown_item_is_parked_while_others_go_on_and_redriven_when_its_reference_arrives(bus: Running) -> None:
    missing, _ = bus.seller.sell("WO-1", "Unknown Thing")
    good, _ = bus.seller.sell("WO-2", "Bracket")
    parked = bus.parked(missing)
    assert (parked["stage"], parked["cause"], parked["order"]) == ("pipeline", "unknown_reference", f"crm:{missing}")
    assert "UNKNOWN-THING" in parked["message"]
    assert parked["owner"].startswith("administrator")
    bus.made(good)

    shown = bus.lineshaft("parked", "show", parked["id"])[1]
    assert (shown["waits_for"], shown["record"]["number"]) == ("items/UNKNOWN-THING", missing)
    assert (shown["record"]["reference"], shown["record"]["lines"][0]["quantity"]) == ("WO-1", "5")
    code, said = bus.lineshaft("parked", "redrive", parked["id"])
    assert (code, said[0]["outcome"]) == (1, "parked again")
    traced = bus.trace("WO-1")
    assert {each["what"] for each in traced["timeline"]} == {"SalesOrder", "Parked"}
    assert (traced["state"]["state"], traced["parked"][-1]["id"]) == ("parked", parked["id"])

    bus.drop("items-2", "UNKNOWN-THING,A new thing,pcs,plant-a")
    [job] = bus.made(missing)
    assert (job["destination"], job["wanted"]) == ("plant-a", "released")
    traced = bus.trace(job["job_order"])
    assert (traced["order"], traced["parked"]) == (f"crm:{missing}", [])
    assert "resolved" in [each["says"] for each in traced["timeline"]]


def test_an_impossible_date_is_parked_as_it_came_and_superseded_by_its_correction(bus: Running) -> None:
    number, line = bus.seller.sell("WO-3", "Bracket", wish="2026-02-30")
    parked = bus.parked(number)
    assert (parked["stage"], parked["cause"]) == ("source.crm", "bad_value")
    assert "lines[0].requested_date" in parked["message"] and "2026-02-30" in parked["message"]
    assert parked["owner"].startswith("sales")

    traced = bus.trace("WO-3")
    assert (traced["order"], traced["parked"][-1]["id"]) == (parked["order"], parked["id"])
    record = bus.lineshaft("parked", "show", parked["id"])[1]["record"]
    assert (record["type"], record["fields"]["OrderNumber"]) == ("Order", number)

    bus.edit("OrderItem", line, Description="2026-02-28")
    bus.made(number)
    assert bus.lineshaft("parked", "list", "--order", number) == (0, [])


def test_what_was_corrected_elsewhere_goes_through_when_it_is_redriven(bus: Running) -> None:
    number, _ = bus.seller.sell("WO-4", "Stray")
    parked = bus.parked(number)
    assert (parked["cause"], "nowhere" in parked["message"]) == ("no_route", True)

    bus.drop("items-3", "STRAY,Stray,pcs,plant-a")
    code, said = until(lambda: _redriven(bus, parked["id"]), "the corrected item has arrived")
    assert (code, [each["outcome"] for each in said]) == (0, ["resolved"])
    bus.made(number)


def _redriven(bus: Running, parked_id: str) -> tuple[int, Any] | None:
    """The outcome of a redrive, None while the correction has not reached the pipeline."""
    found: tuple[int, Any] = bus.lineshaft("parked", "redrive", parked_id)
    return None if found[0] == 1 else found


def test_an_edit_mends_a_document_that_nobody_corrects_and_a_discard_gives_one_up(bus: Running) -> None:
    edited, _ = bus.seller.sell("WO-5", "Bracket", wish="2026-02-30")
    discarded, _ = bus.seller.sell("WO-6", "Bracket", wish="2026-02-31")
    parked, lost = bus.parked(edited), bus.parked(discarded)
    assert lost["cause"] in bus.lineshaft("parked", "list", "--older-than", "0s")[1][-1]["cause"]
    assert bus.lineshaft("parked", "list", "--older-than", "1d") == (0, [])
    file = bus.folder / "mended.json"
    text = json.dumps(bus.lineshaft("parked", "show", parked["id"])[1]["record"])
    file.write_text(text.replace("2026-02-30", "2026-02-29"))
    code, said = bus.lineshaft("parked", "edit", parked["id"], "--from", str(file))
    assert (code, said[0]["outcome"]) == (1, "parked again")
    assert "2026-02-29" in said[0]["message"]
    file.write_text(text.replace("2026-02-30", "2026-02-28"))
    code, said = bus.lineshaft("parked", "edit", parked["id"], "--from", str(file))
    assert (code, said[0]["outcome"]) == (0, "resolved")
    bus.made(edited)

    code, said = bus.lineshaft("parked", "discard", lost["id"], "--reason", "a test order")
    assert (code, said[0]["outcome"]) == (0, "discarded")
    acts = [(each["action"], each["subject"], each["reason"]) for each in entries(bus.bus.cluster)]  # type: ignore[index]
    assert acts[-3:] == [
        ("edit", parked["id"], ""),
        ("edit", parked["id"], ""),
        ("discard", lost["id"], "a test order"),
    ]


def test_an_order_that_nobody_knows_is_said_so_with_the_nearest(bus: Running) -> None:
    code, said = bus.lineshaft("trace", "0000009")
    assert code == 1
    assert "no order '0000009' is known" in said and "Nearest: 000000" in said
