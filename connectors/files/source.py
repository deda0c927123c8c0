"""A drop folder as a source: each file once, row by row, then moved to done/."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from connectors.contract import Batch, Position
from connectors.files.documents import document_of, unreadable
from connectors.files.folder import Folder, Found
from connectors.files.position import Progress
from connectors.files.reading import rows
from connectors.files.rows import Unreadable
from connectors.overlap import Beat
from schemas.document import Document

ROWS_PER_BATCH = 500
SYSTEM = "files"


@dataclass(frozen=True)
class Reading:
    """A file that is being read: what it is and the documents still to come, each with its line."""

    found: Found
    rest: Iterator[tuple[int, Document]]


class FilesSource:
    """At most 500 rows of one file per poll.

    A file is moved away by the poll after the one that finished it, for then the position that names it is kept.
    """

    def __init__(self, folder: Folder, interval_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._beat = Beat(interval_s, clock)
        self._progress = Progress()
        self._reading: Reading | None = None
        self._ready: list[str] = []

    def open(self, position: Position | None) -> None:
        """See `connectors.contract.Source.open`. Raises ConfigError where the folder cannot be used."""
        self._progress = Progress.parse(position)
        self._folder.check()
        self._put_away()
        self._resume()
        self._replay()

    def poll(self, timeout: float) -> Batch | None:
        """See `connectors.contract.Source.poll`."""
        if self._beat.closed:
            return None
        self._put_away()
        if self._reading is None and not self._ready:
            batch = self._look(timeout)
            if batch is not None or not self._ready:
                return batch
        if self._reading is None and not self._begin(self._ready.pop(0)):
            return None
        return self._next_rows()

    def close(self) -> None:
        """Interrupt a waiting poll and let go of the folder. Safe twice."""
        self._beat.close()
        self._folder.close()

    def _look(self, timeout: float) -> Batch | None:
        """Look for files when it is time; the first look that finds none ends the backfill."""
        if not self._beat.wait(timeout):
            return None
        self._progress = replace(self._progress, replay=None)
        self._beat.begin()
        self._beat.end()
        ready, more = self._folder.look()
        self._ready = list(ready)
        if ready or more or self._progress.backfilled:
            return None
        self._progress = replace(self._progress, backfilled=True)
        return self._batch([])

    def _begin(self, name: str) -> bool:
        """Start to read a file; says whether it is still there."""
        found = self._folder.read(name)
        if found is None:
            return False
        self._progress = self._progress.at(name, found.content_hash, 0)
        self._reading = Reading(found, _documents(found, after=0))
        return True

    def _resume(self) -> None:
        """Go on behind the last emitted line; a file that changed since is read from its start, as a new one."""
        if not self._progress.file:
            return
        found = self._folder.read(self._progress.file)
        if found is not None and found.content_hash == self._progress.content:
            self._reading = Reading(found, _documents(found, after=self._progress.line))
        else:
            self._progress = self._progress.at("", "", 0)

    def _replay(self) -> None:
        """A first start, as of a bus that lost everything, reads what was put away once more, the oldest first."""
        if self._progress.replay is not None:
            names = list(self._folder.finished())
            last = self._progress.file or self._progress.replay
            self._ready = names[names.index(last) + 1 :] if last in names else names

    def _next_rows(self) -> Batch | None:
        if self._reading is None:
            return None
        found = self._reading.found
        numbered = list(itertools.islice(self._reading.rest, ROWS_PER_BATCH))
        if numbered:
            self._progress = self._progress.at(found.name, found.content_hash, numbered[-1][0])
        if len(numbered) < ROWS_PER_BATCH:
            self._progress = self._progress.after_file()
            self._reading = None
        return self._batch([document for _, document in numbered])

    def _put_away(self) -> None:
        """Move the files that the last position names as finished."""
        for name, content in self._progress.finished.items():
            self._folder.put_away(name, content)
        self._progress = replace(self._progress, finished={})

    def _batch(self, documents: Sequence[Document]) -> Batch:
        return Batch(documents, self._progress.position(), self._progress.backfilled, SYSTEM)


def _documents(found: Found, after: int) -> Iterator[tuple[int, Document]]:
    """The documents behind a line; where the file cannot be read (any further) one that says so comes last."""
    table, last = found.table, after
    try:
        for row in rows(found.shown, found.content, list(table.places().values()), table.delimiter):
            if row.line > after:
                last = row.line
                yield row.line, document_of(table, found.shown, found.mtime_us, row)
    except Unreadable as error:
        yield last, unreadable(table, found.shown, found.mtime_us, f"{found.shown}: {error}")
