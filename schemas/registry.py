"""A client of the Confluent schema registry API, for buses that share their topics with other programs.

A record has one subject of its own, its full name (`lineshaft.SalesOrder`), and is the value schema of its topics
(`crm.orders-value`) for tools that look there. An id stands for a schema's text, so that it is the same under all of
them. What was learnt is kept for ever: an id never changes its meaning, and a first question costs up to 350 ms.

RegistryError       it refused, or it is none; a person changes something
├── RegistryAway    it does not answer now; nothing is wrong with the record that needs it
└── NotFound        it has no such subject, schema or id
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import cast

import httpx

from schemas.catalog import NAMESPACE, Schema, schema
from schemas.codec import CodecError

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
COMPATIBILITY = "FULL_TRANSITIVE"
TIMEOUT_S = 10.0
NOT_NOW = frozenset({408, 429, 500, 502, 503, 504})


class RegistryError(Exception):
    """The registry refused; the message says which request and why."""


class RegistryAway(RegistryError, ConnectionError):
    """The registry could not be reached or cannot answer now; the same question may get an answer later."""


class NotFound(RegistryError):
    """The registry has no such subject, schema or id."""


class Registry:
    """Schema ids as one registry gives them (`wire.SchemaIds`)."""

    def __init__(self, url: str, client: httpx.Client | None = None) -> None:
        # the few questions come long apart: a connection that is kept would only be found dead
        self._client = client or httpx.Client(timeout=TIMEOUT_S, limits=httpx.Limits(max_keepalive_connections=0))
        self._url = url.rstrip("/")
        self._written: dict[str, int] = {}
        self._read: dict[int, Mapping[str, Schema]] = {}

    def register(self, record: str, topics: Iterable[str] = ()) -> int:
        """Make `record` known by its name and as the value of `topics` (names on the cluster); the id to write.

        Every subject is put under FULL_TRANSITIVE first. Raises RegistryError where an earlier version in the
        registry is incompatible.
        """
        for subject in (*(f"{topic}-value" for topic in topics), _own_subject(record)):
            self._call("PUT", f"/config/{subject}", {"compatibility": COMPATIBILITY})
            self._written[record] = self._id("POST", f"/subjects/{subject}/versions", record)
        return self._written[record]

    def id_of(self, record: str) -> int:
        """See wire.SchemaIds. Raises RegistryError for a record that was not registered first."""
        if record not in self._written:
            try:
                self._written[record] = self._id("POST", f"/subjects/{_own_subject(record)}", record)
            except NotFound as error:
                raise RegistryError(
                    f"today's {record} was not registered with {self._url}: run `lineshaft topics apply`"
                ) from error
        return self._written[record]

    def schema_of(self, schema_id: int) -> Mapping[str, Schema]:
        """See wire.SchemaIds. Raises RegistryAway where the registry cannot be asked now."""
        if schema_id not in self._read:
            try:
                found = json.loads(str(self._call("GET", f"/schemas/ids/{schema_id}", None).get("schema")))
            except (NotFound, ValueError) as error:
                raise CodecError(
                    f"schema id {schema_id} is not shipped and the registry has no answer: {error}"
                ) from error
            if not isinstance(found, dict):
                raise CodecError(f"schema id {schema_id} is not shipped; the registry says it is {found}, no record")
            self._read[schema_id] = cast("Mapping[str, Schema]", found)
        return self._read[schema_id]

    def _id(self, method: str, path: str, record: str) -> int:
        answer = self._call(method, path, {"schema": json.dumps(schema(record))})
        found = answer.get("id")
        if not isinstance(found, int):
            raise RegistryError(f"{method} {self._url}{path}: no answer of a schema registry: {answer}")
        self._read[found] = schema(record)  # our own records are read without asking again
        return found

    def _call(self, method: str, path: str, body: Mapping[str, str] | None) -> Mapping[str, Schema]:
        try:
            answer = self._client.request(method, self._url + path, json=body, headers={"Content-Type": CONTENT_TYPE})
        except httpx.TransportError as error:
            raise RegistryAway(f"{method} {self._url}{path}: not reachable ({error})") from error
        if answer.status_code != httpx.codes.OK:
            kind = RegistryAway if answer.status_code in NOT_NOW else REFUSALS.get(_error_code(answer), RegistryError)
            raise kind(f"{method} {self._url}{path}: HTTP {answer.status_code} {answer.text[:300]}")
        found = _json(answer)
        if not isinstance(found, dict):
            raise RegistryError(
                f"{method} {self._url}{path}: no answer of a schema registry ({answer.text[:300]!r}); is the address "
                "under `registry:` that of its Confluent API?"
            )
        return cast("Mapping[str, Schema]", found)


REFUSALS: Mapping[int | None, type[RegistryError]] = {
    40401: NotFound,  # no such subject
    40402: NotFound,  # no such version
    40403: NotFound,  # no such schema
}
"""What the code in the body means; a bare 404 is a wrong address, not an unknown schema."""


def _error_code(answer: httpx.Response) -> int | None:
    body = _json(answer)
    return body.get("error_code") if isinstance(body, dict) else None


def _json(answer: httpx.Response) -> object:
    try:
        return cast("object", answer.json())
    except ValueError:
        return None


def _own_subject(record: str) -> str:
    return f"{NAMESPACE}.{record}"
