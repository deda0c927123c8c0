"""Whole records of Tryton and how they become documents: a table each, read by one source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from connectors.tryton.wire import instant_us
from schemas.document import Document, DocumentType, Field, Fields, Kind, Value, from_json
from schemas.identity import revision

STAMP = "last_modified_at"
DELETIONS = "lineshaft.deletion"
BURIED = "lineshaft_buried"
CHANGED_AT = (STAMP, "changed_at")


@dataclass(frozen=True)
class Root:
    """One kind of whole record.

    `paths` are the fields to fetch, dotted. `parts` are the models whose changes need not touch the record itself,
    each with its way to the record's id. `make` turns what was fetched into the document's content; by default that
    is every field of the type as it stands. `kept` are fields of the type by the names under which a deletion kept
    them. Records that are not `of_company` belong to all companies of the database.
    """

    model: str
    type: DocumentType
    paths: tuple[str, ...]
    parts: Mapping[str, str] = field(default_factory=dict)
    make: Callable[[Fields], Fields] | None = None
    kept: Mapping[str, str] = field(default_factory=dict)
    of_company: bool = True

    @property
    def fields(self) -> Sequence[str]:
        """What is asked for: the paths, and all that says when the record or a part of it changed."""
        return (STAMP, *self.paths, *((BURIED,) if self.parts else ()))

    def document(self, record: Fields) -> Document:
        """The document of a record with its `fields`; the newest stamp may be that of a part that is gone."""
        content = self.make(record) if self.make else selected(self.type.fields, record)
        buried = [record[BURIED]] if record.get(BURIED) else []
        changed_us = max(map(instant_us, [*stamps(record), *buried]))
        return Document(self.type.name, str(record["id"]), revision(changed_us, content), content)

    def deleted(self, deletion: Fields) -> Document:
        """The document of a record that is gone: what its deletion kept of it."""
        kept = from_json(str(deletion.get("content") or "{}"))
        known = kept if isinstance(kept, dict) else {}
        content: Fields = {
            **{each.name: [] if each.kind in (Kind.LIST, Kind.TEXTS) else None for each in self.type.fields},
            **{ours: known.get(theirs) for ours, theirs in self.kept.items()},
            "id": str(deletion["root"]),
            **{each.name: deletion[STAMP] for each in self.type.fields if each.name in CHANGED_AT},
        }
        changed_us = instant_us(deletion[STAMP])
        return Document(self.type.name, str(deletion["root"]), revision(changed_us, content), content, deleted=True)


def paths_of(fields: Sequence[Field], prefix: str = "") -> Iterator[str]:
    """The dotted paths of a type's fields; each list with the stamps of its records."""
    for each in fields:
        inner = f"{prefix}{each.name}."
        if each.kind in (Kind.GROUP, Kind.LIST):
            yield from paths_of(each.fields, inner)
        else:
            yield f"{prefix}{each.name}"
        if each.kind is Kind.LIST:
            yield f"{inner}{STAMP}"


def selected(fields: Sequence[Field], record: Fields) -> Fields:
    """A record's fields as the type says: empty texts as None, numbers without superfluous zeros."""
    return {each.name: _value(each, record.get(each.name)) for each in fields}


def stamps(record: Value) -> Iterator[str]:
    """Every stamp in a record and its parts."""
    rest = [record]
    while rest:
        each = rest.pop()
        if isinstance(each, list):
            rest.extend(each)
        elif isinstance(each, dict):
            if isinstance(stamp := each.get(STAMP), str):
                yield stamp
            rest.extend(each.values())


def _value(kind: Field, value: Value) -> Value:
    if kind.kind is Kind.LIST:
        return (
            [selected(kind.fields, each) for each in value if isinstance(each, dict)]
            if isinstance(value, list)
            else []
        )
    if kind.kind is Kind.GROUP:
        return selected(kind.fields, value) if isinstance(value, dict) else None
    if value is None or value == "":
        return None
    if kind.kind is Kind.DECIMAL:
        return number(value)
    return str(value) if kind.kind is Kind.TEXT else value


def number(value: Value) -> Decimal:
    """An exact number without superfluous zeros; None is none."""
    return Decimal(format(Decimal(str(value or 0)).normalize(), "f"))
