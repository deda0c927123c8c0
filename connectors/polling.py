"""A source that polls: lists of changed records, one page of one list per poll, by looks that overlap.

A connector gives a `Listing` for each kind of record; here is where the reading stands, what was told already, what
becomes of a lost cursor, and when a position is worth keeping although nothing came.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from pydantic import TypeAdapter

from connectors.contract import Batch, Position
from connectors.errors import LostCursor, TransientError
from connectors.far_clock import FarClock
from connectors.overlap import Beat, Look, Told
from connectors.paging import Places
from connectors.positions import parsed
from schemas.document import Document
from schemas.identity import revision_time_us


@dataclass(frozen=True)
class Found:
    """A page of documents, the place behind it (None behind the last), and where the next look resumes, if so."""

    documents: Sequence[Document]
    next: str | None = None
    resume: str = ""


Listing = Callable[[str, int], Found]
"""Reads the page at a place ("" for the first) of what changed since a moment (UTC microseconds, 0 for everything).

Older records may come as well, and are left out. Raises FarError; LostCursor where the place is no longer known.
"""


@dataclass(frozen=True)
class Standing:
    """The look, and by kind the place from which only later changes are told, where the far system gives one."""

    look: Look = field(default_factory=Look)
    resume: Mapping[str, str] = field(default_factory=dict)


_STANDING = TypeAdapter(Standing)


class Polling:
    """See `connectors.contract.Source`, of which this has all three methods.

    `overlap_us` is how far each look goes back: longer than any transaction of the far system, for changes are often
    stamped with its start. What was told with the same revision is not told again.
    """

    def __init__(
        self,
        listings: Mapping[str, Listing],
        system: str,
        whose: str,
        interval_s: float,
        overlap_us: int,
        far_clock: FarClock,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._listings, self._kinds = listings, list(listings)
        self._system, self._whose = system, whose
        self._beat, self._clock = Beat(interval_s, clock), clock
        self._overlap_us, self._far_clock = overlap_us, far_clock
        self._standing, self._given = Standing(), Standing()
        self._told, self._places = Told(), Places()
        self._since_us, self._lost = 0, False

    def open(self, position: Position | None) -> None:
        """Go on behind the position; raises PositionRefused on what is none of this source."""
        if position is not None:
            self._standing = self._given = parsed(position, _STANDING, self._whose)
        self._look_back()

    def poll(self, timeout: float) -> Batch | None:
        """The news of the next page that has any; a page without is followed by the next while there is time."""
        until = self._clock() + timeout
        while self._beat.wait(until - self._clock()):
            batch = self._next_page() if self._kinds else self._nothing()
            if batch is not None or self._clock() >= until:
                return batch
        return None

    def close(self) -> None:
        """Interrupt a waiting poll. Safe twice."""
        self._beat.close()

    def _nothing(self) -> Batch | None:
        """A far system that is only written has been read: the bus's sinks wait for somebody to say so."""
        self._beat.begin()
        self._beat.end()
        if self._standing.look.backfilled:
            return None
        self._standing = replace(self._standing, look=self._standing.look.ended(self._overlap_us))
        return Batch([], asdict(self._standing), True, self._system)

    def _next_page(self) -> Batch | None:
        kind = self._running()
        place = self._standing.look.place
        try:
            found = self._listings[kind](self._places.enter(place), self._since_us)
        except LostCursor as error:
            found = self._from_the_first_page(kind, place, error)
        news = [each for each in found.documents if self._is_news(kind, each)]
        self._move(kind, found)
        if not (news or self._is_worth_keeping()):
            return None
        self._given = self._standing
        return Batch(news, asdict(self._standing), self._standing.look.backfilled, self._system)

    def _from_the_first_page(self, kind: str, place: str, error: LostCursor) -> Found:
        """Read again what changed since; one that is lost again and again is left to the bus's pace."""
        if not place:
            raise error
        if self._lost:
            raise TransientError(f"{kind}: the place is lost a second time in one look ({error})") from error
        self._lost, self._places = True, Places()
        self._standing = replace(self._standing, resume={**self._standing.resume, kind: ""})
        return Found([], next="")

    def _running(self) -> str:
        """The kind being read; a new look begins with the first one, at a time that both clocks have passed."""
        look = self._standing.look
        if look.stream not in self._listings:
            self._beat.begin()
            self._lost = False
            began = look.begun(self._kinds[0], self._far_clock.certain_us)
            self._standing = replace(self._standing, look=began)
            self._look_back()
            self._begin(self._kinds[0])
        return self._standing.look.stream

    def _look_back(self) -> None:
        """From when on changes are asked for; a clock that was set back stamps before what was certain."""
        since_us, certain_us = self._standing.look.since_us, self._far_clock.certain_us - self._overlap_us
        self._since_us = max(1, min(since_us, certain_us)) if since_us else 0
        self._told.forget((self._since_us or certain_us) - self._overlap_us)

    def _begin(self, kind: str) -> None:
        place = self._standing.resume.get(kind, "")
        self._standing = replace(self._standing, look=self._standing.look.at(kind, place))
        self._places = Places()

    def _move(self, kind: str, found: Found) -> None:
        if found.next is not None:
            self._standing = replace(self._standing, look=self._standing.look.at(kind, found.next))
            return
        if found.resume:
            self._standing = replace(self._standing, resume={**self._standing.resume, kind: found.resume})
        rest = self._kinds[self._kinds.index(kind) + 1 :]
        if rest:
            self._begin(rest[0])
            return
        self._standing = replace(self._standing, look=self._standing.look.ended(self._overlap_us))
        self._beat.end()

    def _is_news(self, kind: str, document: Document) -> bool:
        """What a far system itself calls changed is, whatever its stamp; so is what cannot be read."""
        changed_us, resumed = revision_time_us(document.revision), self._standing.resume.get(kind)
        if changed_us < self._since_us and not (document.problem or resumed):
            return False
        mark = f"{document.revision} {document.deleted}"
        at_us = self._far_clock.certain_us if document.problem else changed_us
        return self._told.is_news(document.type, document.id, mark, at_us)

    def _is_worth_keeping(self) -> bool:
        """Whether the position says enough more than the last one given for a batch without documents."""
        before, after = self._given, self._standing
        ahead_us = after.look.since_us - before.look.since_us
        turned = after.look.backfilled != before.look.backfilled or after.resume != before.resume
        return turned or ahead_us >= self._overlap_us
