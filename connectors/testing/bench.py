"""A bench: the far system of one connector, as its own people and its vendor act in it.

The conformance suite drives a connector through `connectors.contract` alone and its far system through a bench alone.
A bench is made by a factory `(folder) -> Bench` under the connector's own name in the entry-point group
`lineshaft.benches`. It is one object with the methods of `Bench` and those of each part that the connector has:

    Bench           always             SourceBench     the connector has a source
    WebhookBench    it has a webhook   SinkBench       it has a sink

and, where its far system can do it, those of the small protocols in `connectors.testing.abilities`; a rule that needs
one which is not there says that it does not apply, and why. `connectors.testing.running` does the largest part for
every stand-in that is built from the kit. Nothing here is called by two threads at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from connectors.contract import Connector, Request
from schemas.document import Document, Fields

Deletions = Literal["told", "watched", "untold"]
"""Whether a deletion becomes a document: always; only where the running source has read the record before; never."""


@dataclass(frozen=True)
class Rate:
    """At most so many calls in so many seconds."""

    calls: int
    seconds: float = 1.0


@dataclass(frozen=True)
class Facts:
    """What the suite must know of a far system and its connector. Field names are those of the documents.

    Source: `make` fills `text_field`, and `date_field` (a day) and `instant_field` (a moment) where there are any;
    `longest_text` is how many characters it takes, `trims_text` whether it cuts blanks off both ends;
    `page_size` is how many records one answer holds, None without pages; `ageing_position` says that the far system
    forgets old positions, so that a source must move its own on also while nothing happens.
    Sink: `sink_text_field`, which takes `sink_longest_text` characters, and `sink_date_field` of what it writes,
    and `batch_size`, how many go into one call, None where each goes alone. `version_guard` says who keeps an older
    version from replacing a newer one: the far system itself, or the sink, which reads what is stored just before.
    Both: `rate` is the limit the far system sets, None for none. `patience_s` is the longest time from a change to
    its document; when nothing came for `quiet_s`, nothing comes any more. `call_timeout_s` is the longest wait for
    one answer, as `settings` has it: a poll may take so much longer than it was told while the far system is silent.
    `hurry` are settings that give an answer up sooner, for the rules that wait for one which never comes.
    `does_not_apply` names rules that can have no object here, each with its reason; a report shows both. `not_yet`
    names rules that wait for the bench's maker, each with what is to be done: they are told so, and never as passed.
    """

    text_field: str = ""
    date_field: str = ""
    instant_field: str = ""
    longest_text: int = 200
    trims_text: bool = False
    page_size: int | None = None
    deletions: Deletions = "told"
    ageing_position: bool = False
    sink_text_field: str = ""
    sink_longest_text: int = 60
    sink_date_field: str = ""
    batch_size: int | None = None
    version_guard: Literal["far system", "sink"] = "far system"
    rate: Rate | None = None
    patience_s: float = 20.0
    quiet_s: float = 0.5
    call_timeout_s: float = 10.0
    hurry: Mapping[str, object] = field(default_factory=dict)
    does_not_apply: Mapping[str, str] = field(default_factory=dict)
    not_yet: Mapping[str, str] = field(default_factory=dict)


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

        `values` are those of `Facts`; the rest is as the bench likes, the same for the same number. Raises ValueError
        where the far system has no place for the values, as a line end in a field of one line.
        """
        ...

    def held(self, document_id: str) -> Sequence[Held]:
        """Every record that the far system holds for the id; more than one means that the sink made it twice."""
        ...
