"""The generator's own ledger: what it did to which order, and how Salesforce has it since, in memory and on disk."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict
from pathlib import Path

from tests.chaos.facts import Act, Wanted


class Journal:
    """Thread-safe. An entry is written after the far system has acknowledged it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")
        self._lock = threading.Lock()
        self.acts: list[Act] = []
        self.wanted: dict[str, Wanted] = {}

    def note(self, key: str, what: str, detail: str = "", wanted: Wanted | None = None) -> None:
        """One act; `wanted` is the order as it is wanted from now on."""
        act = Act(time.time_ns() // 1000, key, what, detail)
        with self._lock:
            self.acts.append(act)
            if wanted is not None:
                self.wanted[key] = wanted
            self._file.write(json.dumps(asdict(act)) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
