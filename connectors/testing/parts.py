"""The parts of a stand-in while it runs: opened together, closed in the opposite order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from connectors.contract import StandIn


class Parts:
    """What a stand-in in a folder is made of between its start and its stop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: ExitStack | None = None

    def open(self, assemble: Callable[[ExitStack], StandIn]) -> StandIn:
        """Start what `assemble` puts together; where it fails, what it had opened is closed.

        Raises RuntimeError where it runs already.
        """
        if self._running is not None:
            raise RuntimeError(f"the stand-in in {self._folder} is already running")
        with ExitStack() as parts:
            stand_in = assemble(parts)
            self._running = parts.pop_all()
        return stand_in

    def close(self) -> None:
        """Close them all. Safe twice."""
        if self._running is not None:
            self._running.close()
            self._running = None
