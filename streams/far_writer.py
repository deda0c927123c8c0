"""Writing to one far system until it answers: opens the sink, repeats, waits, and finds the record it refuses."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from connectors.contract import Rejection, Sink
from connectors.errors import FarError
from schemas.document import Document
from streams import metrics
from streams.bus import Attached
from streams.outcome import Action, action_for, pause_s

log = logging.getLogger(__name__)


class Lease(Protocol):
    """The right to write, which the sink task holds by polling."""

    def check(self) -> None:
        """Raise where the right is lost; called before every far call."""
        ...

    def wait(self, seconds: float) -> None:
        """Wait while keeping the right. Raises where it is lost."""
        ...


class FarWriter:
    """One far system's sink; a new instance of it after every failure."""

    def __init__(self, stage: str, attached: Attached) -> None:
        self._stage, self._attached = stage, attached
        self._sink: Sink | None = None

    def write(self, documents: Sequence[Document], lease: Lease) -> Sequence[Rejection]:
        """Make the documents durable, however long that takes; returns those that can never succeed."""
        attempt = 0
        while True:
            lease.check()
            try:
                with metrics.FAR_CALL.labels(self._stage, "write").time():
                    rejections = self._opened().write(documents)
                metrics.show_budget(self._stage, self._sink)
                return rejections
            except FarError as error:
                attempt += 1
                self.close()
                metrics.FAR_ERRORS.labels(self._stage, type(error).__name__).inc()
                if action_for(error) is Action.PARK:
                    return self._halved(documents, error, lease)
                wait = pause_s(error, attempt)
                log.warning("%s: %s (%s): again in %.1f s", self._stage, error, type(error).__name__, wait)
                lease.wait(wait)

    def _halved(self, documents: Sequence[Document], error: FarError, lease: Lease) -> Sequence[Rejection]:
        """Find the one document that can never succeed among several."""
        if len(documents) == 1:
            return [Rejection(0, error)]
        half = len(documents) // 2
        first = self.write(documents[:half], lease)
        second = self.write(documents[half:], lease)
        return [*first, *(Rejection(each.index + half, each.error) for each in second)]

    def _opened(self) -> Sink:
        if self._sink is None:
            factory = self._attached.connector.sink
            assert factory is not None
            self._sink = factory(self._attached.config)
            self._sink.open()
        return self._sink

    def close(self) -> None:
        """Let go of the far system; the next write opens it again."""
        if self._sink is not None:
            self._sink.close()
            self._sink = None
