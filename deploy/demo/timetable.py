"""When a moment of the log is due in the demo: the log's time, run faster."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from deploy.demo.log import WorkOrder

DEFAULT_LENGTH_S = 30.0


@dataclass(frozen=True)
class Timetable:
    """`begun` is the demo's own start on the monotonic clock, `first` the log's, `speed` log seconds per second."""

    begun: float
    first: datetime
    speed: float

    def due(self, moment: datetime) -> float:
        """The monotonic time at which a moment of the log comes."""
        return self.begun + (moment - self.first).total_seconds() / self.speed


def timetable(orders: Sequence[WorkOrder], speed: float | None) -> Timetable:
    """Begin now; without a speed the whole log takes half a minute."""
    rows = [row for order in orders for row in order.rows]
    first = min(row.start for row in rows)
    span = (max(row.end for row in rows) - first).total_seconds()
    return Timetable(time.monotonic(), first, speed or max(span / DEFAULT_LENGTH_S, 1.0))
