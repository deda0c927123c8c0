"""A circuit breaker as a value: closed, open after failures in a row, half open after a cool-down, closed again.

    CLOSED ── failures in a row ──▶ OPEN ── the cool-down is over ──▶ HALF OPEN ── a call got through ──▶ CLOSED
                                    OPEN ◀── the probe failed ─────── HALF OPEN

Pure: the time (any seconds that only grow) and chance come from outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

OPENS_AFTER = 5
FIRST_COOL_DOWN_S = 5.0
LONGEST_COOL_DOWN_S = 60.0


class State(IntEnum):
    """As the metric `lineshaft_breaker_state` shows it."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


@dataclass(frozen=True)
class Breaker:
    """`failures` and `openings` count those in a row; it is open until `until`."""

    failures: int = 0
    openings: int = 0
    until: float = 0.0

    def state(self, now: float) -> State:
        """Closed: call. Open: leave the far system alone. Half open: one small call as a probe."""
        if not self.openings:
            return State.CLOSED
        return State.OPEN if now < self.until else State.HALF_OPEN

    def failed(self, now: float, chance: float) -> Breaker:
        """A call failed as all would. `chance` (0 to 1) spreads the probes of several tasks over half a cool-down."""
        failures = self.failures + 1
        if not self.openings and failures < OPENS_AFTER:
            return Breaker(failures)
        cool_down = min(FIRST_COOL_DOWN_S * 2.0 ** min(self.openings, 10), LONGEST_COOL_DOWN_S)
        return Breaker(failures, self.openings + 1, now + cool_down * (1 - chance / 2))

    def succeeded(self) -> Breaker:
        """A call got through."""
        return Breaker()
