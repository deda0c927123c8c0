"""The whole bus as real processes between two stand-ins: the story, the crash, and what the comparison finds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from typing import Any

import httpx
import pytest

from deploy.demo import story
from deploy.demo.compare import compare
from deploy.demo.jiandaoyun_floor import JianDaoYunFloor
from deploy.demo.log import WorkOrder, read_log
from deploy.demo.login import trust
from deploy.demo.salesforce_shop import SalesforceShop
from deploy.demo.stand_ins import StandInProcess
from schemas.event import Record
from schemas.wire import Reader
from tests.bus_on_kafka import ONE, BusOnKafka, report_event, until
from tests.made_log import made_log
from tests.raw_kafka import RawKafka

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]


@dataclass
class Whole:
    """A running bus after a small log was acted out, with both stand-ins at hand."""

    on: story.Stage
    log: Path
    orders: list[WorkOrder]
    http: httpx.Client

    @property
    def salesforce(self) -> StandInProcess:
        assert isinstance(self.on.shop, SalesforceShop)
        return self.on.shop.stand_in

    @property
    def jiandaoyun(self) -> StandInProcess:
        assert isinstance(self.on.floor, JianDaoYunFloor)
        return self.on.floor.stand_in

    def differences(self) -> list[Any]:
        found = compare(self.log, self.on.shop.books(), self.on.floor.books())["differences"]
        assert isinstance(found, list)
        return found

    def person(self, action: str, body: dict[str, Any]) -> dict[str, Any]:
        """A person's edit in JianDaoYun's form; `bulk` edits are not pushed."""
        answer = self.http.post(f"{self.jiandaoyun.control}/person/{action}", json=body)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def fault(self, **fault: Any) -> None:
        answer = self.http.post(f"{self.jiandaoyun.control}/faults", json=fault)
        assert answer.is_success, answer.text

    def writes(self, job_order_id: str) -> list[dict[str, Any]]:
        """What JianDaoYun's own ledger says of accepted writes by the API to one work order."""
        ledger = self.http.get(f"{self.jiandaoyun.control}/ledger").json()
        entries = ledger["entries"] if isinstance(ledger, dict) else ledger
        return [e for e in entries if e["kind"] == "write" and e.get("by") == "api" and job_order_id in json.dumps(e)]

    def record(self, job_order_id: str) -> dict[str, Any] | None:
        values = self.jiandaoyun.login.values
        condition = {"field": "job_order_id", "type": "text", "method": "eq", "value": [job_order_id]}
        body = {
            "app_id": values["app_id"],
            "entry_id": values["entry_id"],
            "limit": 100,
            "filter": {"rel": "and", "cond": [condition]},
        }
        answer = self.http.post(
            f"{values['base_url']}/v5/app/entry/data/list",
            json=body,
            headers={"Authorization": f"Bearer {values['api_key']}"},
        )
        found = answer.json().get("data", [])
        assert len(found) < 2, f"{len(found)} work orders {job_order_id}"
        return dict(found[0]) if found else None


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    folder = tmp_path_factory.mktemp("whole")
    log = made_log(folder / "log.csv", orders=8, seed=7)
    orders, stop = read_log(log), Flag()
    with story.stage(folder / "project", orders, stop, "salesforce", "jiandaoyun") as on:
        story.tell(on, orders, 60_000.0, stop)
        assert isinstance(on.floor, JianDaoYunFloor)
        with httpx.Client(verify=trust(on.floor.stand_in.login.ca_file), timeout=30.0) as http:
            yield Whole(on, log, orders, http)


def test_every_order_lives_its_whole_life(whole: Whole) -> None:
    assert whole.differences() == []


def test_a_resync_over_a_closed_order_writes_nothing_into_production(whole: Whole) -> None:
    """Salesforce tells no event but "all of 801 changed"; the order's line was raised by a person meanwhile."""
    job = [each for each in _jobs(whole) if each is not None][-1]
    job_id = str(job["job_order_id"])
    key, _, line_id = job_id.rpartition("/")
    kafka = BusOnKafka(whole.on.bus, RawKafka(whole.on.bus.cluster.bootstrap))
    kafka.put("mes.production", report_event(key.partition(":")[2], job_order_id=job_id, state="closed"))
    until(lambda: _state(kafka, key)["closed"], "the order is closed")
    told, written = str(_state(kafka, key)["revision"]), len(whole.writes(job_id))
    control, fault = whole.salesforce.control, {"kind": "wildcard", "match": {"object": "OrderItem"}}
    with httpx.Client(verify=trust(whole.salesforce.login.ca_file)) as org:
        assert org.post(f"{control}/faults", json=fault).is_success
        assert org.post(f"{control}/person/OrderItem/{line_id}", json={"Quantity": 4711}).is_success
    until(lambda: str(_state(kafka, key)["revision"]) > told, "the resync has come to the closed order")
    assert _state(kafka, key)["closed"]
    assert len(whole.writes(job_id)) == written
    wanted = [each for each in kafka.events("sink.plant-a", "JobOrder") if each.subject == job_id]
    assert all(each.value["quantity"] != 4711 * ONE for each in wanted)


