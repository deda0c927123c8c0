"""Documents into declared records: never two for one key, never an older version over a newer one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from connectors.api import Api, rows_at
from connectors.classification import Missing
from connectors.contract import Rejection
from connectors.errors import DataError, TransientError
from connectors.json_path import text_at
from connectors.record_fields import wire
from connectors.rest.config import ID, KEY, LookUp, RestConfig, Writing
from connectors.settling import one_by_one, until_known
from schemas.document import Document, Fields, Value
from schemas.identity import content_hash

REPEATS = uuid.UUID("c3b3a3a6-7c5f-5a52-9f0b-2f1f2f0b7c11")
"""Namespace of the texts that tell a repeat: one per document and content."""


@dataclass(frozen=True)
class Stored:
    """What the far system holds for our key: its path, its content, and its ETag where it has one."""

    path: str
    record: Value
    etag: str = ""


class RestSink:
    """Writes documents of every declared kind, one call each beside the look-up."""

    def __init__(self, config: RestConfig) -> None:
        self._config, self._api = config, Api(config)

    def take_share(self, share: float) -> None:
        """See `connectors.contract.Paced`."""
        self._api.take_share(share)

    def open(self) -> None:
        """See `connectors.contract.Sink.open`."""
        self._api.probe()

    def write(self, documents: Sequence[Document]) -> Sequence[Rejection]:
        """See `connectors.contract.Sink.write`."""
        return one_by_one(documents, lambda index, document: self._write(document))

    def close(self) -> None:
        """Close all connections. Safe twice."""
        self._api.close()

    def _write(self, document: Document) -> None:
        writing = self._config.writes.get(document.type)
        if writing is None:
            raise DataError(f"{document.type} is none of the kinds under writes: {', '.join(self._config.writes)}")
        if document.deleted or not document.id:
            raise DataError(f"{document.type} {document.id}: what is deleted or has no id is not written")
        body = wire(writing.fields, document.fields, self._config.times)
        until_known(lambda: self._bring_about(writing, document, body), f"{document.type} {document.id}")

    def _bring_about(self, writing: Writing, document: Document, body: Fields) -> None:
        """Look, compare and write."""
        stored = self._stored(writing, document)
        if stored is None or not self._is_newer(writing, document, stored.record):
            self._send(writing, document, body, stored)

    def _stored(self, writing: Writing, document: Document) -> Stored | None:
        if writing.look_up is not None:
            return self._found(writing, writing.look_up, document)
        path = filled(writing.path, document.id)
        if not writing.version:
            return None
        try:
            answer = self._api.call("reads", "GET", path, headers=writing.headers)
        except Missing:
            return None
        return Stored(path, answer.body, answer.headers.get("ETag", ""))

    def _found(self, writing: Writing, look_up: LookUp, document: Document) -> Stored | None:
        query = {name: text.replace(ID, document.id) for name, text in look_up.query.items()}
        place = filled(look_up.path, document.id)
        rows = rows_at(self._api.call("reads", "GET", place, query, headers=writing.headers), look_up.rows)
        keys = [text_at(row, look_up.key) for row in rows]
        if len(keys) > 1:
            raise DataError(f"{document.type} {document.id} is there {len(keys)} times ({', '.join(keys)}): keep one")
        if "" in keys:
            raise TransientError(f"{look_up.path} found a record without its id at {look_up.key}")
        return Stored(filled(writing.path, document.id, keys[0]), rows[0]) if rows else None

    def _is_newer(self, writing: Writing, document: Document, record: Value) -> bool:
        """Whether what stands there is of this version or a later one; versions sort as text of equal length."""
        if not writing.version:
            return False
        ours, place = str(document.fields.get(writing.version)), writing.fields[writing.version].at
        theirs = text_at(record, place or writing.version)
        return theirs.rjust(len(ours), "0") >= ours.rjust(len(theirs), "0")

    def _send(self, writing: Writing, document: Document, body: Fields, stored: Stored | None) -> None:
        headers: dict[str, str] = dict(writing.headers)
        if writing.idempotency_header:
            said = f"{document.type}/{document.id}/{content_hash(body)}"
            headers[writing.idempotency_header] = str(uuid.uuid5(REPEATS, said))
        if stored is None and writing.create:
            self._api.call("writes", "POST", writing.create, None, {**body, writing.key_field: document.id}, headers)
            return
        if writing.version and writing.look_up is None:
            headers.update({"If-None-Match": "*"} if stored is None else conditional(stored.etag))
        path = stored.path if stored else filled(writing.path, document.id)
        self._api.call("writes", writing.method, path, None, body, headers)


def conditional(etag: str) -> Mapping[str, str]:
    """The header that lets only this state be overwritten (RFC 9110 13.1.1), where the far system names it."""
    return {"If-Match": etag} if etag else {}


def filled(path: str, id: str, key: str = "") -> str:
    """A path with our key and the far system's own in it, each one part of the path."""
    return path.replace(ID, quote(id, safe="")).replace(KEY, quote(key, safe=""))
