"""Field values: what may be written, how it is kept, how it is shown."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from connectors.salesforce.simulator.answers import ApiError
from connectors.salesforce.simulator.ids import canonical
from connectors.salesforce.simulator.model import FieldDef, FieldType
from schemas.document import Value

STAMP = "%Y-%m-%dT%H:%M:%S.000+0000"


def stamp(moment: datetime.datetime) -> str:
    """A datetime as the REST API shows it: whole seconds, UTC."""
    return moment.astimezone(datetime.UTC).strftime(STAMP)


def moment_of(text: str) -> datetime.datetime:
    """A datetime of the REST API or of SOQL. Raises ValueError for another text."""
    return datetime.datetime.fromisoformat(text).astimezone(datetime.UTC)


def kept(field: FieldDef, value: Value) -> Value:
    """The value as it is stored. Raises ApiError where the field does not take it."""
    if value is None or value == "":
        return False if field.type == "boolean" else None
    return KEPT.get(field.type, _text)(field, value)


def _text(field: FieldDef, value: Value) -> Value:
    if not isinstance(value, str):
        raise _wrong(field, value)
    if len(value) > field.length:
        raise ApiError(
            400,
            "STRING_TOO_LONG",
            f"{field.name}: data value too large: {value[:40]} (max length={field.length})",
            (field.name,),
        )
    return value.strip()


def _picklist(field: FieldDef, value: Value) -> Value:
    if value not in field.values:
        raise ApiError(
            400,
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.name}: bad value for restricted picklist field: {value}",
            (field.name,),
        )
    return value


def _date(field: FieldDef, value: Value) -> Value:
    try:
        return datetime.date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        raise _wrong(field, value) from None


def _datetime(field: FieldDef, value: Value) -> Value:
    try:
        return stamp(moment_of(str(value)))
    except ValueError:
        raise _wrong(field, value) from None


def _double(field: FieldDef, value: Value) -> Value:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise _wrong(field, value)
    try:
        number = Decimal(value).quantize(Decimal(1).scaleb(-field.scale))
    except InvalidOperation:
        raise _wrong(field, value) from None
    return shown_number(number)


def shown_number(number: Decimal) -> Decimal:
    """At least one digit after the point, no needless zeros: 10.0, 2.5."""
    plain = number.normalize()
    exponent = plain.as_tuple().exponent
    return plain if isinstance(exponent, int) and exponent < 0 else plain.quantize(Decimal("0.1"))


def _boolean(field: FieldDef, value: Value) -> Value:
    if not isinstance(value, bool):
        raise _wrong(field, value)
    return value


def _reference(field: FieldDef, value: Value) -> Value:
    if not isinstance(value, str) or len(value) not in (15, 18):
        raise ApiError(400, "MALFORMED_ID", f"{field.name}: id value of incorrect type: {value}", (field.name,))
    return canonical(value)


def _wrong(field: FieldDef, value: Value) -> ApiError:
    return ApiError(
        400, "JSON_PARSER_ERROR", f"Cannot deserialize instance of {field.type} from {value} for {field.name}"
    )


KEPT: Mapping[FieldType, Callable[[FieldDef, Value], Value]] = {
    "picklist": _picklist,
    "date": _date,
    "datetime": _datetime,
    "double": _double,
    "boolean": _boolean,
    "reference": _reference,
}