def _state(kafka: BusOnKafka, key: str) -> Record:
    return Reader("OrderState")(kafka.newest("bus.order-state")[key.encode()])


def test_a_sink_killed_while_the_far_side_holds_its_answer_makes_one_work_order(whole: Whole) -> None:
    whole.fault(kind="store_then_hang", times=1, match={"call": "batch_create"})
    killed = whole.on.supervisor.pids()["sink-plant-a"]
    job = whole.on.shop.place(WorkOrder("KILLED", whole.orders[0].part, 5, whole.orders[0].rows))
    until(lambda: whole.writes(job), "the write is stored and its answer is held")
    os.kill(killed, signal.SIGKILL)

    def back() -> bool:
        whole.on.supervisor.look()
        pid = whole.on.supervisor.pids()["sink-plant-a"]
        return pid != killed and _healthy(whole.on.address("sink-plant-a"))

    until(back, "the sink is started again")
    until(lambda: _committed(whole, job), "the sink has committed the order")
    assert len(whole.writes(job)) == 1
    assert whole.record(job) is not None


def _healthy(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health", timeout=2.0).is_success
    except httpx.TransportError:
        return False


def _committed(whole: Whole, job: str) -> bool:
    """Whether the group's offset is behind the order's last record, asked by the raw client."""
    raw, topic = RawKafka(whole.on.bus.cluster.bootstrap), "sink.plant-a"
    records = [each for each in raw.read_committed(topic) if each.header("ce_subject") == job.encode()]
    done = raw.committed_offsets("sink.plant-a", topic)
    return bool(records) and all(done.get(each.partition, 0) > each.offset for each in records)


def test_the_comparison_finds_what_was_done_behind_the_bus_s_back(whole: Whole) -> None:
    """A removed report, an altered quantity, a deleted work order; the edits are bulk edits, which nobody pushes."""
    jobs = [job for job in _jobs(whole) if job is not None and len(job["operations"]) > 0]
    removed, altered, deleted = jobs[0], jobs[1], jobs[2]
    before = {json.dumps(each) for each in whole.differences()}
    whole.person("update", {"data_id": removed["_id"], "bulk": True, "data": {"operations": []}})
    whole.person("update", {"data_id": altered["_id"], "bulk": True, "data": {"quantity": 1 + altered["quantity"]}})
    whole.person("delete", {"data_id": deleted["_id"], "bulk": True})
    found = [each for each in whole.differences() if json.dumps(each) not in before]
    named = {(each["where"], each["field"]) for each in found}
    assert ("JianDaoYun", "ordered") in named
    assert ("JianDaoYun", "work orders") in named
    assert named & {("JianDaoYun", "good"), ("JianDaoYun", "scrap"), ("JianDaoYun", "rework")}


def _jobs(whole: Whole) -> list[dict[str, Any] | None]:
    ours = [order for order in whole.on.shop.books().orders if order.work_order.startswith("WO/")]
    return [whole.record(job) for order in ours for job in order.jobs]


def test_a_work_order_deleted_behind_the_bus_s_back_is_told_and_never_made_again(whole: Whole) -> None:
    job = next(job for job in _jobs(whole) if job is not None)
    key = str(job["job_order_id"]).split("/")[0]
    whole.person("delete", {"data_id": job["_id"]})
    until(lambda: _status(whole, key) == "aborted", "Salesforce is told")
    assert whole.record(str(job["job_order_id"])) is None


def _status(whole: Whole, key: str) -> str | None:
    statuses = whole.on.shop.told()
    return statuses[key].state if key in statuses else None


def test_a_generated_log_of_500_orders_runs_the_same_as_the_shipped_one(tmp_path: Path) -> None:
    log = made_log(tmp_path / "other.csv", orders=500, rows=2, seed=3)
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "deploy.main", "demo", "--log", str(log), "--report", str(report)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=380, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(report.read_text())
    assert (found["orders_expected"], found["orders_completed"], found["differences"]) == (500, 500, [])
    assert found["quantity_good_expected"] == found["quantity_good_reported"]
    assert found["parked"] == 0
