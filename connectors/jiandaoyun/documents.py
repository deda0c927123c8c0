"""Records of the form as documents: their type, their values, their revision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from connectors.config import ConnectorConfig
from connectors.errors import DataError
from connectors.jiandaoyun.form import Widget, WidgetType, work_order
from schemas.document import Document, DocumentType, Field, Fields, Kind, Value
from schemas.identity import revision

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

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

    def document(self, record: Fields) -> Document:
        """The document of a record. The same content gives the same revision, wherever it came from."""
        content = self.content(record)
        stamps = {name: _text(record.get(name)) for name in ("createTime", "updateTime")}
        changed_us = instant_us(record["updateTime"])
        fields = {"_id": str(record["_id"]), **stamps, **content}
        return Document(work_order().form, str(record["_id"]), revision(changed_us, content), fields)

    def content(self, record: Fields) -> Fields:
        """The fields of the form alone, empty ones as None."""
        return {field.alias: self._value(field, record.get(field.alias)) for field in work_order().fields}

    def _value(self, field: Widget, value: Value) -> Value:
        if field.type == "subform":
            rows = value if isinstance(value, list) else []
            return [self._row(field.items, row) for row in rows if isinstance(row, dict)]
        return self._values[field.type](value)

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
    gone = f"{int(stamp) + 1:017d}-{content}"
    return Document(document.type, document.id, gone, document.fields, deleted=True)


def instant_us(value: Value) -> int:
    """UTC microseconds of a stamp of the vendor's (ISO 8601 or ms since 1970). Raises DataError on any other."""
    return (_moment(value) - EPOCH) // MICROSECOND


def _moment(value: Value) -> datetime:
    try:
        if isinstance(value, int):
            return EPOCH + timedelta(milliseconds=value)
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise DataError(f"{value!r} is no time of the vendor's: ISO 8601 or milliseconds since 1970") from error


def number(value: Value) -> Decimal | None:
    """An exact decimal with no superfluous zeros, or None where the field is empty."""
    if value is None or value == "":
        return None
    plain = Decimal(str(value))
    return Decimal(format(plain.normalize(), "f"))


def _text(value: Value) -> Value:
    return None if value in (None, "") else str(value)
