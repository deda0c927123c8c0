"""What the log says against what both systems say: no part of the bus computes anything here.

Imports httpx, csv and the standard library only, reads the log itself and asks Salesforce and JianDaoYun over their
public APIs. Meaning of the figures of one work order:

    good     sum of qty_completed over all rows of the operation whose last `end` is greatest (tie: the later row)
    scrap    sum of qty_mrb over all rows
    rework   number of rows with Y
    state    completed, once its last row is reported
"""

from __future__ import annotations

import csv
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias, cast

import httpx

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Table: TypeAlias = "dict[str, Json]"

PAGE = 100
TIMEOUT_S = 60.0
CONNECTOR = "crm"


@dataclass(frozen=True)
class Made:
    """One work order as one side says it."""

    ordered: float
    good: float
    scrap: float
    rework: float
    state: str = "completed"


@dataclass(frozen=True)
class Difference:
    """One thing that is not as the log says."""

    work_order: str
    where: str
    field: str
    expected: str
    found: str


@dataclass(frozen=True)
class Login:
    """How a script reaches a system: its address, the file of its authority, and what it logs in with."""

    values: Mapping[str, str]
    ca_file: Path


def compare(log: Path, salesforce: Login, jiandaoyun: Login) -> Table:
    """The report: figures of both sides and every difference. Raises httpx.HTTPError where a side does not answer."""
    expected = from_log(log)
    orders, statuses = from_salesforce(salesforce)
    jobs = from_jiandaoyun(jiandaoyun)
    differences = list(_differences(expected, orders, statuses, jobs))
    told = [made for made in statuses.values() if made.state == "completed"]
    return {
        "orders_expected": len(expected),
        "orders_completed": len(told),
        "quantity_good_expected": _plain(sum(made.good for made in expected.values())),
        "quantity_good_reported": _plain(sum(made.good for made in told)),
        "differences": [cast("Json", vars(each)) for each in differences],
    }


def from_log(path: Path) -> dict[str, Made]:
    """Every work order of the log by its number."""
    rows: dict[str, list[Mapping[str, str]]] = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["work_order"].strip(), []).append(row)
    return {number: _made(own) for number, own in rows.items()}


def _made(rows: Sequence[Mapping[str, str]]) -> Made:
    ends = [(datetime.fromisoformat(row["end"]), index) for index, row in enumerate(rows)]
    last = rows[max(ends)[1]]["operation"].strip()
    good = sum(int(row["qty_completed"]) for row in rows if row["operation"].strip() == last)
    rework = sum(1 for row in rows if row["rework"].strip() == "Y")
    return Made(int(rows[0]["order_qty"]), good, sum(int(row["qty_mrb"]) for row in rows), rework)


@dataclass(frozen=True)
class Order:
    """One Salesforce order: the job orders that its lines must have, and what it orders."""

    work_order: str
    number: str
    jobs: Mapping[str, float]


def from_salesforce(login: Login) -> tuple[list[Order], dict[str, Made]]:
    """All orders, and the production status told for each order key."""
    with httpx.Client(verify=trust(login.ca_file), timeout=TIMEOUT_S) as client:
        base = signed_in(client, login)
        orders = [_order(row) for row in _query(client, base, ORDERS)]
        return orders, _statuses(client, base)


def told_in_salesforce(login: Login) -> dict[str, Made]:
    """Only the production status told for each order key."""
    with httpx.Client(verify=trust(login.ca_file), timeout=TIMEOUT_S) as client:
        return _statuses(client, signed_in(client, login))


def _statuses(client: httpx.Client, base: str) -> dict[str, Made]:
    return {str(row["MES_Key__c"]): _status(row) for row in _query(client, base, STATUSES)}


ORDERS = "SELECT Id, OrderNumber, Work_Order__c, (SELECT Id, Quantity FROM OrderItems) FROM Order"
STATUSES = "SELECT MES_Key__c, State__c, Quantity_Good__c, Quantity_Scrap__c, Quantity_Rework__c FROM MES_Status__c"


def trust(ca_file: Path) -> ssl.SSLContext:
    """The TLS context that trusts one authority."""
    return ssl.create_default_context(cafile=str(ca_file))


def signed_in(client: httpx.Client, login: Login) -> str:
    """Log in to Salesforce as a script does (client credentials); returns the instance's address."""
    answer = client.post(
        f"{login.values['address']}/services/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(login.values["consumer_key"], login.values["client_secret"]),
    ).raise_for_status()
    token = answer.json()
    client.headers["Authorization"] = f"Bearer {token['access_token']}"
    return str(token["instance_url"])


def _query(client: httpx.Client, base: str, soql: str) -> Iterator[Table]:
    answer = client.get(f"{base}/services/data/v62.0/query", params={"q": soql}).raise_for_status().json()
    yield from answer["records"]
    while not answer["done"]:
        answer = client.get(f"{base}{answer['nextRecordsUrl']}").raise_for_status().json()
        yield from answer["records"]


