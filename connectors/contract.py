"""The contract between the bus and one far system: what a connector is, and what it promises.

A connector sees documents of its own system only; source and sink tasks put the administrator's mapping between
them and the bus. Nothing here is thread-safe: one task calls one instance, one call at a time, and builds a new
instance after every failure. All methods raise `connectors.errors.FarError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

from connectors.config import ConnectorConfig
from connectors.errors import FarError
from schemas.document import Document, DocumentType, Fields, Value

Position: TypeAlias = Fields
"""Where a source stands; a JSON object that only its own connector reads."""


@dataclass(frozen=True)
class Batch:
    """What one poll found: `documents` in the order of their changes, and the position after all of them.

    A batch may hold a position and no documents. `complete` turns true once the backfill of the first start is
    done. `system` is the far system's own identity (an org id): a position of another system is refused.
    """

    documents: Sequence[Document]
    position: Position
    complete: bool = True
    system: str = ""


@dataclass(frozen=True)
class Rejection:
    """One document of a write that was not made durable: its index in the batch, and why.

    A DataError can never succeed. A TransientError or a Conflict says "this one cannot be written now, the others
    can" (a locked record): the bus tries it again by itself, on a schedule that heeds `retry_after_s`.
    """

    index: int
    error: FarError


@dataclass(frozen=True)
class Request:
    """An HTTP request as it arrived, `body` being the raw bytes that a signature covers. Header names are lower."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class ApiBudget:
    """Calls used in the far system's own period (a day, say) and how many there may be."""

    used: int
    limit: int


@runtime_checkable
class Budgeted(Protocol):
    """A source or sink whose far system counts calls; it is shown as a metric."""

    @property
    def api_budget(self) -> ApiBudget | None:
        """As the newest answer said; None before the first."""
        ...


@runtime_checkable
class Paced(Protocol):
    """A source, sink or webhook that keeps its far system's rate limits, of which it is told its part."""

    def take_share(self, share: float) -> None:
        """Use this part (above 0, at most 1) of every limit from now on; called at any time between two calls."""
        ...


class Source(Protocol):
    """Reads one far system. `open` comes first, then polls; after `close` nothing is called."""

    def open(self, position: Position | None) -> None:
        """Start after `position`; None is the first start, which begins with a backfill of everything.

        Subscribe to changes before the backfill begins, so that nothing falls between; the position holds both.
        """
        ...

    def poll(self, timeout: float) -> Batch | None:
        """The next batch within `timeout` seconds, or None where there was nothing to say.

        What an earlier batch held may come again after a restart from its position; nothing after it may be lost.
        """
        ...

    def close(self) -> None:
        """Release every thread and socket. Safe in any state, also twice."""
        ...


class Webhook(Protocol):
    """Turns a far system's push into documents."""

    def receive(self, request: Request) -> Sequence[Document]:
        """Verify the signature and parse. Raises AuthError for a wrong one, DataError for a body that is none."""
        ...


class Sink(Protocol):
    """Writes documents into one far system."""

    def open(self) -> None:
        """Log in and check that what will be written may be written. Raises ConfigError or AuthError."""
        ...

    def write(self, documents: Sequence[Document]) -> Sequence[Rejection]:
        """Make `documents` durable: any order across ids, the given order within one.

        Returns only those that were not written, as `Rejection` says; every other one is durable when this returns.
        A document whose stored version is newer counts as done. Raises when the whole batch must wait; what was
        already written may then be written again, so a write of the same document twice must change nothing.
        """
        ...

    def close(self) -> None:
        """Release every thread and socket. Safe in any state, also twice."""
        ...


class Simulator(Protocol):
    """A contract-true stand-in of the far system: real sockets on loopback, state on disk, scripted faults."""

    def start(self) -> StandIn:
        """Listen, on the same addresses as the last time in this folder, and say how it is reached."""
        ...

    def stop(self) -> None:
        """Stop listening; the state stays on disk."""
        ...


@dataclass(frozen=True)
class StandIn:
    """How a running simulator is reached: the connector's configuration for it, and its control address.

    `config` holds every value of the connector's config that it needs, secrets in clear (they are worth nothing).
    `control` is the base address of the control endpoint. `ca_file` verifies both. `person` is what a script of
    the company, no part of the bus, logs in with.
    """

    config: Mapping[str, Value]
    control: str
    ca_file: Path
    person: Mapping[str, Value] = field(default_factory=dict)


DocumentTypes: TypeAlias = Callable[[ConnectorConfig], Sequence[DocumentType]]


@dataclass(frozen=True)
class Connector:
    """What a plug-in exports under the entry-point group `lineshaft.connectors`.

    `documents` describes the records of the system that `config` names; it may ask the system. The factories make
    one unopened instance from a validated config (of the type `config`); None where the system has no such side.
    `simulator` makes the stand-in whose state lives in the folder it is given.
    """

    name: str
    config: type[ConnectorConfig]
    documents: DocumentTypes
    source: Callable[[ConnectorConfig], Source] | None = None
    webhook: Callable[[ConnectorConfig], Webhook] | None = None
    sink: Callable[[ConnectorConfig], Sink] | None = None
    simulator: Callable[[Path], Simulator] | None = None
    summary: str = field(default="", kw_only=True)
