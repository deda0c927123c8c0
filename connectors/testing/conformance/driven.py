"""A source and a sink under the suite's hands: every call within its time, everything they say kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from connectors.contract import Batch, Position, Rejection, Sink, Source
from connectors.errors import FarError
from connectors.testing.bench import Facts
from connectors.testing.conformance.lane import Lane
from connectors.testing.conformance.rule import Broken
from schemas.document import Document, from_json, to_json
from schemas.identity import revision_time_us

SLACK_S = 5.0
"""How much later than promised a call may return before it is told: machines are busy."""

OPEN_CALLS = 10
"""Calls of the far system that `open` and `close` may wait for, one after the other."""

POLL_S = 0.05

QUIET_POLLS = 2
"""On a slow machine one poll may take longer than quiet does, and not have looked at everything."""

ENDLESS = 10
"""How often patience may be used up before a reading counts as one that never ends."""


class DrivenSource:
    """One instance of a source and the batches it gave."""

    def __init__(self, source: Source, facts: Facts) -> None:
        self.raw = source
        self.lane = Lane()
        self.batches: list[Batch] = []
        self._facts = facts
        self._first = True

    def open(self, position: Position | None) -> None:
        """Open it behind a position, which goes through JSON as on the bus."""
        self._first = position is None
        kept = None if position is None else stored(position)
        self.lane.call("open", self._facts.call_timeout_s * OPEN_CALLS + SLACK_S, lambda: self.raw.open(kept))

    def poll(self, timeout: float = POLL_S) -> Batch | None:
        """One poll, which has the time it was given and that of one call of a silent far system."""
        most = timeout + self._facts.call_timeout_s + SLACK_S
        batch = self.lane.call(f"poll({timeout:g})", most, lambda: self.raw.poll(timeout))
        if batch is not None:
            self.batches.append(batch)
        return batch

    def close(self) -> None:
        """Close it, from outside where a call of it is stuck."""
        if self.lane.stuck:
            self.raw.close()
        else:
            self.lane.call("close", self._facts.call_timeout_s + SLACK_S, self.raw.close)

    def until(self, wanted: Callable[[], bool], what: str) -> None:
        """Poll until `wanted`. Raises Broken, saying that `what` did not happen, where patience ends."""
        if not self.comes(wanted):
            raise Broken(f"{what} within {self._facts.patience_s:g} s; what came was {shown(self.documents)}")

    def comes(self, wanted: Callable[[], bool]) -> bool:
        """Poll until `wanted`, as long as patience lasts; whether it came to that."""
        deadline = time.monotonic() + self._facts.patience_s
        while not wanted():
            if time.monotonic() > deadline:
                return False
            self.poll()
        return True

    def catch_up(self) -> None:
        """Poll until a batch says that the first reading is done: everything that was there has been given."""
        self._poll_until(lambda quiet_s, quiet_polls: self.complete)

    def drain(self) -> None:
        """Poll until the first reading is done and nothing comes any more.

        Behind a position there may be nothing to say at all.
        """
        enough_s = self._facts.quiet_s
        self._poll_until(lambda quiet_s, polls: polls >= QUIET_POLLS and quiet_s >= enough_s and self._settled)

    def _poll_until(self, enough: Callable[[float, int], bool]) -> None:
        """Poll until it is enough, of which the seconds and the polls since the last documents are told."""
        quiet_since = started = time.monotonic()
        quiet_polls = 0
        while not enough(time.monotonic() - quiet_since, quiet_polls):
            batch = self.poll()
            now, quiet_polls = time.monotonic(), quiet_polls + 1
            if batch is not None and batch.documents:
                quiet_since, quiet_polls = now, 0
            if now - quiet_since > self._facts.patience_s:
                raise Broken(
                    "the backfill never ended: no batch said complete=True though nothing came any more. Say it with "
                    "the batch that ends the first reading, for the bus keeps its sinks shut until then"
                )
            if now - started > ENDLESS * self._facts.patience_s:
                raise Broken(f"documents never stop coming though nobody changes anything: {shown(self.documents)}")

    @property
    def _settled(self) -> bool:
        return self.complete or not (self._first or self.batches)

    @property
    def complete(self) -> bool:
        """Whether the newest batch said that the first reading is done."""
        return bool(self.batches) and self.batches[-1].complete

    @property
    def documents(self) -> list[Document]:
        """Everything that came, in order."""
        return [document for batch in self.batches for document in batch.documents]

    @property
    def newest(self) -> Mapping[str, Document]:
        """Of each record the document that came last, which is what the bus keeps of what a source reads."""
        return newest(self.documents)

    @property
    def position(self) -> Position:
        """The newest position. Raises Broken before the first batch."""
        if not self.batches:
            raise Broken("no batch came, so there is no position to go on from: give one also without documents")
        return self.batches[-1].position


class DrivenSink:
    """One instance of a sink."""

    def __init__(self, sink: Sink, facts: Facts) -> None:
        self.raw = sink
        self.lane = Lane()
        self._facts = facts

    def open(self) -> None:
        """Open it."""
        self.lane.call("open", self._facts.call_timeout_s * OPEN_CALLS + SLACK_S, self.raw.open)

    def write(self, documents: Sequence[Document]) -> Sequence[Rejection]:
        """One write; its rejections are checked to be about its documents."""
        most = self._facts.call_timeout_s * (OPEN_CALLS + len(documents)) + SLACK_S
        rejections = self.lane.call("write", most, lambda: self.raw.write(documents))
        for each in rejections:
            if not 0 <= each.index < len(documents):
                raise Broken(
                    f"write rejected index {each.index} of {len(documents)} documents: an index counts from 0 in the "
                    "sequence that was given, or the bus parks the wrong record"
                )
            if not isinstance(each.error, FarError):
                raise Broken(
                    f"the rejection of {documents[each.index].id} holds {each.error!r}, which is no FarError"
                )
        return rejections

    def close(self) -> None:
        """Close it."""
        if self.lane.stuck:
            self.raw.close()
        else:
            self.lane.call("close", self._facts.call_timeout_s + SLACK_S, self.raw.close)


def newest(documents: Sequence[Document]) -> Mapping[str, Document]:
    """Of each record the document that came last."""
    return {each.id: each for each in documents}


def follows(later: Document, earlier: Document) -> bool:
    """Whether a document's revision may stand behind another one's: another content, and no lower stamp.

    Raises Broken for one that is no revision. Far systems stamp by the second: equal stamps go by arrival.
    """
    return later.revision != earlier.revision and stamp_us(later) >= stamp_us(earlier)


def stamp_us(document: Document) -> int:
    """The stamp in the revision. Raises Broken where there is none."""
    try:
        return revision_time_us(document.revision)
    except ValueError:
        raise Broken(
            f"{document.id} has the revision {document.revision!r}, which begins with no stamp: make it by "
            "schemas.identity.revision of the newest stamp in the record and its content"
        ) from None


def stored(position: Position) -> Position:
    """The position as it comes back from the bus, which keeps it as JSON text."""
    kept = from_json(to_json(position))
    if not isinstance(kept, dict):
        raise Broken(f"the position {position!r:.200} is no JSON object")
    return kept


def shown(documents: Sequence[Document]) -> str:
    """The last few documents for a person."""
    few = [f"{each.id}@{each.revision[:17]}{' deleted' if each.deleted else ''}" for each in documents[-5:]]
    return f"{len(documents)} documents, the last ones {', '.join(few)}" if few else "nothing"
