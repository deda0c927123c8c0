"""Texts, numbers, dates and instants turned into each other, exactly or not at all.

Every function raises Refusal (bad_value) with the value and what is wrong with it; no digit is lost quietly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, Inexact
from decimal import DecimalException as BadDecimal
from zoneinfo import ZoneInfo

from mappings.problems import Cause, Refusal
from schemas.document import Value

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1).toordinal()
LONG = 2**63
SHOWN_CHARACTERS = 60
SHOWN_BITS = 200
MAX_EXPONENT = 60
INTERNAL_PRECISION = 38

ROUNDINGS: Mapping[str, str] = {
    "up": ROUND_CEILING,
    "down": ROUND_FLOOR,
    "towards_zero": ROUND_DOWN,
    "half_up": ROUND_HALF_UP,
    "half_even": ROUND_HALF_EVEN,
}
"""Directions by name; up and down are those of the number line."""

_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(Z|[+-]\d\d:?(?:\d\d)?)?", re.ASCII
)
_NUMBER = re.compile(r"[+-]?\d{1,40}(?:\.\d{1,40})?", re.ASCII)
_ARITHMETIC = Context(prec=200, Emax=999, Emin=-999)


def shown(value: Value) -> str:
    """The value as a message shows it: quoted text, never longer than a line."""
    if isinstance(value, int) and value.bit_length() > SHOWN_BITS:
        return f"a number of {value.bit_length()} bits"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"


def bad(value: Value, message: str) -> Refusal:
    """The refusal of a value."""
    return Refusal(Cause.BAD_VALUE, f"{shown(value)} {message}")


def days(text: str) -> int:
    """Days since 1970 of `2026-05-01`."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise bad(text, "is not a date like 2026-05-01")
    year, month, day = match.groups()
    try:
        return date(int(year), int(month), int(day)).toordinal() - EPOCH_DAY
    except ValueError as error:
        raise bad(text, "is not a day of the calendar") from error


def date_text(since_1970: int) -> str:
    """`2026-05-01` of days since 1970."""
    try:
        return date.fromordinal(since_1970 + EPOCH_DAY).isoformat()
    except (ValueError, OverflowError) as error:
        raise bad(since_1970, "days since 1970 is not a day of the calendar") from error


def micros(text: str, zone: ZoneInfo | None) -> int:
    """UTC microseconds since 1970 of an ISO instant; what is finer than a microsecond is dropped.

    `zone` is for texts without an offset.
    """
    match = _INSTANT.fullmatch(text.strip())
    if match is None:
        raise bad(text, "is not an instant like 2026-05-01T08:00:00Z")
    day, hour, minute, second, fraction, offset = match.groups()
    try:
        local = datetime.fromordinal(days(day) + EPOCH_DAY).replace(
            hour=int(hour), minute=int(minute), second=int(second or 0)
        )
        moment = _with_offset(local, offset, zone, text)
        whole = (moment - EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError) as error:
        raise bad(text, "is not a time of the day") from error
    return whole + int((fraction or "").ljust(6, "0")[:6])


def _with_offset(local: datetime, offset: str | None, zone: ZoneInfo | None, text: str) -> datetime:
    if offset == "Z":
        return local.replace(tzinfo=UTC)
    if offset is not None:
        digits = offset[1:].replace(":", "").ljust(4, "0")
        ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return local.replace(tzinfo=UTC) - (ahead if offset[0] == "+" else -ahead)
    if zone is None:
        raise bad(text, "has no offset and the mapping names no zone")
    aware = local.replace(tzinfo=zone).astimezone(UTC)
    if aware.astimezone(zone).replace(tzinfo=None) != local:
        raise bad(text, f"does not exist in {zone.key}: the clock was put forward")
    return aware


def instant_text(since_1970_us: int) -> str:
    """`2026-05-01T08:00:00.000Z`; with six digits only where milliseconds do not hold it."""
    try:
        moment = EPOCH + timedelta(microseconds=since_1970_us)
    except OverflowError as error:
        raise bad(since_1970_us, "microseconds since 1970 is outside the calendar") from error
    precise = "microseconds" if since_1970_us % 1000 else "milliseconds"
    return moment.replace(tzinfo=None).isoformat(timespec=precise) + "Z"


def day_in(since_1970_us: int, zone: ZoneInfo) -> int:
    """The day (since 1970) that an instant falls on in a zone."""
    try:
        return (EPOCH + timedelta(microseconds=since_1970_us)).astimezone(zone).date().toordinal() - EPOCH_DAY
    except (OverflowError, ValueError) as error:
        raise bad(since_1970_us, "microseconds since 1970 is outside the calendar") from error


def number(text: str) -> Decimal:
    """The decimal of `-12.50`: no exponent, no thousands sign, no blank."""
    if _NUMBER.fullmatch(text) is None:
        raise bad(text, "is not a number like 12.5")
    return Decimal(text)


def whole(value: Decimal, rounding: str | None) -> int:
    """The whole number of a decimal; one with a fraction needs a direction."""
    return unscaled(value, 0, 19, rounding)


def long(value: int) -> int:
    """The same int where it fits into 64 bits."""
    if not -LONG <= value < LONG:
        raise bad(value, "does not fit into a whole number of 64 bits")
    return value


def unscaled(value: Decimal | int, scale: int, precision: int, rounding: str | None) -> int:
    """`value` as an int of units 10^-scale. Excess digits need a direction; more than `precision` never fit."""
    try:
        exact = Decimal(value)
        if exact == 0:
            return 0
        if not exact.is_finite() or abs(exact.adjusted()) > MAX_EXPONENT:
            raise bad(value, f"does not fit into {precision} digits with {scale} after the point")
        context = _ARITHMETIC.copy()
        context.traps[Inexact] = rounding is None
        context.rounding = ROUNDINGS[rounding] if rounding is not None else ROUND_DOWN
        result = int(exact.scaleb(scale, context).quantize(Decimal(1), context=context))
    except Inexact as error:
        message = f"has more than {scale} digits after the point; the mapping names no rounding"
        raise bad(value, message) from error
    except BadDecimal as error:
        raise bad(value, "is not a number") from error
    if abs(result) >= 10**precision:
        raise bad(value, f"does not fit into {precision} digits with {scale} after the point")
    return result


def decimal(value: int, scale: int) -> Decimal:
    """The decimal of an unscaled int, without zeros at its end: 5000000 at scale 6 is 5."""
    return plain(Decimal(value).scaleb(-scale, _ARITHMETIC))


def plain(value: Decimal) -> Decimal:
    """The same number with no zeros at its end and no exponent, so that equal numbers give equal JSON."""
    if value == value.to_integral_value(context=_ARITHMETIC):
        return value.quantize(Decimal(1), context=_ARITHMETIC)
    return value.normalize(_ARITHMETIC)


def text_of(value: Decimal) -> str:
    """`12.5`, never with an exponent."""
    return format(plain(value), "f")
