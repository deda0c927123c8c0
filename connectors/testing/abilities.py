"""What a far system may be able to do beside what every bench must: each a small protocol of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from connectors.errors import FarError
from schemas.document import Document, Fields

During = Literal["open source", "poll", "open sink", "write", "receive"]
"""The call of the connector that meets a trouble."""


@runtime_checkable
class RefusingBench(Protocol):
    """A far system that refuses some documents for good."""

    def unwritable(self, number: int) -> Document:
        """A document that the far system (or the connector for it) can never take."""
        ...


@runtime_checkable
class LockingBench(Protocol):
    """A far system whose records can be locked."""

    def lock(self, document_id: str) -> None:
        """The next write to this one record is refused, because somebody holds it for a moment."""
        ...


@runtime_checkable
class SwallowingBench(Protocol):
    """A far system whose answers can get lost."""

    def swallow_answer(self) -> None:
        """The next write is carried out and its answer never comes."""
        ...


@runtime_checkable
class SilentBench(Protocol):
    """A far system that can fall silent."""

    def silence(self) -> None:
        """From now on every call is taken and none is answered."""
        ...

    def speak(self) -> None:
        """Answer again; what was held is let go. Safe also when nothing is held."""
        ...


@runtime_checkable
class NotifyingBench(Protocol):
    """A far system that tells of changes by notices: events of a feed, or pushes."""

    def spoil_notices(self, how: Literal["duplicated", "reordered", "lost"]) -> bool:
        """What comes of the next change is spoilt in this way; False where this cannot happen in this far system."""
        ...


@runtime_checkable
class ForgettingBench(Protocol):
    """A far system that forgets positions."""

    def lose_cursor(self) -> None:
        """Every position that was given out until now is no longer known there."""
        ...


@runtime_checkable
class ClockBench(Protocol):
    """A far system whose clock can be wrong."""

    def move_clock(self, seconds: int) -> None:
        """Its clock is so far ahead of the machine's from now on; negative is behind, 0 right again."""
        ...


@runtime_checkable
class CountingBench(Protocol):
    """A far system that keeps a ledger of calls."""

    def calls(self) -> Sequence[float]:
        """When each call of the connector that counts against `Facts.rate` arrived, seconds since 1970, in order."""
        ...


@dataclass(frozen=True)
class Trouble:
    """One documented error: `section` of the vendor's contract, how it is caused, and what it must become.

    `script` is the bench's own way to say it (for a stand-in of the kit: faults of its control endpoint).
    `retry_after_s` is checked where the far system says when to come again. `settings` are changed for this one.
    """

    name: str
    section: str
    during: During
    error: type[FarError]
    script: Sequence[Fields] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    retry_after_s: float | None = None


@runtime_checkable
class TroubledBench(Protocol):
    """A far system whose documented errors can be caused."""

    @property
    def troubles(self) -> Sequence[Trouble]:
        """Every throttle, lock, login and permanent error that the vendor's contract names."""
        ...

    def cause(self, trouble: Trouble) -> None:
        """Have the far system do this from now on, until `mend`."""
        ...

    def mend(self) -> None:
        """Be healthy again. Safe also when nothing is wrong."""
        ...


@dataclass(frozen=True)
class Misconfiguration:
    """Settings that only the far system can find wrong, and the field that the connector must name."""

    settings: Mapping[str, object]
    field: str
    during: Literal["open source", "open sink"] = "open source"


@runtime_checkable
class MisconfiguredBench(Protocol):
    """A far system that shows when the configuration does not fit it."""

    @property
    def misconfigurations(self) -> Sequence[Misconfiguration]:
        """A wrong form, a field the user may not see: what an administrator gets wrong."""
        ...


@dataclass(frozen=True)
class Sample:
    """One exchange as the vendor's contract shows it: what is sent, and the part of the answer that must come.

    Texts may hold `$name`, which stands for what an earlier sample of the same section kept under it: `keep` maps
    names to dotted places in the answer. An `answer` must be found in the real one: an object by those of its keys
    that are named, a list item by item.
    """

    section: str
    rule: str
    method: str
    path: str
    status: int
    body: Fields | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    answer: object = None
    keep: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class SampledBench(Protocol):
    """A stand-in that is held to the recorded samples of its vendor's contract."""

    @property
    def samples(self) -> Sequence[Sample]:
        """The samples, section by section."""
        ...

    def exchange(self, sample: Sample) -> tuple[int, object]:
        """Send one sample as a raw, logged-in call, without the connector; the status and the JSON that came."""
        ...
