"""Documents: what a far system's records look like before they are mapped, and their types.

A `Document` is one record as its system says it; a `DocumentType` describes such records, so that mappings
can be checked against it. Values are JSON values; numbers with a fraction are `Decimal`, never float.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

import simplejson

Value: TypeAlias = "bool | int | Decimal | str | Sequence[Value] | Mapping[str, Value] | None"
Fields: TypeAlias = Mapping[str, Value]

HALF_CHARACTER = re.compile("[\ud800-\udfff]")


class Kind(StrEnum):
    """The type of one field; dates and instants are ISO 8601 text in a document."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"  # "2026-05-01"
    INSTANT = "instant"  # "2026-05-01T08:00:00.000Z", any offset
    GROUP = "group"  # a nested record
    LIST = "list"  # a list of nested records
    TEXTS = "texts"  # a list of texts
    BYTES = "bytes"  # canonical records only


@dataclass(frozen=True)
class Field:
    """One field of a document type.

    `fields` are those of a group or of each record of a list. `required` fields are never null. A decimal has at
    most `precision` digits, `scale` of them after the point. `symbols` are the only values a text may take, where
    there are any. A field that is not `writable` is computed by its system.
    """

    name: str
    kind: Kind = Kind.TEXT
    fields: tuple[Field, ...] = ()
    required: bool = False
    precision: int = 18
    scale: int = 6
    symbols: tuple[str, ...] = ()
    writable: bool = True
    doc: str = ""


@dataclass(frozen=True)
class DocumentType:
    """The records of one kind in one far system, e.g. name `Order` of the system `salesforce`."""

    name: str
    fields: tuple[Field, ...]
    doc: str = ""


@dataclass(frozen=True)
class Document:
    """One record of a far system, as its contract says it.

    `type` is the name of its DocumentType and `id` its own id in that system. `revision` is an opaque text that
    sorts in the order of the record's changes (see `schemas.identity.revision`); it comes from the fetched
    record, never from a change notice. `deleted` records may have no fields but their id. `problem` says what the
    connector could not read in the record: such a document is never mapped, it is parked as it came.
    """

    type: str
    id: str
    revision: str
    fields: Fields
    deleted: bool = False
    problem: str = ""


def to_json(value: Value, indent: int | None = None) -> str:
    """Compact JSON with exact decimals and keys in a fixed order, so that equal values give equal text.

    With `indent` it has lines for a person, each level set in by that many blanks. The text can always be encoded:
    half a character, as scripts leave it that cut a text, stays escaped.
    """
    separators = (",", ":") if indent is None else (",", ": ")
    text = simplejson.dumps(
        value, use_decimal=True, sort_keys=True, ensure_ascii=False, separators=separators, indent=indent
    )
    return HALF_CHARACTER.sub(lambda half: f"\\u{ord(half.group()):04x}", text)


def from_json(text: str | bytes) -> Value:
    """The value of a JSON text, fractions as `Decimal`. Raises ValueError on text that is not JSON."""
    try:
        parsed: Value = simplejson.loads(text, use_decimal=True)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return parsed
