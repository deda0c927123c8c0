"""Follows a stand-in's ledger on disk: whole lines as they are written, without asking the stand-in anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

Entry: TypeAlias = dict[str, Any]


class Tail:
    """Everything in the ledger of some kinds, oldest first; `more` reads what came since."""

    def __init__(self, path: Path, kinds: frozenset[str]) -> None:
        self._path, self._kinds = path, kinds
        self._place = 0
        self.entries: list[Entry] = []

    def more(self) -> list[Entry]:
        """What was written since the last call."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._place)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._place += len(whole)
        found = [entry for line in whole.splitlines() if (entry := json.loads(line))["kind"] in self._kinds]
        self.entries += found
        return found
