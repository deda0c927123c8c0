"""Values between their internal form and the two sides: far JSON in, canonical or far JSON out.

What a far system says is not trusted to be of the kind it declares: every value is checked as it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TypeGuard, cast
from zoneinfo import ZoneInfo

from mappings import values
from mappings.context import Convert
from mappings.shape import NESTED, Shape
from schemas.document import Kind, Value


def _as_text(value: Value) -> Value:
    if not isinstance(value, str):
        raise values.bad(value, "is not a text")
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise values.bad(ascii(value), "holds half a character, which no text may")
    return value


def _as_integer(value: Value) -> Value:
    if isinstance(value, Decimal):
        return values.long(values.whole(value, None))
    if isinstance(value, bool) or not isinstance(value, int):
        raise values.bad(value, "is not a whole number")
    return values.long(value)


def _as_decimal(value: Value) -> Value:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise values.bad(value, "is not a number")
    if isinstance(value, Decimal) and not value.is_finite():
        raise values.bad(value, "is not a finite number")
    if value and abs(Decimal(value).adjusted()) > values.MAX_EXPONENT:
        raise values.bad(value, f"is beyond 10^{values.MAX_EXPONENT}")
    return Decimal(value)


def _as_boolean(value: Value) -> Value:
    if not isinstance(value, bool):
        raise values.bad(value, "is not true or false")
    return value


def _as_date(value: Value) -> Value:
    return values.days(cast("str", _as_text(value)))


def _as_group(value: Value) -> Value:
    if not isinstance(value, Mapping):
        raise values.bad(value, "is not a group of fields")
    return value


def _as_list(value: Value) -> Value:
    if not _is_list(value) or not all(isinstance(each, Mapping) for each in value):
        raise values.bad(str(value), "is not a list of records")
    return value


def _as_texts(value: Value) -> Value:
    if not _is_list(value) or not all(isinstance(each, str) for each in value):
        raise values.bad(str(value), "is not a list of texts")
    return value


def _is_list(value: Value) -> TypeGuard[Sequence[Value]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


DECODERS: Mapping[Kind, Convert] = {
    Kind.TEXT: _as_text,
    Kind.INTEGER: _as_integer,
    Kind.DECIMAL: _as_decimal,
    Kind.BOOLEAN: _as_boolean,
    Kind.DATE: _as_date,
    Kind.INSTANT: lambda value: values.micros(cast("str", _as_text(value)), None),
    Kind.GROUP: _as_group,
    Kind.LIST: _as_list,
    Kind.TEXTS: _as_texts,
}


def decoder(kind: Kind, zone: ZoneInfo | None) -> Convert:
    """Reads a far value of a kind into its internal form; raises Refusal for one that is not of that kind."""
    if kind is Kind.INSTANT and zone is not None:
        return lambda value: values.micros(cast("str", _as_text(value)), zone)
    return DECODERS[kind]


def identity(value: Value) -> Value:
    """The value as it is."""
    return value


def coercion(source: Shape, target: Shape) -> Convert | None:
    """How a value becomes one of the target's shape without anybody asking for it; None where it never does."""
    if source.kind is Kind.INTEGER and target.kind is Kind.DECIMAL:
        return _rescale(0, target)
    if source.kind is not target.kind:
        return None
    match source.kind:
        case Kind.DECIMAL:
            return _decimals(source, target)
        case Kind.TEXT:
            return _symbols(source, target)
        case kind if kind in NESTED:
            same = not source.far and not target.far and source.fields == target.fields
            return identity if same else None
        case _:
            return identity


def _decimals(source: Shape, target: Shape) -> Convert:
    if source.scale is not None:
        return _rescale(source.scale, target, source.precision)
    if target.scale is None:
        return identity
    scale, precision = target.scale, target.precision
    return lambda value: values.unscaled(cast("Decimal", value), scale, precision, None)


def _rescale(have: int, target: Shape, digits: int = 19) -> Convert:
    scale, precision = target.scale, target.precision
    if scale is None:
        return lambda value: values.decimal(cast("int", value), have)
    if scale == have and digits <= precision:
        return identity
    wanted = scale
    return lambda value: values.unscaled(values.decimal(cast("int", value), have), wanted, precision, None)


def _symbols(source: Shape, target: Shape) -> Convert:
    symbols = frozenset(target.symbols)
    if not symbols or (source.symbols and symbols.issuperset(source.symbols)):
        return identity

    def check(value: Value) -> Value:
        if value not in symbols:
            raise values.bad(value, f"is none of {', '.join(target.symbols)}")
        return value

    return check


def encoder(target: Shape, scale: int) -> Convert:
    """Writes an internal value of the target's shape as far JSON. `scale` is the digits the far field takes."""
    encoders: Mapping[Kind, Callable[[Value], Value]] = {
        Kind.DATE: lambda value: values.date_text(cast("int", value)),
        Kind.INSTANT: lambda value: values.instant_text(cast("int", value)),
        Kind.DECIMAL: lambda value: _fitting(cast("Decimal", value), scale, target.precision),
    }
    return encoders.get(target.kind, identity)


def _fitting(value: Decimal, scale: int, precision: int) -> Value:
    return values.decimal(values.unscaled(value, scale, precision, None), scale)
