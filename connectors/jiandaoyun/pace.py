"""Our side of the vendor's rate limits: a call waits here rather than be refused there (contract 2)."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping

ENDPOINTS: Mapping[str, int] = {
    "/v5/app/list": 30,
    "/v5/app/entry/list": 30,
    "/v5/app/entry/widget/list": 30,
    "/v5/app/entry/data/get": 30,
    "/v5/app/entry/data/list": 30,
    "/v5/app/entry/data/create": 20,
    "/v5/app/entry/data/update": 20,
    "/v5/app/entry/data/delete": 20,
    "/v5/app/entry/data/batch_create": 10,
    "/v5/app/entry/data/batch_update": 10,
    "/v5/app/entry/data/batch_delete": 10,
    "/v5/app/entry/file/get_upload_token": 20,
}
"""Requests per second by path."""

WINDOW_S = 1.15  # the vendor counts arrivals in one second; calls that left evenly arrive a little bunched


class Pace:
    """Lets at most so many calls through in any one second, per path and in all. One thread at a time."""

    def __init__(
        self,
        company: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._all = _Window(company)
        self._each = {path: _Window(limit) for path, limit in ENDPOINTS.items()}

    def wait(self, path: str) -> None:
        """Return when a call of `path` may go out; never much longer than a second from now."""
        windows = (self._all, self._each[path])
        while (pause := max(window.pause(self._clock()) for window in windows)) > 0:
            self._sleep(pause)
        now = self._clock()
        for window in windows:
            window.count(now)


class _Window:
    """The times of the calls of the last second."""

    def __init__(self, limit: int) -> None:
        self._calls: deque[float] = deque(maxlen=limit)

    def pause(self, now: float) -> float:
        if len(self._calls) < (self._calls.maxlen or 0):
            return 0.0
        return max(0.0, self._calls[0] + WINDOW_S - now)

    def count(self, now: float) -> None:
        self._calls.append(now)
