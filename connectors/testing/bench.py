"""A bench: the far system of one connector, as its own people and its vendor act in it.

The conformance suite drives a connector through `connectors.contract` alone and its far system through a bench alone.
A bench is made by a factory `(folder) -> Bench` under the connector's own name in the entry-point group
`lineshaft.benches`. It is one object with the methods of `Bench` and those of each part that the connector has:

    Bench           always             SourceBench     the connector has a source
    WebhookBench    it has a webhook   SinkBench       it has a sink

and, where its far system can do it, those of the small protocols below them; a rule that needs one which is not there
says that it does not apply, and why. `connectors.testing.running` does the largest part for every stand-in that is
built from the kit. Nothing here is called by two threads at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from connectors.contract import Connector, Request
from connectors.errors import FarError
from schemas.document import Document, Fields

Deletions = Literal["told", "watched", "untold"]
"""Whether a deletion becomes a document: always; only where the running source has read the record before; never."""

During = Literal["open source", "poll", "open sink", "write", "receive"]
"""The call of the connector that meets a trouble."""


@dataclass(frozen=True)
class Rate:
    """At most so many calls in so many seconds."""

    calls: int
    seconds: float = 1.0


@dataclass(frozen=True)
class Facts:
    """What the suite must know of a far system and its connector. Field names are those of the documents.

    Source: `make` fills `text_field`, and `date_field` (a day) and `instant_field` (a moment) where there are any;
    `page_size` is how many records one answer holds, None without pages; `ageing_position` says that the far system
    forgets old positions, so that a source must move its own on also while nothing happens.
    Sink: `sink_text_field` and `sink_date_field` of the documents it writes, and `batch_size`, how many go into one
    call, None where each goes alone.
    Both: `rate` is the limit the far system sets, None for none. `patience_s` is the longest time from a change to
    its document; when nothing came for `quiet_s`, nothing comes any more. `call_timeout_s` is the longest wait for
    one answer, as `settings` has it: a poll may take so much longer than it was told while the far system is silent.
    `does_not_apply` names rules that can have no object here, each with its reason; a report shows both.
    """

    text_field: str = ""
    date_field: str = ""
    instant_field: str = ""
    longest_text: int = 200
    page_size: int | None = None
    deletions: Deletions = "told"
    ageing_position: bool = False
    sink_text_field: str = ""
    sink_date_field: str = ""
    batch_size: int | None = None
    rate: Rate | None = None
    patience_s: float = 20.0
    quiet_s: float = 0.5
    call_timeout_s: float = 10.0
    does_not_apply: Mapping[str, str] = field(default_factory=dict)


class Bench(Protocol):
    """One far system in a folder of its own; nothing runs before `start`."""

    @property
    def connector(self) -> Connector:
        """The connector under test, as its entry point gives it."""
        ...

    @property
    def facts(self) -> Facts:
        """What the suite must know; the same at any time."""
        ...

    def start(self) -> None:
        """Run the far system with what it held at the last `stop`, at the same address; empty the first time."""
        ...

    def stop(self) -> None:
        """End it; what it holds stays in the folder. Safe twice."""
        ...

    def settings(self, **changes: object) -> Fields:
        """The connector's configuration for the running far system, as an administrator writes it.

        Secrets are references; `changes` go over the values, None takes one away. Choose short times: how often the
        far system is asked decides how long the suite runs.
        """
        ...

    def secrets(self) -> Collection[str]:
        """Values that must never be seen beside the secrets in the settings, as tokens that were minted meanwhile."""
        ...


@runtime_checkable
class SourceBench(Protocol):
    """People who work in the far system, behind the bus's back."""

    def make(self, values: Fields) -> str:
        """Make a record with these values (see `Facts`; the others as the bench likes) and give its document's id.

        Raises ValueError where the far system itself would not take the values from a person.
        """
        ...

    def change(self, document_id: str, values: Fields) -> None:
        """Change these values of one record; raises ValueError likewise."""
        ...

    def delete(self, document_id: str) -> None:
        """Delete one record."""
        ...


@runtime_checkable
class WebhookBench(Protocol):
    """The far system's push. It pushes from `start` on whatever people do there (`SourceBench`)."""

    def pushed(self) -> Sequence[Request]:
        """The requests that were pushed since the last call, in their order; waits until all that is due is there.

        They come as they would arrive at the bus: genuine, fresh and with header names in lower case.
        """
        ...


@dataclass(frozen=True)
class Held:
    """One record that a sink wrote, as the far system holds it: the bus's version and the values of `Facts`."""

    version: int
    values: Fields


@runtime_checkable
class SinkBench(Protocol):
    """What a sink may write, and what the far system itself says has become of it."""

    def document(self, number: int, version: int, values: Fields) -> Document:
        """A document that may be written: the same `number` is the same id, a higher `version` is newer.

        `values` are those of `Facts`; the rest is as the bench likes, the same for the same number.
        """
        ...

    def held(self, document_id: str) -> Sequence[Held]:
        """Every record that the far system holds for the id; more than one means that the sink made it twice."""
        ...


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
