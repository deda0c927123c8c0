"""The form's records by full sweeps.

The API has no cursor of changes, and neither bulk edits nor the work of other scripts are pushed (contract sections
3 and 6). Pushes are quicker; a sweep is certain.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from connectors.contract import Batch, Position
from connectors.far_clock import TOLERANCE_S
from connectors.jiandaoyun import form
from connectors.jiandaoyun.client import PAGE, Client, cursor_behind
from connectors.jiandaoyun.documents import Reader, deleted
from connectors.jiandaoyun.position import Sweep
from connectors.overlap import Beat
from connectors.witnesses import GONE_TOGETHER, check_not_gone_back, witnesses
from schemas.document import Document
from schemas.identity import revision_time_us

OVERLAP_US = 7_200_000_000
"""Records stamped this little before what is certain are told again after a start: the vendor's clocks are many, and
one that went back for up to two hours while nobody looked must hide no change. A repeat has the same revision."""

CONFIRMED_PER_POLL = 20


class JianDaoYunSource:
    """One page of a sweep per poll.

    A poll waits no longer than it is told, a call of the API no longer than its own time-out. A record that vanished
    is noticed where this instance has itself seen it before, and asked for once more. After a sweep whose stamps
    could not be believed the next one tells every record, for a push may have put a wrong stamp above a right one.
    """

    def __init__(
        self,
        client: Client,
        reader: Reader,
        system: str,
        interval_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._reader = reader
        self._system = system
        self._beat = Beat(interval_s, clock)
        self._sweep = Sweep()
        self._known: dict[str, Document] = {}
        self._met: set[str] | None = None  # ids of this sweep, where it is ours from its start
        self._knows_all = False
        self._missing: list[str] = []
        self._checked = False
        self._doubtful = False  # whether stamps of this sweep cannot be believed
        self._tell_all = False

    def take_share(self, share: float) -> None:
        """See `connectors.contract.Paced`."""
        self._client.take_share(share)

    def open(self, position: Position | None) -> None:
        """See `connectors.contract.Source.open`; checks that the form has every field."""
        self._sweep = Sweep.parse(position)
        self._met = None if self._sweep.cursor else set()
        form.check(self._client.widgets())

    def poll(self, timeout: float) -> Batch | None:
        """See `connectors.contract.Source.poll`."""
        due = self._beat.wait(timeout)
        if self._beat.closed:
            return None
        if self._missing:
            return self._batch(self._gone())
        if not self._checked:
            self._check_not_gone_back()
        return self._next_page() if due else None

    def close(self) -> None:
        """Interrupt a waiting poll and close all connections. Safe twice."""
        self._beat.close()
        self._client.close()

    def _next_page(self) -> Batch | None:
        before = self._sweep
        if not before.cursor:
            self._beat.begin()
        records = self._client.page(before.cursor)
        documents = [self._reader.read(record) for record in records]
        if any(self._went_back(document) for document in documents):
            self._check_not_gone_back()
        news = [document for document in documents if self._is_news(document)]
        self._doubtful = self._doubtful or self._client.clock.wrong or any(map(self._is_doubtful, news))
        changed = documents if self._tell_all else news
        self._remember(documents)
        self._move(documents, cursor_behind(records, before.cursor) if len(records) == PAGE else "")
        if len(records) < PAGE:
            self._end_sweep()
        return self._batch(changed) if changed or self._sweep != before else None

    def _move(self, documents: Sequence[Document], cursor: str) -> None:
        """Stand behind the page; a record that cannot be read says nothing about the form's times."""
        clock, sweep = self._client.clock, self._sweep
        stamps = {each.id: revision_time_us(each.revision) for each in documents if not each.problem}
        if documents:
            moved = sweep.after_page(cursor, max(stamps.values(), default=0))
            sweep = replace(moved, witnesses=witnesses(sweep.witnesses, stamps, (), clock))
        self._sweep = sweep.not_beyond(clock.certain_us)

    def _went_back(self, document: Document) -> bool:
        known = self._known.get(document.id)
        if known is None or document.problem:
            return False
        return revision_time_us(document.revision) < revision_time_us(known.revision)

    def _is_doubtful(self, document: Document) -> bool:
        ahead_us = revision_time_us(document.revision) - self._client.clock.certain_us
        return ahead_us > TOLERANCE_S * 1_000_000 or self._went_back(document)

    def _check_not_gone_back(self) -> None:
        """Raises PositionRefused where the form was restored from an old backup."""
        there: dict[str, int] = {}
        for data_id, stamp in self._sweep.witnesses.items():
            record = self._client.record(data_id)
            if record is not None:
                document = self._reader.read(record)  # one that cannot be read is there, and says nothing against it
                there[data_id] = stamp if document.problem else revision_time_us(document.revision)
        check_not_gone_back(self._sweep.witnesses, there, self._client.clock)
        self._checked = True

    def _is_news(self, document: Document) -> bool:
        known = self._known.get(document.id)
        if known is not None:
            return known.revision != document.revision
        if self._knows_all or document.problem:  # new, or restored with its old stamp
            return True
        return revision_time_us(document.revision) >= self._sweep.done_us - OVERLAP_US

    def _remember(self, documents: Sequence[Document]) -> None:
        self._known.update((document.id, document) for document in documents)
        if self._met is not None:
            self._met.update(document.id for document in documents)

    def _end_sweep(self) -> None:
        if self._met is not None:
            self._missing = [data_id for data_id in self._known if data_id not in self._met]
            self._knows_all = True
        if len(self._missing) >= GONE_TOGETHER:
            self._check_not_gone_back()
        self._tell_all, self._doubtful = self._doubtful, False
        self._met = set()
        self._sweep = self._sweep.ended()
        self._beat.end()

    def _gone(self) -> Sequence[Document]:
        """The deleted ones among the next few missing ids; one that is there after all comes with the next sweep."""
        asked, self._missing = self._missing[:CONFIRMED_PER_POLL], self._missing[CONFIRMED_PER_POLL:]
        absent = [data_id for data_id in asked if self._client.record(data_id) is None]
        left = witnesses(self._sweep.witnesses, {}, absent, self._client.clock)
        self._sweep = replace(self._sweep, witnesses=left)
        return [deleted(self._known.pop(data_id)) for data_id in absent]

    def _batch(self, documents: Sequence[Document]) -> Batch:
        return Batch(documents, self._sweep.position(), complete=self._sweep.backfilled, system=self._system)
