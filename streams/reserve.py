"""The reserve of a far system's call budget: what is left near its end is for status write-back and urgent orders.

Where a far system counts calls per day, polling and the bulk lane stop at KEPT of them. One turn of theirs goes
through every LOOK_AGAIN_S, because only an answer says what is used by now.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from connectors.contract import Budgeted
from streams import metrics

log = logging.getLogger(__name__)

KEPT = 0.9
LOOK_AGAIN_S = 300.0


class Reserve:
    """Whether one task may make calls that can wait. `look` after each call, `spares` before one that can wait."""

    def __init__(self, stage: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._stage, self._clock = stage, clock
        self._low, self._looked_at = False, 0.0
        metrics.RESERVE.labels(stage).set(0)

    def look(self, connector: object) -> None:
        """See what the newest answer said about the budget, and show it."""
        metrics.show_budget(self._stage, connector)
        budget = connector.api_budget if isinstance(connector, Budgeted) else None
        self._looked_at = self._clock()
        low = budget is not None and budget.limit > 0 and budget.used >= KEPT * budget.limit
        if low is self._low or budget is None:
            return
        self._low = low
        metrics.RESERVE.labels(self._stage).set(low)
        kept = "only status write-back and urgent orders go on" if low else "polling and the bulk lane go on"
        log.warning("%s: %d of %d calls of the far system's budget are used: %s", self._stage, budget.used,
                    budget.limit, kept)  # fmt: skip

    def spares(self) -> bool:
        """Whether a call that can wait may be made now."""
        return not self._low or self._clock() - self._looked_at >= LOOK_AGAIN_S
