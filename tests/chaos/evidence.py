"""Collects the facts of a run at its end: the ledgers as they were followed, and what both systems say now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import httpx

from deploy.demo.login import trust
from streams.parked import parked_now
from tests.chaos.facts import Facts, ParkedFact, Status, Work
from tests.chaos.journal import Journal
from tests.chaos.ledgers import status_of, work_of
from tests.chaos.salesforce import Org
from tests.chaos.watch import Watch
from tests.chaos.world import World

STATUSES = (
    "SELECT MES_Key__c, Bus_Version__c, State__c, Percent__c, "
    "Quantity_Good__c, Quantity_Scrap__c, Quantity_Rework__c FROM MES_Status__c"
)
PAGE = 100


def facts_of(on: World, org: Org, journal: Journal, watch: Watch, refusals: list[str]) -> Facts:
    """Everything the checker needs. Raises httpx.HTTPError where a side does not answer."""
    watch.look()
    works: defaultdict[str, list[Work]] = defaultdict(list)
    for record in records(on):
        works[str(record["job_order_id"])].append(work_of(record))
    statuses: defaultdict[str, list[Status]] = defaultdict(list)
    for row in org.query(STATUSES):
        statuses[str(row["MES_Key__c"])].append(status_of(row))
    return Facts(
        wanted=dict(journal.wanted),
        acts=list(journal.acts),
        works=dict(works),
        work_writes=list(watch.work_writes),
        statuses=dict(statuses),
        status_writes=list(watch.status_writes),
        parked=list(parked_facts(on)),
        refusals=refusals,
        refused=dict(watch.refused),
    )


def records(on: World) -> Iterator[dict[str, Any]]:
    """Every record of the form, asked of its public API."""
    login, last = on.far["jiandaoyun"].login, ""
    with httpx.Client(verify=trust(login.ca_file), timeout=60.0) as client:
        client.headers["Authorization"] = f"Bearer {login.values['api_key']}"
        form = {name: login.values[name] for name in ("app_id", "entry_id")}
        while True:
            body = {**form, "data_id": last, "limit": PAGE}
            answer = client.post(f"{login.values['base_url']}/v5/app/entry/data/list", json=body).raise_for_status()
            page = answer.json()["data"]
            yield from page
            if len(page) < PAGE:
                return
            last = str(page[-1]["_id"])


def parked_facts(on: World) -> Iterator[ParkedFact]:
    """Everything that is parked now."""
    for each in parked_now(on.bus):
        value = each.value
        yield ParkedFact(
            each.stage,
            each.parked_id,
            str(value["order_key"]),
            str(value["subject"]),
            str(value["cause"]),
            str(value["message"]),
        )
