"""Changes of one company by polling: header by header, part by part, then deletions, each by stamp and id.

A part's change need not touch its header, and a stamp is its transaction's start (contract section 8): every model
is asked, each look goes back a little, and what was emitted with the same revision is not emitted again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from connectors.contract import Batch, Position
from connectors.overlap import Beat, Look, Told
from connectors.tryton.ahead import Ahead
from connectors.tryton.checks import check_server
from connectors.tryton.client import Client
from connectors.tryton.position import look_of, place_of
from connectors.tryton.records import Records, Stream, reads_whole, streams_of
from connectors.tryton.roots import DELETIONS, STAMP, Root
from connectors.tryton.wire import instant_us, plain, plain_record
from schemas.document import Document, Fields, Value
from schemas.identity import revision_time_us


class TrytonSource:
    """Pages of one model after the other, until one holds news; a poll waits no longer than it is told."""

    def __init__(
        self,
        client: Client,
        roots: Sequence[Root],
        system: str,
        company: int,
        page_size: int,
        interval_s: float,
        overlap_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._system, self._page_size = client, system, page_size
        self._streams, self._clock = streams_of(roots), clock
        self._beat, self._overlap_us = Beat(interval_s, clock), int(overlap_s * 1_000_000)
        self._records = Records(client, company, self._overlap_us)
        self._ahead: Ahead[list[Fields]] = Ahead("tryton-ahead")
        self._look, self._given = Look(), Look()
        self._seen, self._emitted = Told(), Told()

    def open(self, position: Position | None) -> None:
        """See `connectors.contract.Source.open`; checks that the server is the one that is meant."""
        self._look = self._given = look_of(position)
        paths = [path for stream in self._streams for path in stream.root.fields]
        check_server(self._client, (stream.model for stream in self._streams), paths)

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
        self._ahead.close()

    def _next_page(self) -> Batch | None:
        stream, look = self._running(), self._look
        typed = self._ahead.answer(self._records.page(stream, look, self._page_size))
        self._move_behind(stream, typed)
        documents = self._documents(stream, look, self._news(stream, map(plain_record, typed)))
        ahead_us = self._look.since_us - self._given.since_us
        moved = ahead_us >= self._overlap_us or len(typed) == self._page_size
        if not documents and not moved and self._look.backfilled == self._given.backfilled:
            return None
        self._given = self._look
        return Batch(documents, self._look.position(), self._look.backfilled, self._system)

    def _move_behind(self, stream: Stream, typed: Sequence[Fields]) -> None:
        """Go behind the last record, and ask at once for the page that then follows."""
        if typed:
            place = place_of(instant_us(plain(typed[-1][STAMP])), typed[-1]["id"])
            self._look = self._look.at(stream.name, place)
        if len(typed) < self._page_size:
            self._next_stream(stream)
        else:
            self._ahead.ask(self._records.page(stream, self._look, self._page_size))

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

    def _news(self, stream: Stream, records: Iterable[Fields]) -> list[Fields]:
        """The records that this instance has not seen with this stamp."""
        return [each for each in records if self._seen.is_news(stream.name, *_marked(each))]

    def _documents(self, stream: Stream, look: Look, news: Sequence[Fields]) -> list[Document]:
        if stream.model == DELETIONS:
            gone = [stream.root.deleted(each) for each in news if each["model"] == stream.root.model]
            touched = {int(str(each["root"])) for each in news} - {int(each.id) for each in gone}
            found = [*gone, *self._records.whole(stream.root, touched)]
        elif reads_whole(stream, look):
            found = [stream.root.document(each) for each in news]
        else:
            found = self._records.whole(stream.root, {_owner(each, stream.way) for each in news})
        return [each for each in found if self._is_news(each)]

    def _is_news(self, document: Document) -> bool:
        mark = document.revision
        return self._emitted.is_news(document.type, document.id, mark, revision_time_us(mark))


def _marked(record: Fields) -> tuple[str, str, int]:
    """Id, stamp, and the stamp in UTC microseconds."""
    return str(record["id"]), str(record[STAMP]), instant_us(record[STAMP])


def _owner(record: Fields, way: str) -> int:
    """The id of the record that a part belongs to."""
    found: Value = record
    for name in way.split(".") if way else ():
        found = found.get(name) if isinstance(found, dict) else None
    return int(str(found["id"])) if isinstance(found, dict) else 0
