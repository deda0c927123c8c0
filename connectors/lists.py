"""Lists of records behind an API, as an administrator or a connector declares them, read as documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator

from connectors.api import Api, rows_at
from connectors.config import Settings, UrlPath
from connectors.errors import ConfigError, DataError
from connectors.json_path import at, text_at
from connectors.paging import Link
from connectors.paging_settings import Paging, WholePaging
from connectors.polling import Found
from connectors.record_fields import Shape, Times, content, instant_us, moment
from schemas.document import Document, Value
from schemas.identity import content_hash, revision

SINCE = "{since}"
NOT_DELETED = (None, False, 0, "", "0", "false")


class Listed(Settings):
    """How the records of one kind are read."""

    path: UrlPath = Field(min_length=1, description="Path of the list, behind url.")
    method: Literal["GET", "POST"] = Field(default="GET", description="POST sends the query as a JSON object.")
    query: Mapping[str, str] = Field(default={}, description="Parameters of every call.")
    headers: Mapping[str, str] = Field(default={}, description="Headers of every call.")
    since: Mapping[str, str] = Field(
        default={},
        description="Parameters that ask for what changed since a moment, {since} in them; without, all is read.",
    )
    rows: str = Field(default="", description="Where the list is in the answer, e.g. value; else it is the answer.")
    id: str = Field(default="id", description="Where a record's own id is.")
    changed: str = Field(min_length=1, description="Where the moment of a record's last change is.")
    deleted: str = Field(default="", description="Where a record says that it is deleted: not false, 0 or nothing.")
    paging: Paging = Field(default=WholePaging(type="whole"), description="How the list comes in pages.")
    fields: Shape = Field(min_length=1, description="The fields to read: name: kind, or name: {kind, at, fields}.")

    @model_validator(mode="after")
    def _since_is_used(self) -> Self:
        if self.since and not any(SINCE in text for text in self.since.values()):
            raise ValueError(f"since names no {SINCE}: write it where the moment belongs, or leave since away")
        return self


@dataclass(frozen=True)
class Pages:
    """The pages of one list: a `connectors.polling.Listing`. `url` is the API's own address, which `api` calls."""

    api: Api
    url: str
    kind: str
    listed: Listed
    times: Times

    def __call__(self, place: str, since_us: int) -> Found:
        """See `connectors.polling.Listing`. Raises ConfigError where the API never takes the question."""
        listed, pager = self.listed, self.listed.paging.pager(f"{self.url}{self.listed.path}")
        ask = pager.ask(place)
        usual = {} if ask.url else {**listed.query, **self._changed(since_us), **dict(ask.query)}
        query, body = (None, usual) if listed.method == "POST" and not ask.url else (usual, None)
        try:
            answer = self.api.call("reads", listed.method, ask.url or listed.path, query, body, listed.headers)
        except DataError as error:
            remedy = "Compare path and query with the vendor's documents."
            raise ConfigError(f"reads.{self.kind}", f"{error}.", remedy) from error
        rows = rows_at(answer, listed.rows)
        resume = pager.resume(answer) if isinstance(pager, Link) else ""
        return Found([self._document(row) for row in rows], pager.following(place, answer, rows), resume)

    def _changed(self, since_us: int) -> Mapping[str, str]:
        since = moment(since_us, self.times)
        return {name: text.replace(SINCE, since) for name, text in self.listed.since.items()} if since_us else {}

    def _document(self, row: Value) -> Document:
        """The document of a row, also of one that cannot be read: that one says why and holds it as it came."""
        listed, known_as = self.listed, text_at(row, self.listed.id)
        deleted, stamp = bool(listed.deleted) and at(row, listed.deleted) not in NOT_DELETED, at(row, listed.changed)
        try:
            if not known_as:
                raise DataError(f"the record has no id at {listed.id}")
            if deleted and stamp is None:  # a bare mark, as lists of changes have
                return Document(self.kind, known_as, revision(self.api.clock.latest_us, {}), {}, deleted)
            values = content(listed.fields, row, self.times)
            return Document(self.kind, known_as, revision(instant_us(stamp, self.times), values), values, deleted)
        except DataError as error:
            held = row if isinstance(row, Mapping) else {"value": row}
            known_as = known_as or f"without-id-{content_hash(held)}"
            return Document(self.kind, known_as, revision(0, held), held, deleted, str(error))
