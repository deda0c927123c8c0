"""The factory's people: they start the work orders on their floor, and report what the log says they made."""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event as Flag
from threading import Lock

from deploy.demo.log import Row, WorkOrder
from deploy.demo.sales import Placed
from deploy.demo.sides import Floor
from deploy.demo.timetable import Timetable

PEOPLE = 4
LOOK_S = 0.3
TICK_S = 0.02


@dataclass
class Work:
    """One work order being made: its rows in the order of their ends, as they are reported, and which comes next."""

    number: str
    rows: Sequence[Row]
    job: str
    next: int = 0


class Factory:
    """Everybody on the shop floor."""

    def __init__(self, floor: Floor, orders: Sequence[WorkOrder], times: Timetable) -> None:
        self._floor, self._times = floor, times
        self._rows = {each.number: sorted(each.rows, key=lambda row: row.end) for each in orders}
        self._pool = ThreadPoolExecutor(PEOPLE, thread_name_prefix="person")
        self._count = Lock()
        self.started = 0
        self.reports = 0
        self.finished = 0

    def close(self) -> None:
        """Everybody goes home."""
        self._pool.shutdown(cancel_futures=True)

    def run(self, placed: Placed, stop: Flag) -> None:
        """Look for new work orders and make each of them, until all are made."""
        waiting: set[str] = set()
        agenda: list[tuple[float, str, Work]] = []
        busy: set[Future[Work]] = set()
        look_at = 0.0
        while not stop.wait(TICK_S) and self.finished < len(self._rows):
            if time.monotonic() >= look_at:
                waiting |= set(self._floor.look())
                look_at = time.monotonic() + LOOK_S
                for work in self._startable(waiting, placed):
                    self._plan(agenda, work)
            while agenda and agenda[0][0] <= time.monotonic():
                busy.add(self._pool.submit(self._report, heapq.heappop(agenda)[2]))
            for future in [each for each in busy if each.done()]:
                busy.remove(future)
                self._plan(agenda, future.result())

    def _startable(self, waiting: set[str], placed: Placed) -> list[Work]:
        """Take the work orders out of `waiting` that are known to belong to an order that was placed."""
        found = {job: number for job in waiting if (number := placed.number(job)) is not None}
        waiting -= set(found)
        return [Work(number, self._rows[number], job) for job, number in found.items()]

    def _plan(self, agenda: list[tuple[float, str, Work]], work: Work) -> None:
        if work.next < len(work.rows):
            heapq.heappush(agenda, (self._due(work, work.next), work.number, work))

    def _due(self, work: Work, index: int) -> float:
        return self._times.due(work.rows[index].end)

    def _report(self, work: Work) -> Work:
        """Report the order's next row, or as many of those that are due as the floor takes at once."""
        now, end = time.monotonic(), work.next + 1
        while end < len(work.rows) and self._due(work, end) <= now:
            end += 1
        taken = self._floor.report(work.job, work.rows[work.next : end], end == len(work.rows))
        with self._count:
            self.started += work.next == 0
            self.reports += taken
            self.finished += work.next + taken == len(work.rows)
        work.next += taken
        return work
