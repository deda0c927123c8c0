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


def check_against_broker(broker_ms: int, earliest: int, latest: int) -> None:
    """Raise ClockApart where a broker's stamp is more than 5 s outside the time in which it was made.

    `earliest` and `latest` (microseconds) are this machine's clock before the record was sent and after it was known
    to be stored: a slow broker is no wrong clock.
    """
    apart_ms = max(earliest // 1000 - broker_ms, broker_ms - latest // 1000)
    if apart_ms > TOLERANCE_MS:
        raise ClockApart(
            f"this machine's clock is {apart_ms / 1000:.1f} s away from the broker's; versions made here would not "
            "sort. Set both with NTP and start again."
        )
