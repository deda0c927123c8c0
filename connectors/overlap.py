"""Polling for changes: looks at an interval that overlap, and what was told already is not told again.

begun ──▶ stream by stream, page by page ──▶ ended: all before `began - overlap` is certain
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from pydantic import TypeAdapter

from connectors.contract import Position
from connectors.positions import parsed


@dataclass(frozen=True)
class Look:
    """The running look for changes, and what the earlier ones made certain. Stamps: the server's, UTC microseconds.

    Whatever was stamped before `since_us` has been emitted. The running look began at `began_us` and goes through the
    streams one by one: `stream` is the one being read ("" between two looks), `place` where in it, as its pager says.
    `backfilled` turns true when the first look has ended.
    """

    since_us: int = 0
    began_us: int = 0
    stream: str = ""
    place: str = ""
    backfilled: bool = False

    @classmethod
    def parse(cls, position: Position | None, whose: str) -> Look:
        """The look of a position; a first start has none. Raises PositionRefused on what is no position of ours."""
        return cls() if position is None else parsed(position, _LOOK, whose)

    def position(self) -> Position:
        """The look as JSON."""
        return asdict(self)

    def begun(self, stream: str, now_us: int) -> Look:
        """The look at its first stream. A clock that was set back moves nothing back."""
        return replace(self, began_us=max(now_us, self.began_us), stream=stream, place="")

    def at(self, stream: str, place: str = "") -> Look:
        """At that place of that stream."""
        return replace(self, stream=stream, place=place)

    def ended(self, overlap_us: int) -> Look:
        """Between two looks. A change may be stamped with its transaction's start, so the last while stays open."""
        return Look(max(self.since_us, self.began_us - overlap_us), self.began_us, backfilled=True)


_LOOK = TypeAdapter(Look)


class Beat:
    """When the next look is due. Looks begin an interval apart, however long they take."""

    def __init__(self, interval_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval_s, self._clock = interval_s, clock
        self._closed = threading.Event()
        self._due = clock()

    def wait(self, timeout: float) -> bool:
        """Wait until a look is due, at most `timeout` seconds; says whether one is. A close interrupts it."""
        pause = min(timeout, self._due - self._clock())
        if pause > 0:
            self._closed.wait(pause)
        return not self.closed and self._clock() >= self._due

    def begin(self) -> None:
        """A look begins now."""
        self._due = self._clock()

    def end(self) -> None:
        """The look has ended; the next one comes an interval after its beginning."""
        self._due += self._interval_s

    def close(self) -> None:
        """Interrupt whoever waits. Safe twice."""
        self._closed.set()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed.is_set()


class Told:
    """What was told of lately, each with a mark (its stamp, its revision) that changes when it does.

    It forgets what no look can meet again, so that it stays as small as what changes within an overlap or two.
    """

    def __init__(self) -> None:
        self._marks: dict[tuple[str, str], tuple[str, int]] = {}
        self._horizon_us = 0

    def is_news(self, kind: str, id: str, mark: str, at_us: int) -> bool:
        """Whether this was not told with this mark; `at_us` is when it changed. From now on it was."""
        known, _ = self._marks.get((kind, id), ("", 0))
        if at_us >= self._horizon_us:
            self._marks[kind, id] = (mark, at_us)
        return known != mark

    def forget(self, before_us: int) -> None:
        """Keep only what changed since then."""
        self._horizon_us = before_us
        self._marks = {key: kept for key, kept in self._marks.items() if kept[1] >= before_us}
