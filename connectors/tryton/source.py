"""Changes of one company by polling: header by header, part by part, then deletions, each by stamp and id.

A part's change need not touch its header, and a stamp is its transaction's start (contract section 8): every model
is asked, each look goes back a little, and what was emitted with the same revision is not emitted again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from connectors.contract import Batch, Position
from connectors.overlap import Beat, Look, Told
from connectors.tryton.checks import check_server
from connectors.tryton.client import Client
from connectors.tryton.position import behind, look_of, place_of
from connectors.tryton.roots import DELETIONS, STAMP, Root
from connectors.tryton.wire import instant_us, typed_instant
from schemas.document import Document, Fields, Value
from schemas.identity import revision_time_us

PAGE = 100


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


class TrytonSource:
    """Pages of one model after the other, until one holds news; a poll waits no longer than it is told."""

    def __init__(
        self,
        client: Client,
        roots: Sequence[Root],
        system: str,
        company: int,
        interval_s: float,
        overlap_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._roots, self._system, self._company = client, roots, system, company
        self._streams, self._clock = streams_of(roots), clock
        self._beat, self._overlap_us = Beat(interval_s, clock), int(overlap_s * 1_000_000)
        self._look, self._given = Look(), Look()
        self._seen, self._emitted = Told(), Told()

    def open(self, position: Position | None) -> None:
        """See `connectors.contract.Source.open`; checks that the server is the one that is meant."""
        self._look = self._given = look_of(position)
        check_server(self._client, (stream.model for stream in self._streams))

    def poll(self, timeout: float) -> Batch | None:
        """See `connectors.contract.Source.poll`."""
        end = self._clock() + timeout
        while self._beat.wait(max(0.0, end - self._clock())):
            batch = self._next_page()
            if batch is not None or self._clock() >= end:
                return batch
        return None

    def close(self) -> None:
        """Interrupt a waiting poll and close all connections. Safe twice."""
        self._beat.close()
        self._client.close()

    def _next_page(self) -> Batch | None:
        stream = self._running()
        records = self._page(stream)
        documents = self._documents(stream, self._news(stream, records))
        if records:
            last = records[-1]
            self._look = self._look.at(stream.name, place_of(instant_us(last[STAMP]), last["id"]))
        if len(records) < PAGE:
            self._next_stream(stream)
        ahead_us = self._look.since_us - self._given.since_us
        moved = ahead_us >= self._overlap_us or len(records) == PAGE
        if not documents and not moved and self._look.backfilled == self._given.backfilled:
            return None
        self._given = self._look
        return Batch(documents, self._look.position(), self._look.backfilled, self._system)

    def _running(self) -> Stream:
        """The model being read; a new look begins with the first one, at a time that both clocks have passed."""
        for stream in self._streams:
            if stream.name == self._look.stream:
                return stream
        first = self._streams[0]
        self._beat.begin()
        self._look = self._look.begun(first.name, self._client.clock.certain_us)
        for told in (self._seen, self._emitted):
            told.forget((self._look.since_us or self._look.began_us - self._overlap_us) - self._overlap_us)
        return first

    def _next_stream(self, stream: Stream) -> None:
        """A first look reads headers only: they hold their parts, and what is gone was never emitted."""
        rest = self._streams[self._streams.index(stream) + 1 :]
        following = [each for each in rest if self._look.backfilled or not each.way]
        if following:
            self._look = self._look.at(following[0].name)
            return
        self._look = self._look.ended(self._overlap_us)
        self._beat.end()

    def _page(self, stream: Stream) -> list[Fields]:
        after_us, after_id = behind(self._look)
        way = f"{stream.way}.id" if stream.way and stream.model != DELETIONS else ""
        domain: list[Value] = []
        if stream.root.of_company:
            domain.append([f"{stream.way}.company" if way else "company", "=", self._company])
        if stream.model == DELETIONS:
            domain.append(["root_model", "=", stream.root.model])
        if after_us:
            newer: Value = [STAMP, ">", typed_instant(after_us)]
            same: Value = [[STAMP, "=", typed_instant(after_us)], ["id", ">", after_id]]
            domain.append(["OR", newer, same])
        else:
            from_us = min(self._look.since_us, max(0, self._client.clock.certain_us - self._overlap_us))
            domain.append([STAMP, ">=", typed_instant(from_us)])  # a clock that was set back stamps before `since`
        more = ["record", "root", "model", "content"] if stream.model == DELETIONS else [way] if way else []
        return self._client.search(stream.model, domain, [STAMP, *more], order=(STAMP, "id"), limit=PAGE)

    def _news(self, stream: Stream, records: Sequence[Fields]) -> list[Fields]:
        """The records that this instance has not seen with this stamp."""
        return [each for each in records if self._seen.is_news(stream.name, *_marked(each))]

    def _documents(self, stream: Stream, news: Sequence[Fields]) -> list[Document]:
        if stream.model == DELETIONS:
            gone = [stream.root.deleted(each) for each in news if each["model"] == stream.root.model]
            touched = {_number(each["root"]) for each in news} - {int(each.id) for each in gone}
            return [each for each in (*gone, *self._whole(stream.root, touched)) if self._is_news(each)]
        ids = {_owner(each, stream.way) for each in news}
        return [each for each in self._whole(stream.root, ids) if self._is_news(each)]

    def _whole(self, root: Root, ids: set[int]) -> list[Document]:
        """The documents of these records that are still there; a deletion tells of the others."""
        if not ids:
            return []
        wanted: list[Value] = [*sorted(ids)]
        buried = self._buried(root, wanted)
        records = self._client.search(root.model, [["id", "in", wanted]], [STAMP, *root.paths])
        return [root.document(each, buried.get(_number(each["id"]), 0)) for each in records]

    def _buried(self, root: Root, ids: list[Value]) -> Mapping[int, int]:
        """When a part of each record was last deleted."""
        domain: list[Value] = [["root_model", "=", root.model], ["root", "in", ids]]
        found = self._client.search(DELETIONS, domain, ["root", STAMP], order=(STAMP,))
        return {_number(each["root"]): instant_us(each[STAMP]) for each in found}

    def _is_news(self, document: Document) -> bool:
        mark = document.revision
        return self._emitted.is_news(document.type, document.id, mark, revision_time_us(mark))


def _marked(record: Fields) -> tuple[str, str, int]:
    """Id, stamp, and the stamp in UTC microseconds."""
    return str(record["id"]), str(record[STAMP]), instant_us(record[STAMP])


def _number(value: Value) -> int:
    return int(str(value))


def _owner(record: Fields, way: str) -> int:
    """The id of the record that a part belongs to."""
    found: Value = record
    for name in way.split(".") if way else ():
        found = found.get(name) if isinstance(found, dict) else None
    return _number(found["id"]) if isinstance(found, dict) else 0
