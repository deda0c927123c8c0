"""The factory's people: they see work orders in JianDaoYun, start them, and report what the log says they made.

They find an order through the stand-in's public API and act on what stands there; their edits are a person's edits,
made through its control endpoint, which the stand-in pushes as a signed webhook.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event as Flag
from threading import Lock
from typing import cast

import httpx

from deploy.demo.compare import Json, Login, Table, trust
from deploy.demo.log import Row, WorkOrder
from deploy.demo.sales import Placed
from deploy.demo.timetable import Timetable

PEOPLE = 4
LOOK_S = 0.3
TICK_S = 0.02
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


@dataclass
class Work:
    """One work order being made: what stands in the form, and the row of the log that comes next."""

    order: WorkOrder
    record: Table
    sheet: Sheet = field(default_factory=Sheet)
    next: int = 0


class Factory:
    """Everybody on the shop floor."""

    def __init__(self, login: Login, control: str, orders: Sequence[WorkOrder], times: Timetable) -> None:
        self._login, self._control, self._times = login, control, times
        self._orders = {order.number: order for order in orders}
        context = trust(login.ca_file)
        self._api = httpx.Client(verify=context, timeout=60.0)
        self._api.headers["Authorization"] = f"Bearer {login.values['api_key']}"
        self._people = httpx.Client(verify=context, timeout=60.0, limits=httpx.Limits(max_connections=PEOPLE))
        self._pool = ThreadPoolExecutor(PEOPLE, thread_name_prefix="person")
        self._count = Lock()
        self.started = 0
        self.reports = 0
        self.finished = 0

    def close(self) -> None:
        """Everybody goes home."""
        self._pool.shutdown(cancel_futures=True)
        self._api.close()
        self._people.close()

    def run(self, placed: Placed, stop: Flag) -> None:
        """Look for new work orders and make each of them, until all are made."""
        unseen: dict[str, Table] = {}
        agenda: list[tuple[float, str, Work]] = []
        busy: set[Future[Work]] = set()
        last, look_at = "", 0.0
        while not stop.wait(TICK_S) and self.finished < len(self._orders):
            if time.monotonic() >= look_at:
                last, look_at = self._new(last, unseen), time.monotonic() + LOOK_S
                for work in self._startable(unseen, placed):
                    self._plan(agenda, work)
            while agenda and agenda[0][0] <= time.monotonic():
                busy.add(self._pool.submit(self._report, heapq.heappop(agenda)[2]))
            for future in [each for each in busy if each.done()]:
                busy.remove(future)
                self._plan(agenda, future.result())

    def _startable(self, unseen: dict[str, Table], placed: Placed) -> list[Work]:
        found = []
        for job_id, record in list(unseen.items()):
            number = placed.number(job_id)
            if number is not None and record["state"] == STARTABLE:
                del unseen[job_id]
                found.append(Work(self._orders[number], record))
        return found

    def _plan(self, agenda: list[tuple[float, str, Work]], work: Work) -> None:
        if work.next < len(work.order.rows):
            due = self._times.due(work.order.rows[work.next].end)
            heapq.heappush(agenda, (due, work.order.number, work))

    def _report(self, work: Work) -> Work:
        """Report the order's next row: its operations so far, and the state that this means."""
        work.sheet.report(work.order.rows[work.next])
        done = work.next == len(work.order.rows) - 1
        rows: list[Json] = [each.cells() for each in work.sheet.operations]
        self._edit(work.record, {"state": "completed" if done else "running", "operations": rows})
        with self._count:
            self.started += work.next == 0
            self.reports += 1
            self.finished += done
        work.next += 1
        return work

    def _new(self, last: str, waiting: dict[str, Table]) -> str:
        """Take the work orders made since into `waiting`; returns the id to go on from."""
        values = self._login.values
        while True:
            body = {"app_id": values["app_id"], "entry_id": values["entry_id"], "data_id": last, "limit": PAGE}
            answer = self._api.post(f"{values['base_url']}/v5/app/entry/data/list", json=body)
            if answer.is_error:
                return last  # throttled: the company's limit is shared with the bus; look again
            page = cast("list[Table]", answer.json()["data"])
            waiting |= {str(record["job_order_id"]): record for record in page}
            last = str(page[-1]["_id"]) if page else last
            if len(page) < PAGE:
                return last

    def _edit(self, record: Table, data: Mapping[str, Json]) -> None:
        answer = self._people.post(
            f"{self._control}/person/update", json={"data_id": record["_id"], "data": data, "person": "shop-floor"}
        )
        if answer.is_error:
            raise RuntimeError(f"JianDaoYun's form refused an edit: {answer.text[:500]}")
