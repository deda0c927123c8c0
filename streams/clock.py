"""The bus's own clock: versions that never go back, whatever the machine's clock does."""

from __future__ import annotations

import time

from streams.stopping import MustStop

TOLERANCE_MS = 5_000


class ClockApart(MustStop):
    """This machine's clock and the broker's are too far apart to stamp versions with."""


def now_us() -> int:
    """Microseconds since 1970, UTC, of this machine."""
    return time.time_ns() // 1000


def next_version(previous: int, now: int) -> int:
    """The version after `previous`: a hybrid logical clock, so it grows also while the machine's clock stands."""
    return max(previous + 1, now)


def check_against_broker(broker_ms: int, now: int) -> None:
    """Raise ClockApart where the broker's clock is more than 5 s away from `now` (microseconds)."""
    apart_ms = abs(broker_ms - now // 1000)
    if apart_ms > TOLERANCE_MS:
        raise ClockApart(
            f"this machine's clock is {apart_ms / 1000:.1f} s away from the broker's; versions made here would not "
            "sort. Set both with NTP and start again."
        )
