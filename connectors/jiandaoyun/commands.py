"""What to write so that a stored work order becomes the wanted one. Pure; sink.py carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connectors.errors import DataError
from connectors.jiandaoyun.form import Widget, WidgetType, work_order
from schemas.document import Document, Fields, Value

WANTED = ("released", "held", "cancelled")
DOUBLE_DIGITS = 15
VERSION_DIGITS = 20

STATE: Mapping[tuple[str | None, str], str] = {
    (None, "released"): "released",
    (None, "held"): "held",
    (None, "cancelled"): "cancelled",
    ("released", "held"): "held",
    ("released", "cancelled"): "cancelled",
    ("held", "released"): "released",
    ("held", "cancelled"): "cancelled",
    ("running", "cancelled"): "cancel_requested",
    ("cancel_requested", "released"): "running",
    ("cancel_requested", "held"): "running",
}
"""Stored state and wanted state → the state to write. What is not in the table leaves the stored state alone: a
started order is the shop floor's, its cancel is a request that people answer, and what is finished stays so."""


@dataclass(frozen=True)
class Create:
    """Make the record with these values."""

    values: Fields


@dataclass(frozen=True)
class Update:
    """Change these values of the record `data_id`."""

    data_id: str
    values: Fields


def plan(document: Document, stored: Fields | None, data_id: str = "") -> Create | Update | None:
    """The write that makes `stored` (content of a record, None where there is none) what `document` wants.

    None: nothing is to be done, for the stored version is not older, or a cancelled order was never made.
    Raises DataError where the document itself can never be written.
    """
    wanted, version = _wanted_state(document), _version(document)
    values = {field.alias: _checked(field, document) for field in work_order().owned_by_bus()}
    if stored is None:
        return _absent(document, wanted, values)
    if stored_version(stored) >= version:
        return None
    changed = {alias: value for alias, value in values.items() if stored.get(alias) != value}
    state = STATE.get((_state(stored), wanted))
    return Update(data_id, changed if state is None else {**changed, "state": state})


def _absent(document: Document, wanted: str, values: Fields) -> Create | None:
    """A record that people deleted is not made again behind their backs."""
    if wanted == "cancelled":
        return None
    if document.fields.get("known") is True:
        raise DataError(
            f"work order {document.id} was here and is gone: ask production why it was deleted; recover it from the "
            "recycle bin and redrive, or cancel the order in the CRM"
        )
    return Create({**_present(values), "state": wanted})


def stored_version(stored: Fields) -> str:
    """The version in a stored record; what is no version of ours counts as the oldest."""
    text = stored.get("bus_version")
    return text.zfill(VERSION_DIGITS) if isinstance(text, str) and text.isdecimal() else ""


def _state(stored: Fields) -> str | None:
    state = stored.get("state")
    return state if isinstance(state, str) else None


def _wanted_state(document: Document) -> str:
    state = document.fields.get("state")
    if state in WANTED and isinstance(state, str):
        return state
    raise DataError(f"work order {document.id}: state {state!r} cannot be wanted; it is one of {', '.join(WANTED)}")


def _version(document: Document) -> str:
    version = document.fields.get("bus_version")
    if isinstance(version, str) and version.isdecimal() and len(version) == VERSION_DIGITS:
        return version
    raise DataError(f"work order {document.id}: bus_version is {version!r}, not text of {VERSION_DIGITS} digits")


def _checked(field: Widget, document: Document) -> Value:
    value = document.id if field.alias == "job_order_id" else document.fields.get(field.alias)
    if field.required and value in (None, ""):
        raise DataError(f"work order {document.id}: {field.alias} is empty, and the form requires it")
    check = CHECKS.get(field.type)
    return value if check is None or value is None else check(value, document)


def _day(value: Value, document: Document) -> Value:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise DataError(f"work order {document.id}: {value!r} is no date (YYYY-MM-DD)") from error


def _double(value: Value, document: Document) -> Value:
    """The vendor keeps numbers as doubles: more digits than those hold would be altered without a word."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise DataError(f"work order {document.id}: {value!r} is no number")
    plain = Decimal(format(Decimal(value).normalize(), "f"))
    if len(plain.normalize().as_tuple().digits) > DOUBLE_DIGITS:
        raise DataError(f"work order {document.id}: {plain} has more than the {DOUBLE_DIGITS} digits that are kept")
    return plain


CHECKS: Mapping[WidgetType, Callable[[Value, Document], Value]] = {"number": _double, "date": _day}


def _present(values: Fields) -> Fields:
    return {alias: value for alias, value in values.items() if value is not None}
