"""A client of the Confluent schema registry API, for buses that share their topics with other programs.

Subjects are named after the topic (`crm.orders-value`). What was learnt is kept for ever: an id never changes its
meaning, and a first question costs up to 350 ms.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

import httpx

from schemas.catalog import Schema, schema
from schemas.codec import CodecError

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
COMPATIBILITY = "FULL_TRANSITIVE"


class RegistryError(Exception):
    """The registry refused, or could not be reached; the message says which request and why."""


class Registry:
    """Schema ids as one registry gives them (`wire.SchemaIds`)."""

    def __init__(self, url: str, client: httpx.Client | None = None) -> None:
        self._client = client or httpx.Client(timeout=10.0)
        self._url = url.rstrip("/")
        self._written: dict[str, int] = {}
        self._read: dict[int, Mapping[str, Schema]] = {}

    def register(self, topic: str, record: str) -> int:
        """Make `record` the value schema of `topic` under FULL_TRANSITIVE and remember the id to write it with.

        Raises RegistryError where an earlier version in the registry is incompatible.
        """
        subject = f"{topic}-value"
        self._call("PUT", f"/config/{subject}", {"compatibility": COMPATIBILITY})
        answer = self._call("POST", f"/subjects/{subject}/versions", {"schema": json.dumps(schema(record))})
        found = answer.get("id")
        if not isinstance(found, int):
            raise RegistryError(f"{self._url}: no answer of a schema registry to {subject}: {answer}")
        self._written[record] = found
        return found

    def id_of(self, record: str) -> int:
        """See wire.SchemaIds. Raises RegistryError for a record that was not registered first."""
        if record not in self._written:
            raise RegistryError(f"{record} was not registered with {self._url}: run `lineshaft topics apply`")
        return self._written[record]

    def schema_of(self, schema_id: int) -> Mapping[str, Schema]:
        """See wire.SchemaIds."""
        if schema_id not in self._read:
            try:
                answer = self._call("GET", f"/schemas/ids/{schema_id}", None)
                found = json.loads(str(answer.get("schema")))
            except (RegistryError, ValueError) as error:
                raise CodecError(
                    f"schema id {schema_id} is not shipped and the registry has no answer: {error}"
                ) from error
            if not isinstance(found, dict):
                raise CodecError(f"schema id {schema_id} is not shipped; the registry says it is {found}, no record")
            self._read[schema_id] = cast("Mapping[str, Schema]", found)
        return self._read[schema_id]

    def _call(self, method: str, path: str, body: Mapping[str, str] | None) -> Mapping[str, Schema]:
        try:
            answer = self._client.request(method, self._url + path, json=body, headers={"Content-Type": CONTENT_TYPE})
        except httpx.TransportError as error:
            raise RegistryError(f"{method} {self._url}{path}: not reachable ({error})") from error
        if answer.status_code != httpx.codes.OK:
            raise RegistryError(f"{method} {self._url}{path}: HTTP {answer.status_code} {answer.text[:300]}")
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise RegistryError(
                f"{method} {self._url}{path}: no answer of a schema registry ({answer.text[:300]!r}); is the address "
                "under `registry:` that of its Confluent API?"
            )
        return cast("Mapping[str, Schema]", found)
