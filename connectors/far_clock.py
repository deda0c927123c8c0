"""The far system's clock, as the `Date` of its answers tells it, beside ours."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

TOLERANCE_S = 10.0
"""How far apart two clocks that are both right may be: `Date` has whole seconds, answers travel, servers are many."""

log = logging.getLogger(__name__)


class FarClock:
    """How far one far system's clock is ahead of ours. Logs once that it is wrong and once that it is right."""

    def __init__(self, whose: str, now: Callable[[], float] = time.time) -> None:
        self._whose, self._now = whose, now
        self.ahead_s = 0.0

    def heard(self, date: str | None) -> None:
        """Take the `Date` header of an answer that has just come."""
        try:
            at = parsedate_to_datetime(date or "")
        except ValueError:
            return  # no header or none that is a date says nothing
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)  # a date of HTTP is one of Greenwich, also where a proxy has garbled its zone
        ahead_s = at.timestamp() - self._now()
        was_wrong, self.ahead_s = self.wrong, ahead_s
        if self.wrong and not was_wrong:
            side = "ahead of" if ahead_s > 0 else "behind"
            log.warning(
                "the clock of %s is %.0f s %s ours: one of the two is wrong. What is read goes by the order of the "
                "reading; pushes are refused where their time is too far off.",
                self._whose,
                abs(ahead_s),
                side,
            )
        if was_wrong and not self.wrong:
            log.warning("the clock of %s agrees with ours again", self._whose)

    @property
    def wrong(self) -> bool:
        """Whether the two differ by more than clocks do."""
        return abs(self.ahead_s) > TOLERANCE_S

    @property
    def latest_us(self) -> int:
        """A time that neither clock has passed, UTC microseconds; `Date` has whole seconds."""
        return int((self._now() + max(self.ahead_s, 0.0) + 1.0) * 1_000_000)

    @property
    def certain_us(self) -> int:
        """A time that both clocks have passed, UTC microseconds: a position's stamps never lie beyond it."""
        return int((self._now() + min(self.ahead_s, 0.0)) * 1_000_000)