def _order(row: Table) -> Order:
    number, lines = str(row["OrderNumber"]), cast("Table | None", row["OrderItems"])
    records = [] if lines is None else cast("list[Table]", lines["records"])
    jobs = {f"{CONNECTOR}:{number}/{line['Id']}": _number(line["Quantity"]) for line in records}
    return Order(str(row["Work_Order__c"]), number, jobs)


def _status(row: Table) -> Made:
    good, scrap, rework = (_number(row[f"Quantity_{name}__c"]) for name in ("Good", "Scrap", "Rework"))
    return Made(0, good, scrap, rework, str(row["State__c"]))


def _number(value: Json) -> float:
    return float(cast("float", value or 0))


def _plain(quantity: float) -> int | float:
    """A whole quantity without a point."""
    return int(quantity) if quantity == int(quantity) else quantity


def from_jiandaoyun(login: Login) -> dict[str, list[Made]]:
    """All work orders by their job order id; more than one of an id is itself a difference."""
    values, found, last = login.values, cast("dict[str, list[Made]]", {}), ""
    with httpx.Client(verify=trust(login.ca_file), timeout=TIMEOUT_S) as client:
        client.headers["Authorization"] = f"Bearer {values['api_key']}"
        while True:
            body = {"app_id": values["app_id"], "entry_id": values["entry_id"], "data_id": last, "limit": PAGE}
            answer = client.post(f"{values['base_url']}/v5/app/entry/data/list", json=body).raise_for_status()
            page = cast("list[Table]", answer.json()["data"])
            for record in page:
                found.setdefault(str(record["job_order_id"]), []).append(_job(record))
            if len(page) < PAGE:
                return found
            last = str(page[-1]["_id"])


def _job(record: Table) -> Made:
    rows = cast("list[Table]", record.get("operations") or [])
    ends = [(str(row.get("ended") or ""), index) for index, row in enumerate(rows)]
    good = _number(rows[max(ends)[1]]["good"]) if rows else 0.0
    scrap, rework = (sum(_number(row[name]) for row in rows) for name in ("scrap", "rework"))
    return Made(_number(record["quantity"]), good, scrap, rework, str(record["state"]))


def _differences(
    expected: Mapping[str, Made],
    orders: Sequence[Order],
    statuses: Mapping[str, Made],
    jobs: Mapping[str, Sequence[Made]],
) -> Iterator[Difference]:
    by_number: dict[str, list[Order]] = {}
    for order in orders:
        by_number.setdefault(order.work_order, []).append(order)
    for number, made in expected.items():
        own = by_number.get(number, [])
        if len(own) != 1:
            yield Difference(number, "Salesforce", "orders", "1", str(len(own)))
        else:
            yield from _of_order(number, made, own[0], statuses, jobs)
    yield from _strangers(expected, orders, statuses, jobs)


def _of_order(
    number: str,
    made: Made,
    order: Order,
    statuses: Mapping[str, Made],
    jobs: Mapping[str, Sequence[Made]],
) -> Iterator[Difference]:
    if sum(order.jobs.values()) != made.ordered:
        yield Difference(number, "Salesforce", "ordered", str(made.ordered), str(sum(order.jobs.values())))
    own = [job for job_id in order.jobs for job in jobs.get(job_id, ())]
    if len(own) != len(order.jobs):
        yield Difference(number, "JianDaoYun", "work orders", str(len(order.jobs)), str(len(own)))
    for job in own:
        yield from _fields(number, "JianDaoYun", made, job, ("ordered", "good", "scrap", "rework", "state"))
    status = statuses.get(f"{CONNECTOR}:{order.number}")
    if status is None:
        yield Difference(number, "Salesforce", "production status", "1", "0")
    else:
        yield from _fields(number, "Salesforce", made, status, ("good", "scrap", "rework", "state"))


def _fields(number: str, where: str, made: Made, found: Made, names: Sequence[str]) -> Iterator[Difference]:
    for name in names:
        wanted, got = getattr(made, name), getattr(found, name)
        if wanted != got:
            yield Difference(number, where, name, str(wanted), str(got))


def _strangers(
    expected: Mapping[str, Made],
    orders: Sequence[Order],
    statuses: Mapping[str, Made],
    jobs: Mapping[str, Sequence[Made]],
) -> Iterator[Difference]:
    """What stands in a system and belongs to no work order of the log."""
    ours = {job_id for order in orders for job_id in order.jobs}
    keys = {f"{CONNECTOR}:{order.number}" for order in orders}
    for order in orders:
        if order.work_order not in expected:
            yield Difference(order.work_order, "Salesforce", "order", "none", order.number)
    for job_id in sorted(set(jobs) - ours):
        yield Difference("", "JianDaoYun", "work order", "none", job_id)
    for key in sorted(set(statuses) - keys):
        yield Difference("", "Salesforce", "production status", "none", key)
