"""The shop floor of the generator: people at JianDaoYun's form who start, report, finish, delete and recover orders.

They see a work order as soon as the stand-in's ledger has it, and act by the control endpoint, as people whose edits
are pushed. About one report in ten is a bulk edit, which nobody pushes: the bus's sweep has to find it.
"""

from __future__ import annotations

import heapq
import itertools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event as Flag
from typing import Any

from tests.chaos.facts import Work, WorkWrite
from tests.chaos.journal import Journal

TICK_S = 0.05
DELETED = 0.05
RECOVERED = 0.5
BULK = 0.1
FINISHED_ANYWAY = 0.3
OPERATIONS = ("sawing", "milling", "assembly")
ENDED = frozenset({"completed", "cancelled"})


@dataclass
class Piece:
    """One work order in people's hands."""

    job: str
    data_id: str
    state: str
    reports: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    present: bool = True


class Floor:
    """Acts on what `see` was told, from `seed`, until stopped. `person` posts to the control endpoint."""

    def __init__(self, person: Callable[..., Any], journal: Journal, seed: int) -> None:
        self._person, self._journal, self._seed = person, journal, seed
        self._pieces: dict[str, Piece] = {}
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()
        self._news: list[WorkWrite] = []
        self._hurried = False
        self.acts = 0

    def hurry(self) -> None:
        """From now on everything that is planned is done at once: no new orders come."""
        self._hurried = True

    def see(self, write: WorkWrite) -> None:
        """A write to the form, by whomever; called in the order of the ledger."""
        self._news.append(write)

    def run(self, stop: Flag) -> None:
        """Act until `stop` is set."""
        while not stop.wait(TICK_S):
            news, self._news = self._news, []
            for write in news:
                if write.by == "api":
                    self._look(write.work)
            while self._agenda and (self._hurried or self._agenda[0][0] <= time.monotonic()) and not stop.is_set():
                heapq.heappop(self._agenda)[2]()

    def _look(self, work: Work) -> None:
        piece = self._pieces.get(work.job)
        if piece is None:
            dice = random.Random(f"floor-{self._seed}-{work.job.rpartition('/')[2]}")
            piece = self._pieces[work.job] = Piece(work.job, work.data_id, work.state, dice.randint(1, 3))
            first = dice.uniform(0.5, 25.0)
            if dice.random() < DELETED:
                self._later(first, lambda: self._delete(piece, dice))
            else:
                self._later(first, lambda: self._report(piece, dice))
        elif work.state == "cancel_requested" and piece.state != "cancel_requested":
            dice = random.Random(f"answer-{self._seed}-{work.job}")
            self._later(dice.uniform(0.3, 3.0), lambda: self._answer(piece, dice))
        if piece.state not in ENDED:
            piece.state = work.state

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (time.monotonic() + seconds, next(self._number), act))

    def _report(self, piece: Piece, dice: random.Random) -> None:
        """The next operation's figures; the last one finishes the order."""
        if not piece.present or piece.state not in ("released", "running"):
            return
        number = len(piece.rows)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        good = dice.randint(1, 40)
        piece.rows.append(
            {"operation": OPERATIONS[number], "machine": f"M-{dice.randint(1, 5)}", "good": good,
             "scrap": dice.randint(0, 3), "rework": dice.randint(0, 1), "started": stamp, "ended": stamp}
        )  # fmt: skip
        done = len(piece.rows) >= piece.reports
        state = "completed" if done else "running"
        if self._edit(
            piece, {"state": state, "operations": piece.rows}, f"{state}, good {good}", dice.random() < BULK
        ):
            piece.state = state
        if not done:
            self._later(dice.uniform(1.0, 12.0), lambda: self._report(piece, dice))

    def _answer(self, piece: Piece, dice: random.Random) -> None:
        """A cancellation was asked for."""
        if not piece.present or piece.state != "cancel_requested":
            return
        state = "completed" if dice.random() < FINISHED_ANYWAY else "cancelled"
        if self._edit(piece, {"state": state}, f"answers the cancellation: {state}", False):
            piece.state = state

    def _delete(self, piece: Piece, dice: random.Random) -> None:
        if piece.state != "released":
            return
        if self._act("delete", {"data_id": piece.data_id}):
            piece.present = False
            self._note(piece, "work order deleted by a person")
            if dice.random() < RECOVERED:
                self._later(dice.uniform(2.0, 10.0), lambda: self._recover(piece, dice))

    def _recover(self, piece: Piece, dice: random.Random) -> None:
        if self._act("recover", {"data_id": piece.data_id}):
            piece.present = True
            self._note(piece, "work order recovered by a person")
            self._later(dice.uniform(0.5, 5.0), lambda: self._report(piece, dice))

    def _edit(self, piece: Piece, data: dict[str, Any], text: str, bulk: bool) -> bool:
        body = {"data_id": piece.data_id, "data": data, "person": "shop-floor", "bulk": bulk}
        if not self._act("update", body):
            return False
        self._note(piece, f"reported{' in bulk' if bulk else ''}", text)
        return True

    def _act(self, action: str, body: dict[str, Any]) -> bool:
        try:
            self._person("POST", f"person/{action}", body)
        except RuntimeError:
            return False
        self.acts += 1
        return True

    def _note(self, piece: Piece, what: str, detail: str = "") -> None:
        self._journal.note(piece.job.rpartition("/")[0], what, f"{piece.job.rpartition('/')[2]} {detail}".strip())
