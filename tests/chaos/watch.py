"""How many orders are in flight: placed or changed, and not yet shown on the other side as they should be.

Follows both stand-ins' ledgers on disk; asks nobody, so it disturbs nothing and works while everything is broken.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from threading import Event as Flag

from tests.chaos.equal import unequal
from tests.chaos.facts import Status, StatusWrite, Work, WorkWrite
from tests.chaos.journal import Journal
from tests.chaos.ledgers import DELETED, asked_for, status_writes, work_writes
from tests.chaos.tail import Tail

LOOK_S = 0.2


class Watch:
    """Runs in a thread of its own; `in_flight` is the number of this moment."""

    def __init__(self, journal: Journal, floor: Tail, org: Tail, tell: Callable[[WorkWrite], None]) -> None:
        self._journal, self._floor, self._org, self._tell = journal, floor, org, tell
        self.works: dict[str, dict[str, Work]] = {}
        self.statuses: dict[str, Status] = {}
        self.work_writes: list[WorkWrite] = []
        self.status_writes: list[StatusWrite] = []
        self.refused: dict[str, str] = {}
        self._data_ids: dict[str, str] = {}
        self._acts_seen = 0
        self._open: set[str] = set()
        self.lock = threading.Lock()

    @property
    def in_flight(self) -> int:
        """Orders that are not yet shown as they should be."""
        return len(self._open)

    @property
    def open_orders(self) -> list[str]:
        """Their keys."""
        with self.lock:
            return sorted(self._open)

    def run(self, stop: Flag) -> None:
        """Follow until `stop` is set."""
        while not stop.wait(LOOK_S):
            self.look()

    def look(self) -> None:
        """Take in what was written since, and see which orders are equal on both sides now."""
        with self.lock:
            dirty = self._of_floor() | self._of_org() | self._of_journal()
            for key in dirty & self._journal.wanted.keys():
                if self._differs(key):
                    self._open.add(key)
                else:
                    self._open.discard(key)

    def differences(self, key: str) -> list[str]:
        """What is not as it should be about an order."""
        wanted = self._journal.wanted[key]
        works = {job: list(self.works.get(job, {}).values()) for job in wanted.jobs}
        gone = {job for job in wanted.jobs if job in self.works and not self.works[job]}
        status = self.statuses.get(key)
        return unequal(wanted, works, gone, [] if status is None else [status])

    def _differs(self, key: str) -> bool:
        return bool(self.differences(key))

    def _of_floor(self) -> set[str]:
        dirty = set()
        for entry in self._floor.more():
            if entry["kind"] == "request":
                asked = asked_for(entry, self._data_ids)
                if asked is not None:
                    self.refused[asked[0]] = asked[1]
                continue
            for write in work_writes(entry):
                self._data_ids[write.work.data_id] = write.work.job
                if write.by == "api":
                    self.refused.pop(write.work.job, None)
                self.work_writes.append(write)
                present = self.works.setdefault(write.work.job, {})
                if write.did in DELETED:
                    present.pop(write.work.data_id, None)
                else:
                    present[write.work.data_id] = write.work
                dirty.add(write.work.job.rpartition("/")[0])
                self._tell(write)
        return dirty

    def _of_org(self) -> set[str]:
        dirty = set()
        for entry in self._org.more():
            for write in status_writes(entry):
                self.status_writes.append(write)
                self.statuses[write.status.key] = write.status
                dirty.add(write.status.key)
        return dirty

    def _of_journal(self) -> set[str]:
        acts = self._journal.acts[self._acts_seen :]
        self._acts_seen += len(acts)
        return {act.key for act in acts}
