"""Our side of a far system's rate limits: a call waits here rather than be refused there.

Two levels, the account's and each endpoint's. Several instances of a connector call one account at once, in several
processes: each is told which part of the limits is its own, and the parts together are the whole.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping

WINDOW_S = 1.15  # far systems count arrivals in one second; calls that left evenly arrive a little bunched


class Pace:
    """Lets at most so many calls through in any one second, per endpoint and in all. One thread at a time."""

    def __init__(
        self,
        account: int,
        endpoints: Mapping[str, int],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._all = _Window(account)
        self._each = {endpoint: _Window(limit) for endpoint, limit in endpoints.items()}

    def take_share(self, share: float) -> None:
        """Use this part (above 0, at most 1) of every limit from now on."""
        if not 0 < share <= 1:
            raise ValueError(f"a share is a part of 1, not {share}")
        for window in (self._all, *self._each.values()):
            window.take_share(share)

    def wait(self, endpoint: str) -> None:
        """Return when a call of `endpoint` may go out."""
        windows = (self._all, self._each[endpoint])
        while (pause := max(window.pause(self._clock()) for window in windows)) > 0:
            self._sleep(pause)
        now = self._clock()
        for window in windows:
            window.count(now)


class _Window:
    """The times of the last calls: at most so many in so many seconds. Less than one a second makes it longer."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._calls: deque[float] = deque(maxlen=limit)
        self._most, self._seconds = limit, WINDOW_S

    def take_share(self, share: float) -> None:
        allowed = self._limit * share
        self._most = max(1, int(allowed + 1e-9))
        self._seconds = WINDOW_S * max(1.0, 1 / allowed)

    def pause(self, now: float) -> float:
        if len(self._calls) < self._most:
            return 0.0
        return max(0.0, self._calls[-self._most] + self._seconds - now)

    def count(self, now: float) -> None:
        self._calls.append(now)
