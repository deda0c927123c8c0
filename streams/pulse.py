"""A task's sign of life: it beats at every turn, also while it waits for a far system."""

from __future__ import annotations

import time

STILL_ALIVE_S = 60.0


class Pulse:
    """Beaten by the task's thread, read by its health page."""

    def __init__(self) -> None:
        self._beaten_at: float | None = None

    def beat(self) -> None:
        """The task has gone through its loop once more."""
        self._beaten_at = time.monotonic()

    def healthy(self) -> bool:
        """Whether the task has begun to work and has beaten within the last minute."""
        return self._beaten_at is not None and time.monotonic() - self._beaten_at < STILL_ALIVE_S
