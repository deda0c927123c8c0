"""The gate before one far system: whether it may be called now, as this process has met it.

One gate per far system and process. It holds the pause that the last error asked for and the circuit breaker, and it
is what metrics, the log and the health page show of them. What an error means is said by outcome.py alone.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from connectors.errors import FarError
from connectors.windows import Window, open_until
from streams import metrics
from streams.breaker import Breaker, State
from streams.outcome import action_for, breaks, pause_s

log = logging.getLogger(__name__)

WORDS = {State.CLOSED: "closed", State.HALF_OPEN: "half open", State.OPEN: "open"}


class Gate:
    """Asked before every far call and told how it went. `chance` gives numbers from 0 to 1."""

    def __init__(
        self,
        stage: str,
        windows: Sequence[Window] = (),
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._stage, self._clock, self._chance = stage, clock, chance
        self._windows, self._now, self._in_window = windows, now, False
        self._breaker = Breaker()
        self._told = State.CLOSED
        self._attempt = 0
        self._not_before = 0.0
        self._reason = ""
        metrics.BREAKER.labels(stage).set(State.CLOSED)
        metrics.WINDOW_OPEN.labels(stage).set(0)

    @property
    def state(self) -> State:
        """The breaker's state now."""
        state = self._breaker.state(self._clock())
        self._tell(state)
        return state

    @property
    def wait_s(self) -> float:
        """Seconds until the next call may begin; 0 now."""
        return max(0.0, self._not_before - self._clock(), self.window_s)

    @property
    def window_s(self) -> float:
        """Seconds until the planned downtime ends that is on now; 0 where none is. That is no failure."""
        now = self._now()
        end = open_until(self._windows, now)
        if (end is not None) is not self._in_window:
            self._in_window = end is not None
            metrics.WINDOW_OPEN.labels(self._stage).set(self._in_window)
            told = "is over" if end is None else f"has begun, until {end:%Y-%m-%d %H:%M} UTC: records wait"
            log.info("%s: the planned downtime %s", self._stage, told)
        return 0.0 if end is None else (end - now).total_seconds()

    def succeeded(self) -> None:
        """The far system answered, if only that it does not take this one record."""
        self._breaker, self._attempt, self._not_before, self._reason = self._breaker.succeeded(), 0, 0.0, ""
        self._tell(State.CLOSED)

    def failed(self, error: FarError) -> None:
        """A call failed; `wait_s` and `state` say what follows from it."""
        self._attempt += 1
        now, kind = self._clock(), type(error).__name__
        if breaks(error):
            self._breaker = self._breaker.failed(now, self._chance())
        grown = self._attempt if self._breaker.state(now) is not State.OPEN else 1  # then the cool-down grows instead
        pause = pause_s(error, grown, self._chance())
        self._not_before = max(now + pause, self._breaker.until)
        self._reason = f"{error} ({kind})"
        metrics.FAR_ERRORS.labels(self._stage, kind).inc()
        log.warning("%s: %s, %s: again in %.1f s", self._stage, self._reason, action_for(error), self.wait_s)
        self._tell(self._breaker.state(now))

    def says(self) -> str:
        """The state in words, with its reason where calls fail."""
        if self.window_s:
            return "planned downtime"
        return f"{WORDS[self.state]}: {self._reason}" if self._reason else WORDS[self.state]

    def _tell(self, state: State) -> None:
        if state is self._told:
            return
        self._told = state
        metrics.BREAKER.labels(self._stage).set(state)
        log.warning(
            "%s: the breaker is %s%s", self._stage, WORDS[state], f" ({self._reason})" if self._reason else ""
        )
