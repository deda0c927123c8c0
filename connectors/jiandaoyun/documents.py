"""Records of the form as documents: their type, their values, their revision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from connectors.config import ConnectorConfig
from connectors.errors import DataError
from connectors.jiandaoyun.form import Widget, WidgetType, work_order
from schemas.document import Document, DocumentType, Field, Fields, Kind, Value
from schemas.identity import content_hash, revision

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MOST_DIGITS = 400
"""A double has about 310 before the point; more are an attack or a defect, and would be written out in full."""

Made = TypeVar("Made")

KINDS: Mapping[WidgetType, Kind] = {
    "text": Kind.TEXT,
    "combo": Kind.TEXT,
    "number": Kind.DECIMAL,
    "date": Kind.DATE,
    "datetime": Kind.INSTANT,
    "subform": Kind.LIST,
}

ROW_ID = Field("_id", writable=False, doc="The vendor's own id of the row.")

SYSTEM = (
    Field("_id", required=True, writable=False, doc="The vendor's own id of the record."),
    Field("createTime", Kind.INSTANT, writable=False, doc="When the record was made."),
    Field("updateTime", Kind.INSTANT, required=True, writable=False, doc="When the record last changed."),
)
"""Contract section 3, system fields."""

KNOWN = Field(
    "known", Kind.BOOLEAN, doc="For a sink: the record was there before; when it is gone, ask and make none."
)


def documents(config: ConnectorConfig) -> Sequence[DocumentType]:
    """The one document type of this connector, the same for every company."""
    form = work_order()
    fields = (*SYSTEM, KNOWN, *(_field(widget) for widget in form.fields))
    return [DocumentType(form.form, fields, doc="One work order of the shop floor; a sink's id is its job_order_id.")]


def _field(widget: Widget) -> Field:
    rows = (ROW_ID, *(_field(item) for item in widget.items)) if widget.items else ()
    return Field(
        widget.alias,
        KINDS[widget.type],
        fields=rows,
        symbols=widget.symbols,
        writable=widget.owner != "people",
        doc=widget.doc,
    )


class Reader:
    """Makes documents of records as the API or a push shows them. `offset_hours`: see `utc_offset_hours`."""

    def __init__(self, offset_hours: int) -> None:
        self._offset = timedelta(hours=offset_hours)
        self._values: Mapping[WidgetType, Callable[[Value], Value]] = {
            "text": _text,
            "combo": _text,
            "number": number,
            "date": self._date,
            "datetime": _text,
        }

    def read(self, record: Fields) -> Document:
        """The document of a record, also of one that cannot be read: that one says why and holds it as it came."""
        try:
            return self.document(record)
        except DataError as error:
            return unreadable(record, str(error))

    def document(self, record: Fields) -> Document:
        """The document of a record. The same content gives the same revision, wherever it came from.

        Raises DataError naming the field that is none of the form's kind.
        """
        if not has_id(record):
            raise DataError(f"the record has no _id of its own but {record.get('_id')!r}")
        content = self.content(record)
        stamps = {name: _text(record.get(name)) for name in ("createTime", "updateTime")}
        changed_us = _named("updateTime", instant_us, record.get("updateTime"))
        fields = {"_id": str(record["_id"]), **stamps, **content}
        return Document(work_order().form, str(record["_id"]), revision(changed_us, content), fields)

    def content(self, record: Fields) -> Fields:
        """The fields of the form alone, empty ones as None. Raises DataError naming the one that cannot be read."""
        return {field.alias: self._value(field, record.get(field.alias)) for field in work_order().fields}

    def _value(self, field: Widget, value: Value) -> Value:
        if field.type == "subform":
            rows = value if isinstance(value, list) else []
            return [self._row(field.items, row) for row in rows if isinstance(row, dict)]
        return _named(field.alias, self._values[field.type], value)

    def _row(self, items: Sequence[Widget], row: Fields) -> Fields:
        return {
            "_id": _text(row.get("_id")),
            **{item.alias: self._value(item, row.get(item.alias)) for item in items},
        }

    def _date(self, value: Value) -> Value:
        if value in (None, ""):
            return None
        return (_moment(value) + self._offset).date().isoformat()


def deleted(document: Document) -> Document:
    """The document of a record that is gone: its last known fields, behind every revision it had."""
    stamp, _, content = document.revision.partition("-")
    return replace(document, revision=f"{int(stamp) + 1:017d}-{content}", deleted=True)


def unreadable(record: Fields, problem: str) -> Document:
    """The document of a record that cannot be read; without an `_id` its content is all that tells it from others."""
    try:
        changed_us = instant_us(record.get("updateTime"))
    except DataError:
        changed_us = 0
    known_as = str(record["_id"]) if has_id(record) else f"without-id-{content_hash(record)}"
    return Document(work_order().form, known_as, revision(changed_us, record), record, problem=problem)


def has_id(record: Fields) -> bool:
    """Whether the record says which one it is."""
    known_as = record.get("_id")
    return isinstance(known_as, str) and bool(known_as)


def _named(field: str, read: Callable[[Value], Made], value: Value) -> Made:
    try:
        return read(value)
    except DataError as error:
        raise DataError(f"{field}: {error}") from error


def instant_us(value: Value) -> int:
    """UTC microseconds of a stamp of the vendor's (ISO 8601 or ms since 1970). Raises DataError on any other."""
    found = (_moment(value) - EPOCH) // MICROSECOND
    if found < 0:
        raise DataError(f"{value!r} is no time of the vendor's: it is before 1970")
    return found


def _moment(value: Value) -> datetime:
    try:
        if isinstance(value, int):
            return EPOCH + timedelta(milliseconds=value)
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise DataError(f"{value!r} is no time of the vendor's: ISO 8601 or milliseconds since 1970") from error


def number(value: Value) -> Decimal | None:
    """An exact decimal with no superfluous zeros, or None where the field is empty. Raises DataError on others."""
    if value is None or value == "":
        return None
    try:
        plain = Decimal(str(value)).normalize()
    except ArithmeticError as error:
        raise DataError(f"{str(value)[:100]!r} is no number") from error
    if not plain.is_finite() or abs(plain.adjusted()) > MOST_DIGITS:
        raise DataError(f"{str(value)[:100]!r} is no number of at most {MOST_DIGITS} digits")
    return Decimal(format(plain, "f"))


def _text(value: Value) -> Value:
    return None if value in (None, "") else str(value)
