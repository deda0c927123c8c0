"""Keeps the embedded broker running for as long as `lineshaft up` does: one that has died is started again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from deploy.kafka import BrokerError, EmbeddedKafka
from deploy.restarts import failures_after, pause_s

log = logging.getLogger(__name__)


@dataclass
class KafkaKeeper:
    """`look` is called again and again by whoever supervises. `moved` is told where the broker had to take another
    port, since another program holds its own: whoever uses it must ask for its address again."""

    broker: EmbeddedKafka
    moved: Callable[[], None]
    _address: str = ""
    _failures: int = 0
    _start_at: float | None = None
    _started_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._address = self.broker.bootstrap

    def look(self) -> None:
        """Start the broker where it has died, after a pause that grows while it keeps dying."""
        now = time.monotonic()
        if self._start_at is not None:
            if now >= self._start_at:
                self._start()
        elif not self.broker.alive:
            self._failures = failures_after(self._failures, now - self._started_at)
            self._wait("the broker has ended")

    def _start(self) -> None:
        try:
            self.broker.start()
        except BrokerError as error:
            self._failures += 1
            self._wait(str(error))
            return
        self._start_at, self._started_at = None, time.monotonic()
        log.info("kafka: runs again at %s", self.broker.bootstrap)
        if self.broker.bootstrap != self._address:
            self._address = self.broker.bootstrap
            self.moved()

    def _wait(self, why: str) -> None:
        pause = pause_s(self._failures)
        self._start_at = time.monotonic() + pause
        log.warning("kafka: %s; started again in %.1f s", why, pause)
