"""What the far systems were told, order by order, read from their ledgers while they are written."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from pathlib import Path

from tests.soak.soakplug.floor import JOBS
from tests.soak.soakplug.ledger import Place, file_of, numbers, read
from tests.soak.soakplug.shop import STATUSES
from tests.soak.soakplug.story import last_quantity

AT_ONCE = 20_000
KEPT_FILES = 3
"""Read files that stay behind the reader: the floor's source follows some seconds later."""

CLOSED = 1


@dataclass(frozen=True)
class Verdict:
    """What the books say in the end."""

    lost: int
    duplicated: int
    went_back: int


class Books:
    """A few bytes per order: the last state and the last version that each side was told."""

    def __init__(self, folder: Path, orders: int) -> None:
        self._folder = folder
        self._places = {JOBS: Place(), STATUSES: Place()}
        self._versions = {name: array("q", bytes(8 * orders)) for name in self._places}
        self._quantity, self._state = bytearray(orders), bytearray(orders)
        self.duplicated = self.went_back = self.jobs = self.closed = 0

    def follow(self) -> None:
        """Take in what was written since."""
        for name in self._places:
            while True:
                lines, self._places[name] = read(self._folder, name, self._places[name], AT_ONCE)
                for line, _ in lines:
                    self._job(line.split(" ")) if name == JOBS else self._status(line.split(" "))
                if not lines:
                    break
            for number in numbers(self._folder, name):
                if number < self._places[name].number - KEPT_FILES:
                    file_of(self._folder, name, number).unlink()

    def _job(self, words: list[str]) -> None:
        order = int(words[0].split("/", 1)[0].split(":", 1)[1])
        if self._newer(JOBS, order, int(words[3])):
            self.jobs += not self._quantity[order]
            self._quantity[order] = int(float(words[1]))

    def _status(self, words: list[str]) -> None:
        order = int(words[0])
        if self._newer(STATUSES, order, int(words[2])):
            closed = words[1] == "closed"
            self.closed += closed - self._state[order]
            self._state[order] = closed

    def _newer(self, name: str, order: int, version: int) -> bool:
        known = self._versions[name][order]
        self.duplicated += version == known
        self.went_back += version < known
        self._versions[name][order] = max(version, known)
        return version > known

    def verdict(self, placed: int) -> Verdict:
        """After all orders that were placed should be done."""
        lost = sum(
            1
            for order in range(placed)
            if self._quantity[order] != last_quantity(order) or self._state[order] != CLOSED
        )
        return Verdict(lost, self.duplicated, self.went_back)
