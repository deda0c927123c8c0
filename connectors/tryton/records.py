"""What the source asks of one company: pages of what changed, and whole records."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from connectors.overlap import Look
from connectors.tryton.client import Client
from connectors.tryton.position import behind
from connectors.tryton.roots import DELETIONS, STAMP, Root
from connectors.tryton.wire import typed_instant
from schemas.document import Document, Fields, Value


@dataclass(frozen=True)
class Stream:
    """One model that is asked for changes: the kind of record they belong to, and the way to its id."""

    model: str
    root: Root
    way: str

    @property
    def name(self) -> str:
        """What the position calls it: a model may have two ways to its record."""
        return f"{self.root.model}<{self.way or 'id'}<{self.model}"


def streams_of(roots: Iterable[Root]) -> list[Stream]:
    """Every model to be asked, headers first."""
    return [
        stream
        for root in roots
        for stream in (
            Stream(root.model, root, ""),
            *(Stream(model, root, way) for model, ways in root.parts.items() for way in ways.split()),
            Stream(DELETIONS, root, "root"),
        )
    ]


def reads_whole(stream: Stream, look: Look) -> bool:
    """Whether its pages hold whole records: to the first look all of them are news.

    A later look reads again what changed within the overlap, and asks for whole records only where it finds news.
    """
    return not (stream.way or look.backfilled)


class Records:
    """The records of one company. Raises FarError."""

    def __init__(self, client: Client, company: int, overlap_us: int) -> None:
        self._client, self._company, self._overlap_us = client, company, overlap_us

    def page(self, stream: Stream, look: Look, size: int) -> Callable[[], list[Fields]]:
        """The question for the page of at most so many records behind the look's place.

        Any thread may ask it. The values are still Tryton's, so that the next page can be asked for at once.
        """
        fields = stream.root.fields if reads_whole(stream, look) else [STAMP, *_of_part(stream)]
        domain = [*self._company_of(stream), self._changed(look)]
        return partial(self._client.search_typed, stream.model, domain, fields, (STAMP, "id"), size)

    def whole(self, root: Root, ids: Iterable[int]) -> list[Document]:
        """The documents of these records that are still there; a deletion tells of the others."""
        wanted: list[Value] = [*sorted(ids)]
        found = self._client.search(root.model, [["id", "in", wanted]], root.fields) if wanted else []
        return [root.document(each) for each in found]

    def _company_of(self, stream: Stream) -> list[Value]:
        way = f"{stream.way}." if stream.way and stream.model != DELETIONS else ""
        company: list[Value] = [[f"{way}company", "=", self._company]] if stream.root.of_company else []
        return [*company, ["root_model", "=", stream.root.model]] if stream.model == DELETIONS else company

    def _changed(self, look: Look) -> Value:
        after_us, after_id = behind(look)
        if not after_us:
            from_us = min(look.since_us, max(0, self._client.clock.certain_us - self._overlap_us))
            return [STAMP, ">=", typed_instant(from_us)]  # a clock that was set back stamps before `since`
        newer: Value = [STAMP, ">", typed_instant(after_us)]
        same: Value = [[STAMP, "=", typed_instant(after_us)], ["id", ">", after_id]]
        return ["OR", newer, same]


def _of_part(stream: Stream) -> list[str]:
    if stream.model == DELETIONS:
        return ["record", "root", "model", "content"]
    return [f"{stream.way}.id"] if stream.way else []
