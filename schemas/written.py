"""A record that a person wrote as JSON, checked field by field: the opposite of `readable`.

Every problem names its field and what was expected there, so that an editor can be opened again at the right line.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TypeAlias, cast

from schemas.document import Field, Fields, Kind, Value
from schemas.event import Canonical, Record
from schemas.shapes import described
from schemas.wire import instant_us

EPOCH_DAY = date(1970, 1, 1)

Read: TypeAlias = Callable[[Field, Value], Canonical]


class NotAsDescribed(ValueError):
    """What was written does not fit its description; `problems` has one sentence for every field that is wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def canonical(record: str, written: Value) -> Record:
    """The canonical record in its readable form. Raises NotAsDescribed with every problem."""
    problems: list[str] = []
    found = _group(described(record).fields, written, "", problems, strict=True)
    if problems:
        raise NotAsDescribed(problems)
    return found


def check_fields(fields: Sequence[Field], written: Fields) -> list[str]:
    """The problems of a far system's fields; names that the description does not have are left to the caller."""
    problems: list[str] = []
    _group(fields, written, "", problems, strict=False)
    return problems


def _group(
    fields: Sequence[Field], written: Value, path: str, problems: list[str], *, strict: bool
) -> dict[str, Canonical]:
    if not isinstance(written, Mapping):
        problems.append(f"{path or 'the record'}: an object was expected, not {_shown(written)}")
        return {}
    known = {field.name: field for field in fields}
    if strict:
        names = ", ".join(known)
        problems += [f"{path}{name}: there is no such field; there are {names}" for name in written.keys() - known]
        missing = [name for name, field in known.items() if field.required and name not in written]
        problems += [f"{path}{name}: it is missing and must be there ({_expected(known[name])})" for name in missing]
    return {
        name: _value(known[name], value, f"{path}{name}", problems, strict=strict)
        for name, value in written.items()
        if name in known
    }


def _value(field: Field, value: Value, path: str, problems: list[str], *, strict: bool) -> Canonical:
    if value is None:
        if field.required:
            problems.append(f"{path}: it may not be null ({_expected(field)})")
        return None
    if field.kind is Kind.GROUP:
        return _group(field.fields, value, f"{path}.", problems, strict=strict)
    if field.kind is Kind.LIST and isinstance(value, Sequence) and not isinstance(value, str):
        return [_group(field.fields, each, f"{path}[{n}].", problems, strict=strict) for n, each in enumerate(value)]
    try:
        if not strict and field.kind is Kind.DECIMAL and isinstance(value, str):
            raise TypeError  # a text is a number where a person writes a record, never in a far system's document
        return READS[field.kind](field, value)
    except (ValueError, TypeError, InvalidOperation):
        problems.append(f"{path}: {_expected(field)} was expected, not {_shown(value)}")
        return None


def _text(field: Field, value: Value) -> Canonical:
    if not isinstance(value, str) or (field.symbols and value not in field.symbols):
        raise TypeError
    return value


def _integer(_: Field, value: Value) -> Canonical:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _boolean(_: Field, value: Value) -> Canonical:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _decimal(field: Field, value: Value) -> Canonical:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise TypeError
    unscaled = Decimal(value).scaleb(field.scale)
    if unscaled != unscaled.to_integral_value() or abs(unscaled) >= 10**field.precision:
        raise ValueError
    return int(unscaled)


def _date(_: Field, value: Value) -> Canonical:
    return (date.fromisoformat(cast("str", value)) - EPOCH_DAY).days


def _instant(_: Field, value: Value) -> Canonical:
    return instant_us(cast("str", value))


def _texts(_: Field, value: Value) -> Canonical:
    if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(each, str) for each in value):
        raise TypeError
    return [str(each) for each in value]


def _bytes(_: Field, value: Value) -> Canonical:
    try:
        return base64.b64decode(cast("str", value), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _no_list(_: Field, value: Value) -> Canonical:
    raise TypeError(value)


READS: Mapping[Kind, Read] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.INSTANT: _instant,
    Kind.TEXTS: _texts,
    Kind.BYTES: _bytes,
    Kind.LIST: _no_list,
}

WORDS: Mapping[Kind, str] = {
    Kind.TEXT: "a text",
    Kind.INTEGER: "a whole number",
    Kind.BOOLEAN: "true or false",
    Kind.DATE: 'a date like "2026-05-18"',
    Kind.INSTANT: 'an instant with its offset like "2026-05-18T08:00:00Z"',
    Kind.GROUP: "an object",
    Kind.LIST: "a list of objects",
    Kind.TEXTS: "a list of texts",
    Kind.BYTES: "base64",
}


def _expected(field: Field) -> str:
    if field.symbols:
        return f"one of {', '.join(field.symbols)}"
    if field.kind is Kind.DECIMAL:
        return f"a number with at most {field.scale} digits after the point and {field.precision} in all"
    return WORDS[field.kind]


def _shown(value: Value) -> str:
    text = repr(value) if not isinstance(value, Decimal) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
