"""How long a sink needs for what waits for it: what it has not committed, at the rate of its last writes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from streams import metrics

LOOK_S = 30.0
MEMORY = 0.8
"""What the rate so far counts against each new batch."""


class Outlook:
    """The prediction of one sink task. `backlog` counts the records that wait; it is asked every LOOK_S."""

    def __init__(self, stage: str, backlog: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._stage, self._backlog, self._clock = stage, backlog, clock
        self._per_s: float | None = None
        self._looked_at = -math.inf

    def wrote(self, count: int, seconds: float) -> None:
        """So many documents were written in so long, waits for the far system included."""
        rate = count / max(seconds, 1e-3)
        self._per_s = rate if self._per_s is None else MEMORY * self._per_s + (1 - MEMORY) * rate

    def seconds(self, backlog: int) -> float:
        """Until `backlog` records are written; NaN before anything was."""
        if not backlog:
            return 0.0
        return backlog / self._per_s if self._per_s else math.nan

    def show(self) -> None:
        """Set the metric, from time to time."""
        if self._clock() - self._looked_at >= LOOK_S:
            self._looked_at = self._clock()
            metrics.CATCH_UP.labels(self._stage).set(self.seconds(self._backlog()))

    def in_words(self) -> str:
        """For the log, now."""
        backlog = self._backlog()
        seconds = self.seconds(backlog)
        return f"{backlog} records wait" + ("" if math.isnan(seconds) else f", caught up in about {seconds:.0f} s")
