"""The codec: Avro bytes to records and back, all numbers and times being ints.

A caller asks once for a decoder of the fields it reads or for an encoder, and then calls it per record. Behind the
interface is fastavro with the logical types taken off the schema (decimals stay unscaled ints, dates and instants
epoch ints): about half the cost of Decimal and datetime objects. A compiled codec can take its place.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Protocol, TypeAlias, cast

import fastavro
import fastavro.read
import fastavro.write
from fastavro.types import Schema as FastavroSchema

from schemas.catalog import Schema, record_names, schema
from schemas.event import Record

Decoder: TypeAlias = Callable[[bytes], Record]
Encoder: TypeAlias = Callable[[Record], bytes]

UNSCALED = "lineshaft-unscaled"
INT_RANGE = range(-(2**31), 2**31)
LONG_RANGE = range(-(2**63), 2**63)


class CodecError(ValueError):
    """Bytes that are no record of the schema, or a record that the schema does not allow; the message says why."""


class Codec(Protocol):
    """Makes decoders and encoders; both raise CodecError for what does not fit."""

    def decoder(self, writer: Mapping[str, Schema], reads: Collection[str] | None = None) -> Decoder:
        """A decoder of records written with the schema `writer`, giving only the top-level fields `reads`.

        None reads all. Records of another version of a shipped schema come with today's fields. A decoder refuses
        bytes that are left over after the record.
        """
        ...

    def encoder(self, record: str) -> Encoder:
        """An encoder of records of that name, which checks types, ranges, precision and missing or unknown fields."""
        ...


class FastavroCodec:
    """The codec on fastavro."""

    def decoder(self, writer: Mapping[str, Schema], reads: Collection[str] | None = None) -> Decoder:
        """See Codec."""
        parsed, reader, name = _parsed(writer), _reader_of(writer), writer.get("name")
        wanted = None if reads is None else frozenset(reads)

        def decode(data: bytes) -> Record:
            stream = io.BytesIO(data)
            try:
                found = fastavro.schemaless_reader(stream, parsed, reader)
            except Exception as error:  # fastavro raises whatever its byte reading meets
                raise CodecError(f"no {name}: {type(error).__name__} {error}".strip()) from error
            if stream.tell() != len(data):
                raise CodecError(f"no {name}: {len(data) - stream.tell()} bytes are left over")
            record = cast("dict[str, Record]", found)
            return cast("Record", record if wanted is None else {k: v for k, v in record.items() if k in wanted})

        return decode

    def encoder(self, record: str) -> Encoder:
        """See Codec."""
        parsed = _parsed(schema(record))

        def encode(value: Record) -> bytes:
            stream = io.BytesIO()
            try:
                fastavro.schemaless_writer(stream, parsed, value, strict_allow_default=True)
            except Exception as error:  # likewise
                raise CodecError(f"not a {record}: {type(error).__name__} {error}") from error
            return stream.getvalue()

        return encode


@cache
def codec() -> Codec:
    """The codec in use."""
    return FastavroCodec()


def _parsed(writer: Mapping[str, Schema]) -> FastavroSchema:
    return fastavro.parse_schema(cast("FastavroSchema", _on_ints(dict(writer))))


def _reader_of(writer: Mapping[str, Schema]) -> FastavroSchema | None:
    """Today's schema where `writer` is another version of it; resolving costs, so none where they are the same."""
    name = str(writer.get("name"))
    today = schema(name) if name in record_names() else writer
    return None if today == writer else _parsed(today)


LOGICAL_OF_PRIMITIVE = {"int": "lineshaft-int", "long": "lineshaft-long", "boolean": "lineshaft-boolean"}


def _on_ints(node: Schema) -> Schema:
    """The schema with its logical types replaced by range-checked ints; fastavro takes any truth for a boolean."""
    if isinstance(node, list):
        return [_on_ints(branch) for branch in node]
    if isinstance(node, str) and node in LOGICAL_OF_PRIMITIVE:
        return {"type": node, "logicalType": LOGICAL_OF_PRIMITIVE[node]}
    if not isinstance(node, dict):
        return node
    if node.get("logicalType") == "decimal":
        return {**node, "logicalType": UNSCALED}
    if isinstance(node["type"], str) and node["type"] in LOGICAL_OF_PRIMITIVE and "name" not in node:
        return _on_ints(node["type"])
    return {key: _on_ints(each) if key in ("type", "items", "fields") else each for key, each in node.items()}


def _read_unscaled(data: bytes, *_: object) -> int:
    return int.from_bytes(data, "big", signed=True)


def _write_unscaled(value: object, node: Mapping[str, int]) -> object:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"a decimal is an unscaled int here, not {value!r}")
    if abs(value) >= 10 ** node["precision"]:
        raise ValueError(f"{value} has more than {node['precision']} digits")
    return value.to_bytes((value.bit_length() + 8) // 8, "big", signed=True)


def _checked_range(allowed: range) -> Callable[[object, object], object]:
    def check(value: object, _: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{value!r} is no int")
        if value not in allowed:
            raise ValueError(f"{value} is out of range")
        return value

    return check


def _checked_boolean(value: object, _: object) -> object:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is no boolean")
    return value


fastavro.read.LOGICAL_READERS[f"bytes-{UNSCALED}"] = _read_unscaled
fastavro.write.LOGICAL_WRITERS[f"bytes-{UNSCALED}"] = _write_unscaled
fastavro.write.LOGICAL_WRITERS["int-lineshaft-int"] = _checked_range(INT_RANGE)
fastavro.write.LOGICAL_WRITERS["long-lineshaft-long"] = _checked_range(LONG_RANGE)
fastavro.write.LOGICAL_WRITERS["boolean-lineshaft-boolean"] = _checked_boolean
