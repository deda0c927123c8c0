"""When a record that cannot be written now, while others can, is tried again by itself, and when a person is asked.

The pauses grow; none is shorter than the far system's own wish, and jitter keeps many records from coming back in
one moment.
"""

from __future__ import annotations

from dataclasses import replace

from streams.outcome import OWNERS, Reason

PAUSES_S = (30.0, 120.0, 600.0, 3600.0)
"""Before the first try by itself, the second, …; the last one from then on."""

TRIES = 8
"""So many failures, and the record stays for a person."""

SPREAD = 0.2
"""How much later than planned a try may come, as a share of the pause."""


def planned(reason: Reason, attempts: int, now_us: int, chance: float) -> tuple[Reason, int | None]:
    """The reason to park with after so many attempts, and when to try again by itself (None: a person is asked).

    `chance` (0 to 1) places the try within the spread.
    """
    if reason.retry_after_s is None:
        return reason, None
    if attempts >= TRIES:
        told = f"{reason.message} (tried {attempts} times)"
        return replace(reason, cause="keeps_failing", message=told, owner=OWNERS["keeps_failing"]), None
    pause = max(PAUSES_S[min(attempts, len(PAUSES_S)) - 1], reason.retry_after_s)
    return reason, now_us + int(pause * (1 + SPREAD * chance) * 1_000_000)
