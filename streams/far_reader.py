"""Polling one far system's source: opens it, keeps to the gate, the reserve and its share, and lets go of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event as Flag

from connectors.contract import Batch, Position, Source
from connectors.errors import FarError, PositionRefused
from streams import metrics, shares
from streams.bus import Attached
from streams.far_gate import Gate
from streams.reserve import Reserve

POLL_S = 0.5
STEADY_S = 30.0
"""A source that polls for so long without an error works, though nothing has come."""


class OnlyPushed:
    """The source of a system that pushes and cannot be asked: nothing is to be read, and its backfill is done."""

    def __init__(self) -> None:
        self._has_said = False

    def open(self, position: Position | None) -> None:
        """See `connectors.contract.Source.open`."""
        self._has_said = position is not None

    def poll(self, timeout: float) -> Batch | None:
        """Once that there is nothing more to come, for the sinks of a new bus wait for that."""
        if not self._has_said:
            self._has_said = True
            return Batch((), {})
        time.sleep(timeout)
        return None

    def close(self) -> None:
        """Nothing is held."""


class FarReader:
    """One far system's source; a new instance of it after every failure and every window."""

    def __init__(self, stage: str, attached: Attached, gate: Gate) -> None:
        self._stage, self._attached, self._gate = stage, attached, gate
        self._reserve = Reserve(stage)
        self._source: Source | None = None
        self._opened_at = 0.0

    def rests(self, stop: Flag) -> bool:
        """Whether it is not to be called now; a moment of that is waited here."""
        wait = self._gate.wait_s
        if self._gate.window_s:
            self.close()
        if not wait and self._reserve.spares():
            return False
        stop.wait(min(wait or POLL_S, POLL_S))
        return True

    def poll(self, position: Callable[[], Position | None]) -> Batch | None:
        """What comes next; None where nothing did or it failed. Raises PositionRefused.

        `position` is asked where the source must be opened: it goes on from there.
        """
        try:
            with metrics.FAR_CALL.labels(self._stage, "poll").time():
                source = self._opened(position)
                batch = source.poll(POLL_S)
        except PositionRefused:
            raise
        except FarError as error:
            self._gate.failed(error)
            self.close()
            return None
        if batch is not None or time.monotonic() - self._opened_at > STEADY_S:
            self._gate.succeeded()
        self._reserve.look(source)
        metrics.LAST_POLL.labels(self._stage).set_to_current_time()
        return batch

    def _opened(self, position: Callable[[], Position | None]) -> Source:
        if self._source is None:
            factory = self._attached.connector.source
            self._source = OnlyPushed() if factory is None else factory(self._attached.config)
            self._opened_at = time.monotonic()
            shares.take(self._source, shares.PARTS["source"])
            self._source.open(position())
        return self._source

    def close(self) -> None:
        """Let go of the far system; the next poll opens it again."""
        if self._source is not None:
            self._source.close()
            self._source = None
