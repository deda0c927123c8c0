"""What is known about a value before any record comes: its kind, limits, and whether it may be missing.

While a mapping runs, values have one form whatever side they came from: texts, whole numbers and booleans as they
are, dates as days and instants as UTC microseconds since 1970. A decimal is an unscaled int where its `scale` is
known (canonical fields) and a `Decimal` where it is not (far documents).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from mappings.problems import nearest
from schemas.document import DocumentType, Field, Kind

NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL})
NESTED = frozenset({Kind.GROUP, Kind.LIST})


def a(kind: Kind) -> str:
    """The kind as a message says it: `a text`, `an instant`."""
    return f"an {kind}" if kind in (Kind.INTEGER, Kind.INSTANT) else f"a {kind}"


@dataclass(frozen=True)
class Shape:
    """The static type of a value. `far` says that nested records inside hold JSON values of a far document."""

    kind: Kind
    nullable: bool = True
    scale: int | None = None
    precision: int = 18
    symbols: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    far: bool = False

    def missing(self, nullable: bool) -> Shape:
        """The same, with or without the right to be missing."""
        return self if self.nullable == nullable else replace(self, nullable=nullable)


@dataclass(frozen=True)
class Side:
    """One side of a mapping: the record's full name (`salesforce.Order`), its fields, and whether it is a far one."""

    name: str
    fields: tuple[Field, ...]
    far: bool


def side(name: str, document_type: DocumentType, far: bool) -> Side:
    """The side of that name. A far document also has `_deleted`, which the source task adds to deleted records."""
    deleted = Field("_deleted", Kind.BOOLEAN, writable=False, doc="True where the far system says it is deleted.")
    return Side(name, (*document_type.fields, deleted) if far else document_type.fields, far)


def nearest_field(of: Side, name: str, fields: Iterable[Field]) -> str:
    """The remedy for a field that a record does not have; those of a far document are all shown by a command."""
    known = nearest(name, (each.name for each in fields))
    if not of.far:
        return known
    connector, document = of.name.split(".")[:2]
    return f"{known} All fields: lineshaft connector describe {connector} --document {document}"


def shape_of(field: Field, far: bool) -> Shape:
    """The shape of a field's value. A far field may always be missing: field-level security hides silently."""
    scale = field.scale if field.kind is Kind.DECIMAL and not far else None
    return Shape(field.kind, far or not field.required, scale, field.precision, field.symbols, field.fields, far)
