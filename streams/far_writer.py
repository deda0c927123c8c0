"""Writing to one far system: opens the sink, repeats with bounds, and finds the record that keeps others waiting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connectors.contract import Paced, Rejection, Sink
from connectors.errors import FarError
from schemas.document import Document
from streams import metrics, shares
from streams.breaker import State
from streams.bus import Attached
from streams.far_gate import Gate
from streams.lease import Lease
from streams.outcome import Action, action_for, breaks
from streams.reserve import Reserve

HALVE_AFTER = 3
"""So many failures of one batch, and its halves are tried: what fails may be one record of it."""

GIVE_UP_AFTER = 5
"""So many failures, the last one alone, while others were written: the record is parked and the others go on."""


class FarAway(Exception):
    """The far system is left alone for `wait_s` seconds; what was not written is to be read again after that."""

    def __init__(self, reason: str, wait_s: float) -> None:
        super().__init__(f"not called for {wait_s:.0f} s: {reason}")
        self.wait_s = wait_s


@dataclass(frozen=True)
class Blame:
    """How often calls with a document failed, and how many documents had been written when they began to."""

    failures: int
    since: int


class FarWriter:
    """One far system's sink; a new instance of it after every failure."""

    def __init__(self, stage: str, attached: Attached, gate: Gate) -> None:
        self._stage, self._attached, self._gate = stage, attached, gate
        self._sink: Sink | None = None
        self._reserve = Reserve(stage)
        self._share: Callable[[bool], float] = lambda bulk: 1.0
        self._bulk = False
        self._paced = False
        self._blamed: dict[str, Blame] = {}
        self._written = 0

    def owns(self, owned: int, partitions: int) -> None:
        """Use the part of the far system's limits that belongs to so many of all partitions."""
        self._share = lambda bulk: shares.sink_share(owned, partitions, bulk)

    def spares_bulk(self) -> bool:
        """Whether the far system's call budget lets the bulk lane be written now."""
        return self._reserve.spares()

    def write(self, documents: Sequence[Document], lease: Lease, bulk: bool = False) -> Sequence[Rejection]:
        """Make the documents, each with another id, durable; returns those that cannot be.

        Those that failed least come first. Raises FarAway in a window and where the breaker is open.
        """
        self._bulk = bulk
        order = sorted(range(len(documents)), key=lambda index: self._failures(documents[index]))
        rejections = self._portioned([documents[index] for index in order], lease)
        return [Rejection(order[each.index], each.error) for each in rejections]

    def _failures(self, document: Document) -> int:
        blame = self._blamed.get(document.id)
        return 0 if blame is None else blame.failures

    def _portioned(self, documents: Sequence[Document], lease: Lease) -> list[Rejection]:
        """Write as many at once as a small share of the far system's limits lets through before the lease is old."""
        size = max(1, round(len(documents) * self._share(self._bulk))) if self._paced else max(1, len(documents))
        found: list[Rejection] = []
        for start in range(0, len(documents), size):
            part = self._write(documents[start : start + size], lease)
            found += [Rejection(each.index + start, each.error) for each in part]
        return found

    def _write(self, documents: Sequence[Document], lease: Lease) -> Sequence[Rejection]:
        tries = 0
        while True:
            self._knock(lease)
            if self._gate.state is State.HALF_OPEN and len(documents) > 1:
                return self._cut(documents, 1, lease)
            try:
                return self._call(documents)
            except FarError as error:
                tries += breaks(error)
                if self._is_theirs(documents, error):
                    self._blamed.pop(documents[0].id, None)
                    return [Rejection(0, error)]
                if len(documents) > 1 and (action_for(error) is Action.PARK or tries >= HALVE_AFTER):
                    return self._cut(documents, len(documents) // 2, lease)

    def _knock(self, lease: Lease) -> None:
        """Return when the far system may be called; a short wait is waited here."""
        lease.check()
        wait = self._gate.wait_s
        if wait and (self._gate.window_s or self._gate.state is State.OPEN):
            raise FarAway(self._gate.says(), wait)
        if wait:
            lease.wait(wait)

    def _call(self, documents: Sequence[Document]) -> Sequence[Rejection]:
        try:
            with metrics.FAR_CALL.labels(self._stage, "write").time():
                sink = self._opened()
                shares.take(sink, self._share(self._bulk))
                rejections = sink.write(documents)
        except FarError:
            self.close()
            raise
        self._reserve.look(sink)
        self._gate.succeeded()
        self._written += len(documents)
        for each in documents:
            self._blamed.pop(each.id, None)
        return rejections

    def _is_theirs(self, documents: Sequence[Document], error: FarError) -> bool:
        """Whether the one document there is cannot be written, as opposed to the far system not taking any."""
        if action_for(error) is Action.PARK:
            self._gate.succeeded()
            metrics.FAR_ERRORS.labels(self._stage, type(error).__name__).inc()
            return len(documents) == 1
        self._gate.failed(error)
        return breaks(error) and self._kept_failing(documents)

    def _kept_failing(self, documents: Sequence[Document]) -> bool:
        for each in documents:
            blame = self._blamed.get(each.id, Blame(0, self._written))
            self._blamed[each.id] = Blame(blame.failures + 1, blame.since)
        blame = self._blamed[documents[0].id]
        return len(documents) == 1 and blame.failures >= GIVE_UP_AFTER and self._written > blame.since

    def _cut(self, documents: Sequence[Document], at: int, lease: Lease) -> Sequence[Rejection]:
        """Write the first `at` documents, then the others."""
        first = self._write(documents[:at], lease)
        second = self._write(documents[at:], lease)
        return [*first, *(Rejection(each.index + at, each.error) for each in second)]

    def _opened(self) -> Sink:
        if self._sink is None:
            factory = self._attached.connector.sink
            assert factory is not None
            self._sink = factory(self._attached.config)
            self._paced = isinstance(self._sink, Paced)
            shares.take(self._sink, self._share(self._bulk))
            self._sink.open()
        return self._sink

    def close(self) -> None:
        """Let go of the far system; the next write opens it again."""
        if self._sink is not None:
            self._sink.close()
            self._sink = None
