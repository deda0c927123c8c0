"""JianDaoYun as the floor: its stand-in, and people who fill in the form of their work order.

They find an order through the stand-in's public API and act on what stands there; their edits are a person's edits,
made through its control endpoint, which the stand-in pushes as a signed webhook.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import httpx

from deploy.demo import jiandaoyun_books
from deploy.demo.compare import FloorBooks, Json, Table
from deploy.demo.log import Row, WorkOrder
from deploy.demo.login import trust
from deploy.demo.reference import PLANT
from deploy.demo.stand_ins import StandInProcess, start_stand_in

UNIT = "pcs"
SWEEP_S = 5.0
PAGE = 100
STARTABLE = "released"


@dataclass
class Operation:
    """One operation's row in the form: cumulative figures."""

    operation: str
    machine: str
    good: int = 0
    scrap: int = 0
    rework: int = 0
    started: str = ""
    ended: str = ""

    def cells(self) -> Table:
        """The row as the form holds it."""
        return dict(vars(self))


@dataclass
class Sheet:
    """The sub-form of one work order, in the order of the operations' last ends (a tie goes to the later report)."""

    operations: list[Operation] = field(default_factory=list)

    def report(self, row: Row) -> None:
        """Add one row of the log."""
        known = next((each for each in self.operations if each.operation == row.operation), None)
        operation = known or Operation(row.operation, row.machine, started=_text(row.start))
        operation.machine = row.machine
        operation.good += row.good
        operation.scrap += row.scrap
        operation.rework += row.rework
        operation.started = min(operation.started, _text(row.start))
        if known is None:
            self.operations.append(operation)
        if _text(row.end) >= operation.ended:
            operation.ended = _text(row.end)
            self.operations.remove(operation)
            self.operations.append(operation)


def _text(moment: object) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.000Z}"


class JianDaoYunFloor:
    """The stand-in, and everybody who works with its form."""

    name, unit = jiandaoyun_books.NAME, UNIT

    def __init__(self, stand_in: StandInProcess) -> None:
        self.stand_in = stand_in
        context = trust(stand_in.login.ca_file)
        self._api = httpx.Client(verify=context, timeout=60.0)
        self._api.headers["Authorization"] = f"Bearer {stand_in.login.values['api_key']}"
        self._people = httpx.Client(verify=context, timeout=60.0)
        self._last = ""
        self._unseen: dict[str, Table] = {}
        self._records: dict[str, Table] = {}
        self._sheets: dict[str, Sheet] = {}

    @classmethod
    def opened(cls, folder: Path) -> JianDaoYunFloor:
        """Start the stand-in. Raises StandInFailed."""
        return cls(start_stand_in("jiandaoyun", folder, folder / "stand-in.log"))

    @property
    def entry(self) -> Mapping[str, Json]:
        """See `Side`."""
        return {**self.stand_in.entry, "sweep_interval_s": SWEEP_S}

    @property
    def addresses(self) -> Mapping[str, str]:
        """See `Side`."""
        return {self.name: self.stand_in.login.values["base_url"], f"{self.name}, control": self.stand_in.control}

    def prepare(self, orders: Sequence[WorkOrder]) -> None:
        """See `Side`; the form takes any item."""

    def aim(self, ingress: str) -> None:
        """See `Floor`: a person sets it in the form's settings."""
        answer = self._people.post(f"{self.stand_in.control}/push", json={"url": f"{ingress}/webhooks/{PLANT}"})
        answer.raise_for_status()

    def look(self) -> Sequence[str]:
        """See `Floor`."""
        self._read_new()
        found = [job for job, record in self._unseen.items() if record["state"] == STARTABLE]
        for job in found:
            self._records[job], self._sheets[job] = self._unseen.pop(job), Sheet()
        return found

    def report(self, job_order_id: str, rows: Sequence[Row], rest: bool) -> int:
        """See `Floor`: one row in one edit, with the operations so far and the state that this means."""
        sheet, done = self._sheets[job_order_id], rest and len(rows) == 1
        sheet.report(rows[0])
        cells: list[Json] = [each.cells() for each in sheet.operations]
        self._edit(self._records[job_order_id], {"state": "completed" if done else "running", "operations": cells})
        return 1

    def books(self) -> FloorBooks:
        """See `Floor`."""
        return jiandaoyun_books.read(self.stand_in.login)

    def close(self) -> None:
        """See `Side`."""
        self._api.close()
        self._people.close()
        self.stand_in.stop()

    def _read_new(self) -> None:
        """Take in the work orders made since the last look."""
        values = self.stand_in.login.values
        while True:
            body = {"app_id": values["app_id"], "entry_id": values["entry_id"], "data_id": self._last, "limit": PAGE}
            answer = self._api.post(f"{values['base_url']}/v5/app/entry/data/list", json=body)
            if answer.is_error:
                return  # throttled: the company's limit is shared with the bus; look again
            page = cast("list[Table]", answer.json()["data"])
            self._unseen |= {str(record["job_order_id"]): record for record in page}
            self._last = str(page[-1]["_id"]) if page else self._last
            if len(page) < PAGE:
                return

    def _edit(self, record: Table, data: Mapping[str, Json]) -> None:
        body = {"data_id": record["_id"], "data": data, "person": "shop-floor"}
        answer = self._people.post(f"{self.stand_in.control}/person/update", json=body)
        if answer.is_error:
            raise RuntimeError(f"JianDaoYun's form refused an edit: {answer.text[:500]}")
