"""The Salesforce contract row by row: the connector and the stand-in are each held against it, not to each other."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from simple_salesforce.api import Salesforce

from connectors import errors
from connectors.salesforce import outcomes
from connectors.salesforce.bitmaps import places
from connectors.salesforce.changes import change_of
from connectors.salesforce.client import Client
from connectors.salesforce.login import token_of
from connectors.salesforce.orders import document
from connectors.salesforce.sink import may_pass, verdict
from schemas.document import Value
from schemas.identity import revision_time_us
from tests.contract import salesforce_rest_checks, salesforce_rpc_checks
from tests.contract.salesforce_kit import Rig, rig_in

ROWS: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("salesforce.yaml").read_text())
SECTIONS = {"1", "2", "3", "4", "5", "6", "6b", "7", "8"}
CONNECTOR = [row for row in ROWS if "connector" in row]
STAND_IN = [row for row in ROWS if "stand_in" in row]


def named(row: Mapping[str, Any]) -> str:
    return f"{row['section']}-{row['id']}"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with rig_in(tmp_path) as running:
        running.settings(keep_alive_s=0)
        yield running


def test_every_section_has_rows_and_every_row_says_who_shows_it() -> None:
    assert {row["section"] for row in ROWS} == SECTIONS
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert [row["id"] for row in ROWS if "connector" not in row and "stand_in" not in row] == []


@pytest.mark.parametrize("row", CONNECTOR, ids=named)
def test_the_connector_keeps_the_row(row: dict[str, Any], request: pytest.FixtureRequest) -> None:
    wanted = dict(row["connector"])
    if "shown_by" in wanted:
        module, _, name = wanted["shown_by"].partition(":")
        assert callable(getattr(importlib.import_module(module), name))
    else:
        CHECKS[wanted.pop("check")](request, **wanted)


@pytest.mark.parametrize("row", STAND_IN, ids=named)
def test_the_stand_in_keeps_the_row(row: dict[str, Any], rig: Rig) -> None:
    wanted = row["stand_in"]
    if "fault" in wanted:
        rig.fault(wanted["fault"])
    for step in wanted.get("steps", ()):
        exchange(rig, step)
    name = wanted.get("rpc") or wanted.get("library")
    if name:
        in_rest = hasattr(salesforce_rest_checks, name)
        getattr(salesforce_rest_checks if in_rest else salesforce_rpc_checks, name)(rig)


def exchange(rig: Rig, step: Mapping[str, Any]) -> None:
    """One raw call and what its answer must hold."""
    method, path = step["call"]
    answer = rig.data(method, str(rig.filled(path)), rig.filled(step.get("send")), step.get("headers"))
    assert answer.status_code == step["status"], answer.text
    for name, pattern in step.get("header", {}).items():
        assert re.fullmatch(pattern, answer.headers[name])
    if "body" in step:
        holds(answer.json(), rig.filled(step["body"]), str(path))


def holds(found: Any, wanted: Any, where: str) -> None:
    """Whether an answer has at least what is wanted; lists must be as long."""
    if isinstance(wanted, Mapping):
        for name, value in wanted.items():
            assert name in found, f"{where}.{name} is missing in {found}"
            holds(found[name], value, f"{where}.{name}")
    elif isinstance(wanted, Sequence) and not isinstance(wanted, str):
        assert len(found) == len(wanted), f"{where}: {found}"
        for number, value in enumerate(wanted):
            holds(found[number], value, f"{where}[{number}]")
    else:
        assert found == wanted, where


class Failed(grpc.RpcError):
    """A failed call as grpc raises it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self._code = code

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return "as scripted"

    def trailing_metadata(self) -> Any:
        item = type("Item", (), {"key": "error-code", "value": outcomes.GRPC_PREFIX + self._code})
        return (item(),)


def error_class(name: str) -> type[Exception]:
    found: type[Exception] = getattr(errors, name, None) or getattr(outcomes, name)
    return found


def check_token(request: pytest.FixtureRequest, org: str, body: object) -> None:
    token = token_of(body)
    assert token.org_id == org
    assert token.instance_url == "https://acme.my.salesforce.com"


def check_answer(request: pytest.FixtureRequest, status: int, body: object, error: str) -> None:
    assert type(outcomes.error_of_answer(status, body, "here")) is error_class(error)


def check_code(request: pytest.FixtureRequest, status: int, code: str, error: str) -> None:
    assert code in outcomes.REST
    check_answer(request, status, [{"errorCode": code, "message": "m", "fields": []}], error)
    assert type(outcomes.failure_of({"statusCode": code}).error) is error_class(error)


def check_grpc(request: pytest.FixtureRequest, code: str, error: str) -> None:
    assert type(outcomes.error_of_rpc(Failed(code), "here")) is error_class(error)


def check_row(request: pytest.FixtureRequest, body: Mapping[str, Value], means: str) -> None:
    failure = verdict(body)
    done = "done" if failure is None else "again" if may_pass(failure, was_duplicate=False) else "never"
    assert done == means


def check_bitmap(request: pytest.FixtureRequest, bitmap: str, **wanted: list[int]) -> None:
    assert places(bitmap) == wanted["places"]


def check_event(request: pytest.FixtureRequest) -> None:
    """The sample of section 5, with a schema wide enough for its bitmap."""
    header = {
        "entityName": "Order",
        "recordIds": ["801xx1"],
        "changeType": "UPDATE",
        "changeOrigin": "com/salesforce/api/rest/62.0;client=OurMiddleware",
        "transactionKey": "0007d-..",
        "sequenceNumber": 1,
        "commitTimestamp": 1718150400123,
        "commitNumber": 1234567890123,
        "commitUser": "005xx",
        "nulledFields": [],
        "diffFields": [],
        "changedFields": ["0x650004E0"],
    }
    schema = {"fields": [{"name": f"f{number}", "type": "string"} for number in range(31)]}
    event = {"ChangeEventHeader": header, "Status": "Activated", "LastModifiedDate": 1718150400000}
    change = change_of(event, schema)
    assert (change.entity, change.kind, change.record_ids) == ("Order", "UPDATE", ("801xx1",))
    assert change.commit_us == 1718150400123000
    assert change.changed == ("f5", "f6", "f7", "f10", "f24", "f26", "f29", "f30")
    assert change.origin.endswith("client=OurMiddleware")


def check_stamp(request: pytest.FixtureRequest) -> None:
    old, new = "2026-05-01T08:00:00.000+0000", "2026-05-01T09:00:00.000+0000"
    line: dict[str, Value] = {"Id": "802", "OrderId": "801", "IsDeleted": False, "SystemModstamp": new, "Quantity": 1}
    record: dict[str, Value] = {"Id": "801", "IsDeleted": False, "SystemModstamp": old}
    made = document(dict(record), [line])
    assert revision_time_us(made.revision) == 1777626000000000
    touched = document({**record, "SystemModstamp": new}, [{**line, "SystemModstamp": old}])
    assert touched.revision == made.revision
    assert document(dict(record), [{**line, "Quantity": 2}]).revision != made.revision


def check_no_silent_login(request: pytest.FixtureRequest) -> None:
    rig: Rig = request.getfixturevalue("rig")
    client = Client(rig.config())
    org: Salesforce = client._org(client.token)
    assert org._salesforce_login_partial is None
    with pytest.raises(RuntimeError):
        org._refresh_session()
    client.close()


CHECKS = {name.removeprefix("check_"): check for name, check in globals().items() if name.startswith("check_")}
