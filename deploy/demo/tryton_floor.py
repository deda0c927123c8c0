"""Tryton as the floor: a real server of its own, and people who work in it as its own clients do.

They run a production, plan a work for each of its operations, report each row of the log as a cycle of its work, and
say in the end what came out. Tryton itself says when a cycle was done, so they report in the order of the ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from deploy.demo import tryton_books
from deploy.demo.compare import FloorBooks, Json, Table
from deploy.demo.log import Row, WorkOrder
from deploy.demo.tryton_system import UNIT, TrytonSystem

DATABASE = "plant"
STARTABLE = ("waiting", "assigned")


@dataclass
class Job:
    """A production being made: the work of each operation, and what each has made so far."""

    production: int
    works: dict[str, int] = field(default_factory=dict)
    good: dict[str, int] = field(default_factory=dict)


class TrytonFloor:
    """The server, and everybody who works with it."""

    name, unit = tryton_books.FLOOR, UNIT

    def __init__(self, system: TrytonSystem) -> None:
        self._system, self._person = system, system.person
        self._machines: dict[str, int] = {}
        self._operations: dict[str, int] = {}
        self._jobs: dict[str, Job] = {}

    @classmethod
    def opened(cls, folder: Path) -> TrytonFloor:
        """Start the server. Raises EnvironmentFailed or ServerFailed."""
        return cls(TrytonSystem(folder, DATABASE))

    @property
    def entry(self) -> Mapping[str, Json]:
        """See `Side`."""
        return self._system.entry("tryton-mes")

    @property
    def addresses(self) -> Mapping[str, str]:
        """See `Side`."""
        return self._system.addresses(self.name)

    def prepare(self, orders: Sequence[WorkOrder]) -> None:
        """See `Side`."""
        self._system.enter_products(orders, producible=True)
        rows = [row for order in orders for row in order.rows]
        self._operations = self._named("production.routing.operation", {row.operation for row in rows})
        self._machines = self._named("production.work.center", {row.machine or row.operation for row in rows})

    def aim(self, ingress: str) -> None:
        """See `Floor`; Tryton pushes nothing."""

    def look(self) -> Sequence[str]:
        """See `Floor`."""
        known: list[Json] = [each.production for each in self._jobs.values()]
        domain: list[Json] = [["lineshaft_id", "!=", None], ["state", "in", list(STARTABLE)], ["id", "not in", known]]
        found = self._person.find("production", domain, "lineshaft_id")
        new = {str(each["lineshaft_id"]): Job(int(str(each["id"]))) for each in found}
        self._jobs |= new
        return list(new)

    def report(self, job_order_id: str, rows: Sequence[Row], rest: bool) -> int:
        """See `Floor`: all rows in one entry but the very last, whose operation has to end last."""
        job, taken = self._jobs[job_order_id], rows[:-1] if rest and len(rows) > 1 else rows
        self._begin(job, rows)
        self._enter(job, taken)
        if rest and len(taken) == len(rows):
            self._finish(job, rows[-1].operation)
        return len(taken)

    def books(self) -> FloorBooks:
        """See `Floor`."""
        return tryton_books.read_floor(self._person)

    def close(self) -> None:
        """See `Side`."""
        self._system.close()

    def _begin(self, job: Job, rows: Sequence[Row]) -> None:
        """Run the production where it stands still, and plan a work for each operation that has none."""
        if not job.works:
            for button in ("assign_try", "run"):
                self._person.call("production", button, [job.production])
        machines = {row.operation: row.machine or row.operation for row in rows if row.operation not in job.works}
        if machines:
            works: list[Table] = [
                {
                    "production": job.production,
                    "operation": self._operations[operation],
                    "work_center": self._machines[machine],
                }
                for operation, machine in machines.items()
            ]
            job.works |= dict(zip(machines, self._person.create("production.work", works), strict=True))

    def _enter(self, job: Job, rows: Sequence[Row]) -> None:
        """One cycle for each row, run and done."""
        cycles: list[Table] = [
            {
                "work": job.works[row.operation],
                "lineshaft_good": row.good,
                "lineshaft_scrap": row.scrap,
                "lineshaft_rework": int(row.rework),
            }
            for row in rows
        ]
        made: list[Json] = [*self._person.create("production.work.cycle", cycles)]
        for button in ("run", "do"):
            self._person.call("production.work.cycle", button, made)
        for row in rows:
            job.good[row.operation] = job.good.get(row.operation, 0) + row.good

    def _finish(self, job: Job, operation: str) -> None:
        """Say what came out, which is what the last operation made, and close the production."""
        [found] = self._person.find("production", [["id", "=", job.production]], "outputs")
        outputs = cast("list[Json]", found["outputs"])
        came_out: Table = {"outputs": [["write", outputs, {"quantity": job.good[operation]}]]}
        self._person.call("production", "write", [job.production], came_out)
        self._person.call("production", "do", [job.production])

    def _named(self, model: str, names: set[str]) -> dict[str, int]:
        """A new record of each name; its id by the name."""
        ordered = sorted(names)
        return dict(zip(ordered, self._person.create(model, [{"name": each} for each in ordered]), strict=True))
