"""Which of the records that a sink has read are written, and in what portions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from schemas import catalog
from schemas.document import Document
from streams.incoming import Incoming

CHUNK = 50


@dataclass(frozen=True)
class Ready:
    """One mapped record: what came, its version, the document to write, and whether somebody waits for it."""

    incoming: Incoming
    version: int
    document: Document
    urgent: bool

    @property
    def in_sequence(self) -> bool:
        """Whether it takes nobody's place and nobody takes its."""
        return self.incoming.record in catalog.IN_SEQUENCE


def newest(found: Iterable[Ready]) -> list[Ready]:
    """The newest record of each subject, the urgent first; of those in sequence all, in their order."""
    kept: dict[str, Ready] = {}
    for each in found:
        subject = each.incoming.parked_id if each.in_sequence else each.incoming.subject
        if subject not in kept or each.version >= kept[subject].version:
            kept[subject] = each
    return sorted(kept.values(), key=lambda each: not each.urgent or each.in_sequence)


def chunks(ready: Sequence[Ready]) -> Iterator[list[Ready]]:
    """At most CHUNK at once and none of a subject twice: the second may have to wait for the first."""
    chunk: dict[str, Ready] = {}
    for each in ready:
        if len(chunk) == CHUNK or each.incoming.subject in chunk:
            yield list(chunk.values())
            chunk = {}
        chunk[each.incoming.subject] = each
    if chunk:
        yield list(chunk.values())
