"""Whether a document is what its type says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal

from schemas.document import Document, DocumentType, Field, Fields, Kind, Value


def problems_of(document: Document, kind: DocumentType) -> list[str]:
    """What does not fit, each as half a sentence that names the field; a deleted document may lack any of them."""
    return list(_of_record(document.fields, kind.fields, "", lacking_may=document.deleted))


def _of_record(values: Fields, fields: tuple[Field, ...], place: str, *, lacking_may: bool = False) -> Iterator[str]:
    known = {field.name: field for field in fields}
    for name in values:
        if name not in known:
            yield f"{place}{name} is not described"
    for name, field in known.items():
        value = values.get(name)
        if value is None:
            if field.required and not lacking_may:
                yield f"{place}{name} is required and empty"
            continue
        yield from _of_value(value, field, place + name)


def _of_value(value: Value, field: Field, place: str) -> Iterator[str]:
    if not FITS[field.kind](value):
        yield f"{place} is {value!r:.100} ({type(value).__name__}) and not of the kind {field.kind}"
        return
    if field.symbols and value not in field.symbols:
        yield f"{place} is {value!r:.100}, and only {', '.join(field.symbols)} are described"
    if field.kind is Kind.GROUP and isinstance(value, Mapping):
        yield from _of_record(value, field.fields, f"{place}.")
    if field.kind is Kind.LIST and isinstance(value, list):
        for number, item in enumerate(value):
            yield from _of_record(item if isinstance(item, dict) else {}, field.fields, f"{place}[{number}].")


def _is_text(value: Value) -> bool:
    return isinstance(value, str)


def _is_whole(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_exact(value: Value) -> bool:
    return _is_whole(value) or isinstance(value, Decimal)


def _is_day(value: Value) -> bool:
    return _parses(date.fromisoformat, value) and len(str(value)) == len("2026-05-01")


def _is_moment(value: Value) -> bool:
    return _parses(datetime.fromisoformat, value) and datetime.fromisoformat(str(value)).tzinfo is not None


def _parses(parse: Callable[[str], object], value: Value) -> bool:
    if not isinstance(value, str):
        return False
    try:
        parse(value)
    except ValueError:
        return False
    return True


FITS: Mapping[Kind, Callable[[Value], bool]] = {
    Kind.TEXT: _is_text,
    Kind.INTEGER: _is_whole,
    Kind.DECIMAL: _is_exact,
    Kind.BOOLEAN: lambda value: isinstance(value, bool),
    Kind.DATE: _is_day,
    Kind.INSTANT: _is_moment,
    Kind.GROUP: lambda value: isinstance(value, Mapping),
    Kind.LIST: lambda value: isinstance(value, list) and all(isinstance(each, Mapping) for each in value),
    Kind.TEXTS: lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
    Kind.BYTES: lambda value: isinstance(value, bytes),
}
