"""Which of two contents of one far record is the newer truth. The one rule; everything that folds asks here.

A *fetched* content was read by the one owner of the source, whole, after it had asked: it is what the far system
held then. A *pushed* one was sent some time ago and may come late, twice and in any order.

1. The very same revision is a repeat.
2. Of two fetched contents the one that was read later is newer, whatever their stamps say: the far clock may have
   gone back between two changes, or the far system itself to an old backup.
3. A fetched content that was read well after a pushed one arrived (`TOLERANCE_US`) is newer.
4. Everything else goes by the stamps. A stamp from the future is taken for the moment its content came, for a clock
   that ran ahead must not hide what is changed after it was set right.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.event import Event, Record
from schemas.identity import revision_time_us
from schemas.wire import FETCHED, REVISION

TOLERANCE_US = 10_000_000
"""How far clocks of the bus, of its far systems and of their many servers may be apart without meaning anything."""


@dataclass(frozen=True)
class Reading:
    """A far system's revision, and when we read it or (not `fetched`) when its push arrived: our UTC microseconds."""

    revision: str
    as_of_us: int
    fetched: bool = False

    @property
    def stamp_us(self) -> int:
        """The far system's stamp as far as it can be believed."""
        return min(revision_time_us(self.revision), self.as_of_us + TOLERANCE_US)

    def known(self) -> Record:
        """The fields that a state keeps of it."""
        return {"revision": self.revision, "as_of": self.as_of_us, "fetched": self.fetched}


def reading_of(event: Event) -> Reading:
    """How a source's event came. Raises KeyError or ValueError where it has no revision."""
    revision = event.headers[REVISION]
    revision_time_us(revision)
    fetched = event.headers.get(FETCHED)
    return Reading(revision, event.version if fetched is None else int(fetched), fetched is not None)


def reading_in(state: Record) -> Reading:
    """What `Reading.known` kept."""
    as_of = state["as_of"]
    assert isinstance(as_of, int)
    return Reading(str(state["revision"]), as_of, bool(state["fetched"]))


def read_later(new: Reading, known: Reading) -> bool | None:
    """Rules 2 and 3; None where the stamps have to say it."""
    if new.fetched and known.fetched:
        return new.as_of_us >= known.as_of_us
    if new.fetched and new.as_of_us > known.as_of_us + TOLERANCE_US:
        return True
    return None


def is_newer(new: Reading, known: Reading) -> bool:
    """Whether `new` takes the place of `known`. Two contents with one stamp are told apart by arrival."""
    if not known.revision:
        return True
    if new.revision == known.revision:
        return False
    later = read_later(new, known)
    return new.stamp_us >= known.stamp_us if later is None else later
