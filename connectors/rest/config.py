"""A REST API as an administrator declares it after its vendor's documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from connectors.api import ApiConfig
from connectors.config import Settings, UrlPath
from connectors.lists import Listed
from connectors.record_fields import Shape, Times

ID, KEY = "{id}", "{key}"


class LookUp(Settings):
    """How a record is found by our key."""

    path: UrlPath = Field(min_length=1, description="Path of the list, behind url; {id} is our key.")
    query: Mapping[str, str] = Field(description="Parameters that find it, {id} being our key.")
    rows: str = Field(default="", description="Where the list is in the answer.")
    key: str = Field(default="id", description="Where the far system's own id of the record is.")

    @model_validator(mode="after")
    def _asks_for_one(self) -> Self:
        if not any(ID in text for text in (self.path, *self.query.values())):
            raise ValueError(f"look_up names no {ID}: it would find every record; write it where our key belongs")
        return self


class Writing(Settings):
    """How documents of one kind are written: PUT to our id, or a look-up by our key and then POST or an update."""

    method: Literal["PUT", "PATCH", "POST"] = Field(default="PUT", description="The method that changes a record.")
    path: UrlPath = Field(min_length=1, description="Path of one record: {id} is our key, {key} its own id.")
    create: UrlPath = Field(default="", description="Path to POST a new record to; needs look_up.")
    look_up: LookUp | None = Field(default=None, description="How a record is found by our key before every write.")
    key_field: str = Field(default="", description="The field of a new record that holds our key, e.g. external_id.")
    version: str = Field(default="", description="The field of the bus's version: an older one is not written.")
    idempotency_header: str = Field("", description="Header of a text that is equal for a repeat.")
    headers: Mapping[str, str] = Field(default={}, description="Headers of every call.")
    fields: Shape = Field(min_length=1, description="The fields to write: name: kind, or name: {kind, at, fields}.")

    @model_validator(mode="after")
    def _makes_no_second_record(self) -> Self:
        if bool(self.create) != (self.look_up is not None):
            raise ValueError("create and look_up belong together: without a look-up a repeat makes a second record")
        if self.look_up is None and (self.method != "PUT" or ID not in self.path):
            raise ValueError(f"only PUT to a path with {ID} may be repeated: use it, or give create and look_up")
        if self.look_up is not None and KEY not in self.path:
            raise ValueError(f"path names no {KEY}: an update needs the id that look_up finds")
        if self.create and not self.key_field:
            raise ValueError("create needs key_field: a record without our key is never found again")
        if self.version and self.version not in self.fields:
            raise ValueError(f"version {self.version} is none of the fields: add it")
        return self


class RestConfig(ApiConfig):
    """One REST API with JSON."""

    reads: Mapping[str, Listed] = Field(default={}, description="Kinds of records that are read, by name.")
    writes: Mapping[str, Writing] = Field(default={}, description="Kinds of documents that are written, by name.")
    times: Times = Field(default="iso", description="How moments are written: iso, epoch_s or epoch_ms.")
    poll_interval_s: float = Field(default=10.0, gt=0, description="Seconds from one look for changes to the next.")
    overlap_s: float = Field(default=300.0, ge=1, description="Seconds that each look goes back.")

    @model_validator(mode="after")
    def _has_something_to_do(self) -> Self:
        if not self.reads and not self.writes:
            raise ValueError("neither reads nor writes: name a kind of records under one of them")
        twice = sorted(self.reads.keys() & self.writes.keys())
        if twice:
            raise ValueError(f"{', '.join(twice)} is both read and written: give what is written another name")
        return self
