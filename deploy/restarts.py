"""How long what has died is left before it is started again: longer each time while it keeps dying."""

from __future__ import annotations

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
STEADY_AFTER_S = 60.0


def failures_after(failures: int, ran_s: float) -> int:
    """How often in a row it has died now; what ran for a minute had begun well, and is started again at once."""
    return 0 if ran_s > STEADY_AFTER_S else failures + 1


def pause_s(failures: int) -> float:
    """The seconds until the next start after so many deaths in a row."""
    return min(FIRST_PAUSE_S * 2.0 ** max(0, failures - 1), LONGEST_PAUSE_S)
