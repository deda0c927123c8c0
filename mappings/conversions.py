"""Values of one kind turned into another on request (`as:`), in one table by the two kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeAlias, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mappings import values
from mappings.check import Build
from mappings.context import Run
from mappings.language import As
from mappings.shape import Shape
from schemas.document import Kind, Value

Apply: TypeAlias = Callable[[Value, Run], Value]
"""Turns a value that is there into another, within one run."""

PLAIN = frozenset({Kind.TEXT, Kind.INTEGER, Kind.DECIMAL, Kind.BOOLEAN, Kind.DATE, Kind.INSTANT})


def zone_of(step: As, build: Build | None) -> ZoneInfo | None:
    """The zone that a conversion names; a name that is none is noted."""
    if step.zone is None:
        return None
    try:
        return ZoneInfo(step.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if build is not None:
            build.note(
                step.place, f"names the zone {step.zone!r}, which is not known", "Write one like Asia/Shanghai."
            )
        return None


Conversion: TypeAlias = Callable[[Shape, As, ZoneInfo | None], Apply]


def _same(shape: Shape, step: As, zone: ZoneInfo | None) -> Apply:
    return lambda value, run: value


def _scaled(decimal_of: Callable[[Value, Shape], Decimal]) -> Conversion:
    def make(shape: Shape, step: As, zone: ZoneInfo | None) -> Apply:
        scale, rounding = step.scale, step.rounding
        if scale is None:
            return lambda value, run: decimal_of(value, shape)
        digits = values.INTERNAL_PRECISION
        return lambda value, run: values.unscaled(decimal_of(value, shape), scale, digits, rounding)

    return make


def _decimal_of(value: Value, shape: Shape) -> Decimal:
    if shape.kind is Kind.TEXT:
        return values.number(cast("str", value).strip())
    if shape.kind is Kind.DECIMAL and shape.scale is not None:
        return values.decimal(cast("int", value), shape.scale)
    return Decimal(cast("int", value))


def _to_integer(shape: Shape, step: As, zone: ZoneInfo | None) -> Apply:
    return lambda value, run: values.long(values.whole(_decimal_of(value, shape), step.rounding))


def _to_text(text: Callable[[Value, Shape], str]) -> Conversion:
    return lambda shape, step, zone: lambda value, run: text(value, shape)


def _boolean(value: Value) -> Value:
    words = {"true": True, "false": False}
    found = words.get(cast("str", value).strip().lower())
    if found is None:
        raise values.bad(value, "is not true or false")
    return found


CONVERSIONS: Mapping[tuple[Kind, Kind], Conversion] = {
    **{(kind, kind): _same for kind in PLAIN - {Kind.DECIMAL}},
    (Kind.DECIMAL, Kind.DECIMAL): _scaled(_decimal_of),
    (Kind.INTEGER, Kind.DECIMAL): _scaled(_decimal_of),
    (Kind.TEXT, Kind.DECIMAL): _scaled(_decimal_of),
    (Kind.DECIMAL, Kind.INTEGER): _to_integer,
    (Kind.TEXT, Kind.INTEGER): _to_integer,
    (Kind.TEXT, Kind.BOOLEAN): lambda shape, step, zone: lambda value, run: _boolean(value),
    (Kind.TEXT, Kind.DATE): lambda shape, step, zone: lambda value, run: values.days(cast("str", value).strip()),
    (Kind.TEXT, Kind.INSTANT): lambda shape, step, zone: lambda value, run: values.micros(cast("str", value), zone),
    (Kind.INSTANT, Kind.DATE): lambda shape, step, zone: (
        lambda value, run: values.day_in(cast("int", value), zone or ZoneInfo("UTC"))
    ),
    (Kind.INTEGER, Kind.TEXT): _to_text(lambda value, shape: str(value)),
    (Kind.DECIMAL, Kind.TEXT): _to_text(lambda value, shape: values.text_of(_decimal_of(value, shape))),
    (Kind.BOOLEAN, Kind.TEXT): _to_text(lambda value, shape: "true" if value else "false"),
    (Kind.DATE, Kind.TEXT): _to_text(lambda value, shape: values.date_text(cast("int", value))),
    (Kind.INSTANT, Kind.TEXT): _to_text(lambda value, shape: values.instant_text(cast("int", value))),
}


def readable(value: Value, shape: Shape) -> Value:
    """An internal value in a form that a message can show."""
    if shape.kind is Kind.DATE:
        return values.date_text(cast("int", value))
    if shape.kind is Kind.INSTANT:
        return values.instant_text(cast("int", value))
    return values.plain(_decimal_of(value, shape)) if shape.kind is Kind.DECIMAL else value
