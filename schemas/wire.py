"""What stands on the wire: Confluent framing around Avro, CloudEvents headers (Kafka binding), W3C traceparent.

A message is one zero byte, four bytes of schema id and the Avro bytes. A shipped schema has a deterministic id, the
fingerprint of its text, so that no registry is needed between our own processes; any other id is asked of the
registry where one is configured.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Protocol, TypeAlias

from schemas.catalog import NAMESPACE, Schema, history, record_names, schema
from schemas.codec import CodecError, Decoder, Encoder, codec
from schemas.event import Event, Record

Headers: TypeAlias = list[tuple[str, str | bytes | None]]

FRAME = struct.Struct(">bI")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TRACEPARENT = "traceparent"
DEFINITION = "ce_definition"  # a CloudEvents extension: the activation that made the event
VERSION = "ce_version"  # a CloudEvents extension: the bus's version of the subject
REVISION = "ce_revision"  # a CloudEvents extension: the far system's revision of the subject
FETCHED = "ce_fetched"  # a CloudEvents extension: when the source's owner began to read it, UTC microseconds
BACKFILL = "ce_backfill"  # a CloudEvents extension: read by the backfill of a source's first start
CARRIED = (TRACEPARENT, DEFINITION, REVISION, FETCHED, BACKFILL)


class SchemaIds(Protocol):
    """Which id a record is written with, and which schema an id of somebody else stands for."""

    def id_of(self, record: str) -> int:
        """The id to write `record` with. Raises registry.RegistryError where a registry gives none."""
        ...

    def schema_of(self, schema_id: int) -> Mapping[str, Schema]:
        """The schema behind a foreign id. Raises CodecError where nobody knows it, RegistryAway for "not now"."""
        ...


def fingerprint(text_of: Mapping[str, Schema]) -> int:
    """The deterministic id of a schema: the first 31 bits of the SHA-256 of its compact text."""
    text = json.dumps(text_of, sort_keys=True, separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") & 0x7FFFFFFF


@cache
def fingerprint_id(record: str) -> int:
    """The id of today's schema of a shipped record."""
    return fingerprint(schema(record))


@cache
def _shipped() -> Mapping[int, Mapping[str, Schema]]:
    """Every version that was ever released and today's: the topics hold records of all of them."""
    versions = [version for record in record_names() for version in (*history(record).values(), schema(record))]
    return {fingerprint(version): version for version in versions}


class ShippedSchemas:
    """Schema ids without a registry: only shipped schemas are known."""

    def id_of(self, record: str) -> int:
        """See SchemaIds."""
        return fingerprint_id(record)

    def schema_of(self, schema_id: int) -> Mapping[str, Schema]:
        """See SchemaIds."""
        if schema_id not in _shipped():
            raise CodecError(f"schema id {schema_id} is not shipped and no registry is configured")
        return _shipped()[schema_id]


class Reader:
    """Decodes framed records of one name; only the fields in `reads` where given."""

    def __init__(self, record: str, reads: Collection[str] | None = None, ids: SchemaIds | None = None) -> None:
        self._record = record
        self._reads = None if reads is None else frozenset(reads)
        self._ids = ids or ShippedSchemas()
        self._decoders: dict[int, Decoder] = {}

    def __call__(self, data: bytes | None) -> Record:
        """The record in a message's value. Raises CodecError for anything else."""
        if data is None or len(data) < FRAME.size:
            raise CodecError(f"no {self._record}: {'a tombstone' if data is None else f'{len(data)} bytes'}")
        magic, schema_id = FRAME.unpack_from(data)
        if magic != 0:
            raise CodecError(f"no {self._record}: the first byte is {magic}, not 0 (Confluent framing)")
        decoder = self._decoders.get(schema_id) or self._learn(schema_id)
        return decoder(data[FRAME.size :])

    def _learn(self, schema_id: int) -> Decoder:
        writer = _shipped().get(schema_id) or self._ids.schema_of(schema_id)
        if writer.get("name") != self._record:
            raise CodecError(f"no {self._record}: schema id {schema_id} is a {writer.get('name')}")
        self._decoders[schema_id] = codec().decoder(writer, self._reads)
        return self._decoders[schema_id]


class Writer:
    """Encodes framed records of one name."""

    def __init__(self, record: str, ids: SchemaIds | None = None) -> None:
        self._frame = FRAME.pack(0, (ids or ShippedSchemas()).id_of(record))
        self._encode: Encoder = codec().encoder(record)

    def __call__(self, value: Record) -> bytes:
        """The message value. Raises CodecError for a record that the schema does not allow."""
        return self._frame + self._encode(value)


def iso_instant(time_us: int) -> str:
    """RFC 3339 text, UTC, of microseconds since 1970. Raises ValueError outside the years 1 to 9999."""
    try:
        instant = EPOCH + timedelta(microseconds=time_us)
    except OverflowError as error:
        raise ValueError(f"{time_us} microseconds since 1970 are in no year from 1 to 9999") from error
    return instant.isoformat(timespec="microseconds").replace("+00:00", "Z")


def instant_us(text: str) -> int:
    """Microseconds since 1970 of RFC 3339 text. Raises ValueError for other text, also without an offset."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"the instant {text!r} has no offset")
    return (instant - EPOCH) // timedelta(microseconds=1)


def new_traceparent() -> str:
    """A W3C trace context for an event that nothing on the bus triggered."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def headers_of(event: Event) -> Headers:
    """The CloudEvents headers of an event (binary content mode), with what it carries from its trigger."""
    named = {
        "ce_specversion": "1.0",
        "ce_id": event.id,
        "ce_type": f"{NAMESPACE}.{event.record}",
        "ce_source": event.source,
        "ce_time": iso_instant(event.time_us),
        "ce_subject": event.subject,
        "ce_partitionkey": event.key,
        VERSION: str(event.version),
        "content-type": "application/avro",
        **{name: event.headers[name] for name in CARRIED if name in event.headers},
    }
    return [(name, text.encode()) for name, text in named.items()]


def header_texts(headers: Mapping[str, str | bytes | None] | Headers | None) -> dict[str, str]:
    """A message's headers as text, the last of a name winning; bytes that are no UTF-8 are shown escaped."""
    found = headers.items() if isinstance(headers, Mapping) else headers or ()
    return {
        name: value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value or ""
        for name, value in found
    }


def event_of(record: str, value: Record, headers: Mapping[str, str]) -> Event:
    """The event in a message: its decoded value and its headers. Raises CodecError where a header is missing."""
    try:
        return Event(
            record=record,
            key=headers["ce_partitionkey"],
            subject=headers["ce_subject"],
            id=headers["ce_id"],
            source=headers["ce_source"],
            time_us=instant_us(headers["ce_time"]),
            version=int(headers[VERSION]),
            value=value,
            headers=headers,
        )
    except KeyError as missing:
        raise CodecError(f"no event: the header {missing} is missing") from missing
    except ValueError as error:
        raise CodecError(f"no event: a header is wrong ({error})") from error
