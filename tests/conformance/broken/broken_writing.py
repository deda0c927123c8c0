"""The sink, each promise broken alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from connectors.contract import Rejection
from connectors.errors import DataError, UnknownOutcome
from connectors.pace import Pace
from schemas.document import Document, Fields, to_json
from tests.conformance.broken.changes import Patch, around
from tests.conformance.shop import client, far
from tests.conformance.shop.client import Client
from tests.conformance.shop.connector import ShopSink

Write = Callable[..., Sequence[Rejection]]


def written(patch: Patch, change: Callable[[Sequence[Document]], Sequence[Document]]) -> None:
    """Other documents are written than those that came."""
    around(patch, ShopSink, "write", lambda original, self, documents: original(self, change(documents)))


def settled(patch: Patch, settle: Callable[[Client, Document], None]) -> None:
    """One document is written in another way."""
    patch.setattr(ShopSink, "_settle", lambda self, document: settle(self._client, document))


def posted(calls: Client, document: Document) -> None:
    """Make a new order, whatever is there."""
    body: Fields = {**document.fields, "key": document.id}
    calls._http.post(f"{calls._base}/orders", content=to_json(body))


def what_is_written_is_held(patch: Patch) -> None:
    kept: list[tuple[Any, Document]] = []
    patch.setattr(ShopSink, "_settle", lambda self, document: kept.append((self._client, document)))

    def closed(original: Callable[..., None], self: ShopSink) -> None:
        for calls, document in kept:
            calls.put(document.id, document.fields)
        kept.clear()
        original(self)

    around(patch, ShopSink, "close", closed)


def a_newer_version_replaces_the_older(patch: Patch) -> None:
    def settle(calls: Client, document: Document) -> None:
        if not calls.get("orders", key=document.id)["orders"]:
            calls.put(document.id, document.fields)

    settled(patch, settle)


def unguarded(patch: Patch) -> None:
    """Neither the shop nor the sink compares versions."""

    def put(original: Callable[..., Any], self: far.Books, key: str, body: Any) -> Any:
        self._store.delete("orders", key)
        return original(self, key, body)

    around(patch, far.Books, "_guarded", put)


def an_older_version_never_wins(patch: Patch) -> None:
    unguarded(patch)


def the_last_of_one_document_wins(patch: Patch) -> None:
    written(patch, lambda documents: list({each.id: each for each in reversed(documents)}.values()))


def one_bad_document_stops_no_other(patch: Patch) -> None:
    def write(original: Write, self: ShopSink, documents: Sequence[Document]) -> Sequence[Rejection]:
        for rejection in original(self, documents):
            raise rejection.error
        return []

    around(patch, ShopSink, "write", write)


def a_locked_record_is_written_later(patch: Patch) -> None:
    patch.setattr(client, "CODES", {**client.CODES, "locked": DataError})


def nothing_may_be_written(patch: Patch) -> None:
    written(patch, lambda documents: [documents[0], *documents[1:]])


def every_size_of_a_write_is_held(patch: Patch) -> None:
    written(patch, lambda documents: documents[:5])


def every_text_is_written_as_it_is(patch: Patch) -> None:
    def ascii_only(document: Document) -> Document:
        title = str(document.fields["title"]).encode("ascii", "replace").decode()
        return replace(document, fields={**document.fields, "title": title})

    written(patch, lambda documents: [ascii_only(each) for each in documents])


def an_empty_text_is_written_or_refused(patch: Patch) -> None:
    def kept(document: Document) -> Document:
        return replace(document, fields={**document.fields, "title": document.fields["title"] or "as it was"})

    written(patch, lambda documents: [kept(each) for each in documents])


def every_day_is_written_as_it_is(patch: Patch) -> None:
    def local(document: Document) -> Document:
        day = document.fields["due"]
        due = None if day is None else datetime.fromisoformat(str(day)).astimezone(UTC).date().isoformat()
        return replace(document, fields={**document.fields, "due": due})

    written(patch, lambda documents: [local(each) for each in documents])


def a_repeated_write_changes_nothing(patch: Patch) -> None:
    settled(patch, posted)


def concurrent_writes_make_one_record(patch: Patch) -> None:
    def settle(calls: Client, document: Document) -> None:
        if not calls.get("orders", key=document.id)["orders"]:
            time.sleep(0.2)
            posted(calls, document)

    settled(patch, settle)


def concurrent_versions_leave_the_newest(patch: Patch) -> None:
    def settle(calls: Client, document: Document) -> None:
        time.sleep(0.1 * (5 - int(document.revision)))
        calls.put(document.id, document.fields)

    unguarded(patch)
    settled(patch, settle)


def a_lost_answer_makes_one_record(patch: Patch) -> None:
    def settle(calls: Client, document: Document) -> None:
        try:
            calls.put(document.id, document.fields)
        except UnknownOutcome:
            posted(calls, document)

    settled(patch, settle)


def a_silent_far_system_ends_a_write(patch: Patch) -> None:
    def settle(calls: Client, document: Document) -> None:
        try:
            calls.put(document.id, document.fields)
        except UnknownOutcome:
            return

    settled(patch, settle)


def the_rate_limit_is_kept(patch: Patch) -> None:
    patch.setattr(Pace, "wait", lambda self, endpoint: None)


def a_share_of_the_rate_limit_is_kept(patch: Patch) -> None:
    patch.setattr(ShopSink, "take_share", lambda self, share: None)
