"""The source, each promise broken alone."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from connectors.contract import Batch, Position
from connectors.errors import ConfigError, PositionRefused, TransientError
from schemas.document import Document, Value
from schemas.identity import revision, revision_time_us
from tests.conformance.broken.changes import Patch, around, batches, document, fetched, impatient, reading
from tests.conformance.shop import connector as shop
from tests.conformance.shop import far
from tests.conformance.shop.connector import ShopSource, Standing

FAR_FUTURE_US = 10**16


def the_first_start_reads_everything(patch: Patch) -> None:
    def walk(original: Callable[..., Batch], self: ShopSource, after: str) -> Batch:
        batch = original(self, after)
        return replace(batch, documents=batch.documents[1:])

    around(patch, ShopSource, "_walk", walk)


def the_backfill_is_complete_when_it_says_so(patch: Patch) -> None:
    told: set[int] = set()

    def poll(original: Callable[..., Batch | None], self: ShopSource, timeout: float) -> Batch | None:
        if id(self) in told:
            return original(self, timeout)
        told.add(id(self))
        return replace(self._batch([]), complete=True)

    around(patch, ShopSource, "poll", poll)


def a_change_is_told(patch: Patch) -> None:
    impatient(patch)
    fetched(patch, lambda self, documents: [])


def revisions_sort_in_the_order_of_changes(patch: Patch) -> None:
    def backwards(made: Document) -> Document:
        return replace(made, revision=revision(FAR_FUTURE_US - revision_time_us(made.revision), made.fields))

    document(patch, backwards)


def a_deletion_is_told(patch: Patch) -> None:
    impatient(patch)
    document(patch, lambda made: replace(made, deleted=False))


def a_deletion_while_the_bus_was_down_is_told(patch: Patch) -> None:
    impatient(patch)
    known: set[tuple[int, str]] = set()

    def told(self: ShopSource, documents: Sequence[Document]) -> Sequence[Document]:
        return [each for each in documents if not each.deleted or (id(self), each.id) in known]

    fetched(patch, told)


def the_same_record_is_the_same_document(patch: Patch) -> None:
    document(patch, lambda made: replace(made, revision=revision(time.time_ns() // 1000, made.fields)))


def documents_are_as_described(patch: Patch) -> None:
    reading(patch, lambda fields: {**fields, "surprise": 1})


def every_batch_names_the_far_system(patch: Patch) -> None:
    batches(patch, lambda batch: replace(batch, system=""))


def a_restart_from_every_position_loses_nothing(patch: Patch) -> None:
    def opened(original: Callable[..., None], self: ShopSource, position: Position | None) -> None:
        original(self, position)
        self._standing = replace(self._standing, seq=self._tip())

    around(patch, ShopSource, "open", opened)


def a_restart_in_the_middle_of_many_records_loses_nothing(patch: Patch) -> None:
    batches(patch, lambda batch: replace(batch, position={**batch.position, "walk": None, "complete": True}))


def a_position_never_goes_back(patch: Patch) -> None:
    numbers = itertools.count()

    def back(batch: Batch) -> Batch:
        rewound = bool(batch.documents) and next(numbers) % 2 == 1
        return replace(batch, position={**batch.position, "seq": 1}) if rewound else batch

    batches(patch, back)


def a_position_outlives_the_far_system(patch: Patch) -> None:
    impatient(patch)
    starts = itertools.count()
    lives: dict[str, int] = {"far": 0}

    def started(original: Callable[..., Any], self: far.Shop) -> Any:
        lives["far"] = next(starts)
        return original(self)

    def opened(original: Callable[..., None], self: ShopSource, position: Position | None) -> None:
        original(self, position)
        if position is not None and lives["far"]:
            self._standing = replace(self._standing, seq=self._tip())

    around(patch, far.Shop, "start", started)
    around(patch, ShopSource, "open", opened)


def a_foreign_position_is_refused(patch: Patch) -> None:
    def parsed(original: Callable[..., Standing], position: Position) -> Standing:
        try:
            return original(position)
        except PositionRefused:
            return Standing(0)

    around(patch, Standing, "parse", parsed)


def empty_polls_move_the_position(patch: Patch) -> None:
    impatient(patch)

    def news(original: Callable[..., Batch | None], self: ShopSource) -> Batch | None:
        before, batch = self._standing, original(self)
        if batch is not None and not batch.documents:
            self._standing = before
            return None
        return batch

    around(patch, ShopSource, "_news", news)


def passed_over(self: ShopSource) -> Batch:
    """Goes on at the tip, without reading what lies between."""
    self._standing = replace(self._standing, seq=self._tip())
    return self._batch([])


def a_lost_cursor_loses_nothing(patch: Patch) -> None:
    impatient(patch)
    patch.setattr(ShopSource, "_all_again", passed_over)


def a_lost_notice_is_found(patch: Patch) -> None:
    impatient(patch)
    patch.setattr(ShopSource, "_all_again", passed_over)


def believed(self: ShopSource, told: Callable[[Any], Document]) -> Batch | None:
    """What notices say of records, without a look at the records."""
    entries = self._client.get("changes", after=str(self._standing.seq))["entries"]
    if not entries:
        return None
    self._standing = replace(self._standing, seq=entries[-1]["seq"])
    return self._batch([told(each["was"]) for each in entries if each["id"]])


def a_repeated_notice_changes_nothing(patch: Patch) -> None:
    history: dict[str, list[Any]] = {}

    def told(record: Any) -> Document:
        states = history.setdefault(record["id"], [])
        repeated = record in states
        states.append(record)
        return shop.document_of(states[0] if repeated else record)

    patch.setattr(ShopSource, "_news", lambda self: believed(self, told))


def reordered_notices_leave_the_newest(patch: Patch) -> None:
    patch.setattr(ShopSource, "_news", lambda self: believed(self, shop.document_of))


def newer_only(patch: Patch) -> None:
    """Tells only what is stamped behind all that was told before, over restarts too."""
    newest = {"us": 0}

    def told(self: ShopSource, documents: Sequence[Document]) -> Sequence[Document]:
        news = [each for each in documents if revision_time_us(each.revision) > newest["us"]]
        newest["us"] = max([newest["us"], *(revision_time_us(each.revision) for each in news)])
        return news

    impatient(patch)
    fetched(patch, told)

    def walk(original: Callable[..., Batch], self: ShopSource, after: str) -> Batch:
        batch = original(self, after)
        newest["us"] = max([newest["us"], *(revision_time_us(each.revision) for each in batch.documents)])
        return batch

    around(patch, ShopSource, "_walk", walk)


def a_clock_ahead_hides_no_change(patch: Patch) -> None:
    newer_only(patch)


def a_clock_behind_hides_no_change(patch: Patch) -> None:
    newer_only(patch)


def every_page_boundary_is_read(patch: Patch) -> None:
    patch.setattr(shop, "PAGE", far.PAGE + 1)


def many_pages_are_read(patch: Patch) -> None:
    def walk(original: Callable[..., Batch], self: ShopSource, after: str) -> Batch:
        batch = original(self, after)
        if after:
            self._standing = replace(self._standing, walk=None, complete=True)
            return self._batch(batch.documents)
        return batch

    around(patch, ShopSource, "_walk", walk)


def titled(patch: Patch, change: Callable[[str], str]) -> None:
    """Titles are read as others."""
    reading(patch, lambda fields: {**fields, "title": change(str(fields["title"]))})


def every_text_is_read_as_it_was_entered(patch: Patch) -> None:
    titled(patch, lambda title: title.encode("latin-1", "replace").decode("latin-1"))


def any_text_is_read_as_it_was_entered(patch: Patch) -> None:
    titled(patch, str.strip)


def every_day_is_read_as_it_was_entered(patch: Patch) -> None:
    def local(day: Value) -> Value:
        return None if day is None else datetime.fromisoformat(str(day)).astimezone(UTC).date().isoformat()

    reading(patch, lambda fields: {**fields, "due": local(fields["due"])})


def every_moment_is_read_as_it_was(patch: Patch) -> None:
    def cut(moment: Value) -> Value:
        return None if moment is None else f"{str(moment)[:19]}+00:00"

    reading(patch, lambda fields: {**fields, "at": cut(fields["at"])})


def a_leap_second_stops_nothing(patch: Patch) -> None:
    def parsed(made: Document) -> Document:
        at = made.fields["at"]
        return (
            made if at is None else replace(made, fields={**made.fields, "at": str(datetime.fromisoformat(str(at)))})
        )

    document(patch, parsed)


def a_document_does_not_depend_on_the_machine(patch: Patch) -> None:
    titled(patch, lambda title: f"{title} {time.strftime('%Z')}")


def a_lost_push_is_read(patch: Patch) -> None:
    impatient(patch)

    def walk(original: Callable[..., Batch], self: ShopSource, after: str) -> Batch:
        return replace(original(self, after), documents=[])

    around(patch, ShopSource, "_walk", walk)


def a_source_comes_back_with_the_far_system(patch: Patch) -> None:
    def poll(original: Callable[..., Batch | None], self: ShopSource, timeout: float) -> Batch | None:
        try:
            return original(self, timeout)
        except TransientError as error:
            raise ConfigError("base_url", str(error), "Correct it.") from error

    around(patch, ShopSource, "poll", poll)
