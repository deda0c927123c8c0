"""The vendor's rate limits (contract section 2), enforced to the call."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable

COMPANY = 50
WINDOW_S = 1.0
COMPANY_CODE = 8303
ENDPOINT_CODE = 8304


class Limits:
    """Counts the calls of the last second, per path and in all; refused calls do not count."""

    def __init__(self, enforced: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self.enforced = enforced
        self._clock = clock
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)

    def refusal(self, path: str, limit: int) -> int | None:
        """The code that refuses this call, or None where it is within the limits."""
        if not self.enforced:
            return None
        if self._recent("") >= COMPANY:
            return COMPANY_CODE
        if self._recent(path) >= limit:
            return ENDPOINT_CODE
        for name in ("", path):
            self._calls[name].append(self._clock())
        return None

    def _recent(self, name: str) -> int:
        calls, start = self._calls[name], self._clock() - WINDOW_S
        while calls and calls[0] <= start:
            calls.popleft()
        return len(calls)
