"""From the lines of the stand-ins' ledgers to facts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from tests.chaos.facts import Operation, Status, StatusWrite, Work, WorkWrite
from tests.chaos.tail import Entry

STATUS_PATH = "composite/sobjects/MES_Status__c/MES_Key__c"
DELETED = frozenset({"data_remove"})
WRITES = frozenset({"batch_create", "update"})


def work_of(record: Mapping[str, Any]) -> Work:
    """A record of the form."""
    rows = cast("list[Mapping[str, Any]]", record.get("operations") or [])
    return Work(
        job=str(record["job_order_id"]),
        data_id=str(record["_id"]),
        version=str(record.get("bus_version") or ""),
        item=str(record["item"]),
        quantity=number(record["quantity"]),
        unit=str(record.get("unit") or ""),
        due=str(record.get("due") or "")[:10],
        priority=str(record.get("priority") or ""),
        state=str(record["state"]),
        operations=[
            Operation(str(row.get("ended") or ""), *(number(row[name]) for name in ("good", "scrap", "rework")))
            for row in rows
        ],
    )


def number(value: Any) -> float:
    """A quantity; nothing is none."""
    return float(value or 0)


def work_writes(entry: Entry) -> Iterator[WorkWrite]:
    """The writes of one `write` entry of JianDaoYun's ledger."""
    for record in entry.get("records") or ():
        yield WorkWrite(entry["at_us"], entry["by"], entry["operation"], work_of(record))


def asked_for(entry: Entry, data_ids: Mapping[str, str]) -> tuple[str, str] | None:
    """The job and version of a `request` entry that asks for a write; `data_ids` are the jobs of known records."""
    call = str(entry["path"]).rpartition("/")[2]
    if call not in WRITES:
        return None
    body = json.loads(entry["body"])
    fields = (body.get("data_list") or [body.get("data") or {}])[0]
    job = fields.get("job_order_id", {}).get("value") or data_ids.get(str(body.get("data_id")))
    return None if job is None else (str(job), str(fields.get("bus_version", {}).get("value") or ""))


def status_writes(entry: Entry) -> Iterator[StatusWrite]:
    """The accepted rows of one `request` entry of Salesforce's ledger; none of another call."""
    if entry.get("path") != STATUS_PATH or entry.get("status") != 200 or not isinstance(entry.get("answered"), list):
        return
    rows = json.loads(entry["sent"])["records"]
    for row, verdict in zip(rows, entry["answered"], strict=True):
        if verdict.get("success") is True:
            yield StatusWrite(entry["at_us"], bool(verdict.get("created")), status_of(row))


def status_of(row: Mapping[str, Any]) -> Status:
    """A production status, as sent or as read."""
    return Status(
        key=str(row["MES_Key__c"]),
        version=str(row["Bus_Version__c"]),
        state=str(row["State__c"]),
        good=number(row["Quantity_Good__c"]),
        scrap=number(row["Quantity_Scrap__c"]),
        rework=number(row["Quantity_Rework__c"]),
        percent=number(row["Percent__c"]),
    )
