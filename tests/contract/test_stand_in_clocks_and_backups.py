"""Both stand-ins: a clock that is wrong, and a restore of an old backup, over raw HTTP."""

from __future__ import annotations

import datetime
import ssl
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.jiandaoyun.simulator import Simulator as JianDaoYun
from connectors.salesforce.proto import pubsub_api_pb2 as pb
from tests.contract.salesforce_kit import Rig, rig_in
from tests.contract.salesforce_rpc_checks import ORDERS, refusal, stream

HOUR = 3600


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Rig]:
    with rig_in(tmp_path) as running:
        yield running


@pytest.fixture
def form(tmp_path: Path) -> Iterator[httpx.Client]:
    simulator = JianDaoYun(tmp_path)
    stand_in = simulator.start()
    trust = ssl.create_default_context(cafile=str(stand_in.ca_file))
    with httpx.Client(verify=trust, timeout=20, base_url=stand_in.control) as client:
        yield client
    simulator.stop()


def sent(client: httpx.Client, address: str, body: Any = None) -> httpx.Response:
    answer = client.post(address, json=body or {})
    assert answer.status_code == 200, answer.text
    return answer


def ahead_s(answer: httpx.Response) -> float:
    return parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()


def seconds(stamp: str) -> float:
    return datetime.datetime.fromisoformat(stamp).timestamp()


def made(form: httpx.Client, **changes: Any) -> dict[str, Any]:
    data = {"job_order_id": "X", "item": "P-1", "quantity": 1, "state": "released", **changes}
    record: dict[str, Any] = sent(form, "/person/create", {"data": data}).json()["data"]
    return record


@pytest.mark.parametrize("offset_s", [HOUR, -HOUR])
def test_the_form_s_stamps_and_the_date_header_follow_a_wrong_clock(form: httpx.Client, offset_s: int) -> None:
    assert abs(ahead_s(sent(form, "/clock", {"offset_s": offset_s})) - offset_s) < 60
    assert abs(seconds(made(form)["updateTime"]) - time.time() - offset_s) < 60
    sent(form, "/clock", {"offset_s": 0})
    assert abs(ahead_s(form.get("/clock"))) < 60


@pytest.mark.parametrize("offset_s", [HOUR, -HOUR])
def test_the_org_s_stamps_and_the_date_header_follow_a_wrong_clock(org: Rig, offset_s: int) -> None:
    sent(org.http, f"{org.stand_in.control}/clock", {"offset_s": offset_s})
    answer = org.data("GET", f"sobjects/Order/{org.order()}")
    assert abs(ahead_s(answer) - offset_s) < 60
    assert abs(seconds(answer.json()["SystemModstamp"]) - time.time() - offset_s) < 60


def test_a_wrong_clock_outlives_a_restart(org: Rig) -> None:
    sent(org.http, f"{org.stand_in.control}/clock", {"offset_s": HOUR})
    org.restart()
    assert org.http.get(f"{org.stand_in.control}/clock").json() == {"offset_s": 3600.0}


def test_a_restored_form_has_its_records_and_stamps_as_they_were(form: httpx.Client) -> None:
    before = made(form)
    sent(form, "/backup/old")
    sent(form, "/person/update", {"data_id": before["_id"], "data": {"state": "running"}})
    later = made(form, job_order_id="Y")
    sent(form, "/restore/old")

    assert sent(form, "/person/update", {"data_id": before["_id"], "data": {}}).json()["data"]["state"] == "released"
    assert form.post("/person/delete", json={"data_id": later["_id"]}).status_code == 400
    assert form.post("/restore/none").status_code == 404


def test_a_restored_org_has_its_records_numbers_and_replay_ids_as_they_were(org: Rig) -> None:
    order = org.known["order"]
    sent(org.http, f"{org.stand_in.control}/backup/old")
    org.person("POST", f"Order/{order}", {"Priority__c": "High"})
    later = org.order()
    with stream(org, topic=ORDERS, preset=pb.EARLIEST) as asking:
        newest = asking.events(1)[-1]
    sent(org.http, f"{org.stand_in.control}/restore/old")
    with stream(org, topic=ORDERS, replay=newest.replay_id) as asking:
        assert refusal(asking.next) == "subscription.fetch.replayid.corrupted"
    assert org.data("GET", f"sobjects/Order/{order}").json()["Priority__c"] is None
    assert org.data("GET", f"sobjects/Order/{later}").status_code == 404
    assert org.order() == later  # the numbers went back as well
