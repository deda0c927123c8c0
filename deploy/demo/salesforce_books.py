"""Salesforce's books, read as a script of the company reads them: over its public REST API, without our connector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import httpx

from deploy.demo.compare import Made, Order, ShopBooks, Table, job_order_id, quantity
from deploy.demo.login import Login, trust

NAME = "Salesforce"
TIMEOUT_S = 60.0
ORDERS = "SELECT Id, OrderNumber, Work_Order__c, (SELECT Id, Quantity FROM OrderItems) FROM Order"
STATUSES = "SELECT MES_Key__c, State__c, Quantity_Good__c, Quantity_Scrap__c, Quantity_Rework__c FROM MES_Status__c"


def read(login: Login) -> ShopBooks:
    """All orders and statuses. Raises httpx.HTTPError where the org does not answer."""
    with httpx.Client(verify=trust(login.ca_file), timeout=TIMEOUT_S) as client:
        base = signed_in(client, login)
        orders = [_order(row) for row in _query(client, base, ORDERS)]
        return ShopBooks(NAME, orders, _statuses(client, base))


def told(login: Login) -> dict[str, Made]:
    """Only the production status told for each order key."""
    with httpx.Client(verify=trust(login.ca_file), timeout=TIMEOUT_S) as client:
        return _statuses(client, signed_in(client, login))


def signed_in(client: httpx.Client, login: Login) -> str:
    """Log in as a script does (client credentials); returns the instance's address."""
    answer = client.post(
        f"{login.values['address']}/services/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(login.values["consumer_key"], login.values["client_secret"]),
    ).raise_for_status()
    token = answer.json()
    client.headers["Authorization"] = f"Bearer {token['access_token']}"
    return str(token["instance_url"])


def _statuses(client: httpx.Client, base: str) -> dict[str, Made]:
    return {str(row["MES_Key__c"]): _status(row) for row in _query(client, base, STATUSES)}


def _query(client: httpx.Client, base: str, soql: str) -> Iterator[Table]:
    answer = client.get(f"{base}/services/data/v62.0/query", params={"q": soql}).raise_for_status().json()
    yield from answer["records"]
    while not answer["done"]:
        answer = client.get(f"{base}{answer['nextRecordsUrl']}").raise_for_status().json()
        yield from answer["records"]


def _order(row: Table) -> Order:
    number, lines = str(row["OrderNumber"]), cast("Table | None", row["OrderItems"])
    records = [] if lines is None else cast("list[Table]", lines["records"])
    jobs = {job_order_id(number, str(line["Id"])): quantity(line["Quantity"]) for line in records}
    return Order(str(row["Work_Order__c"]), number, jobs)


def _status(row: Table) -> Made:
    good, scrap, rework = (quantity(row[f"Quantity_{name}__c"]) for name in ("Good", "Scrap", "Rework"))
    return Made(0, good, scrap, rework, str(row["State__c"]))
