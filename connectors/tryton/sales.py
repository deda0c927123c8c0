"""Tryton as CRM: sales and complaints as documents, and the status that the bus tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.config import ConnectorConfig
from connectors.tryton.roots import Root, paths_of
from connectors.tryton.wire import typed_date, typed_decimal
from schemas.document import Document, DocumentType, Field, Fields, Kind

ID = Field("id", required=True, writable=False, doc="Tryton's own id; it never changes.")
CREATED = Field("create_date", Kind.INSTANT, writable=False, doc="When the record was made.")
CHANGED = Field("last_modified_at", Kind.INSTANT, writable=False, doc="When the record itself was last written.")


def named(name: str, key: str, doc: str) -> Field:
    """A reference to another record: its id and the field that people know it by."""
    return Field(name, Kind.GROUP, fields=(ID, Field(key, writable=False)), writable=False, doc=doc)


LINES = Field(
    "lines",
    Kind.LIST,
    writable=False,
    fields=(
        ID,
        Field("type", doc="line, subtotal, title or comment; only a line sells something."),
        Field("product", Kind.GROUP, fields=(ID, Field("code"), Field("name")), doc="What is sold."),
        Field("description", doc="The line's own text."),
        Field("quantity", Kind.DECIMAL, doc="How much, in `unit`; negative for a return."),
        named("unit", "symbol", "The unit of the quantity."),
        Field("unit_price", Kind.DECIMAL, doc="Price of one unit, in the sale's currency."),
    ),
    doc="The lines in the sale's order.",
)

SALE = DocumentType(
    "Sale",
    (
        ID,
        Field("number", writable=False, doc="The sale's number; a draft that was never a quotation has none."),
        Field("reference", writable=False, doc="The customer's own reference."),
        Field("description", writable=False, doc="One line about the sale."),
        Field(
            "state", required=True, writable=False, doc="draft, quotation, confirmed, processing, done, cancelled."
        ),
        named("party", "name", "The customer."),
        named("currency", "code", "The currency of all prices."),
        Field("sale_date", Kind.DATE, writable=False, doc="The day of the sale."),
        Field("shipping_date", Kind.DATE, writable=False, doc="The day from which goods are wanted."),
        CREATED,
        CHANGED,
        LINES,
    ),
    doc="A sale with its lines.",
)

COMPLAINT = DocumentType(
    "Complaint",
    (
        ID,
        Field("number", writable=False, doc="The complaint's number."),
        Field("reference", writable=False, doc="The customer's own reference."),
        Field("state", writable=False, doc="draft, waiting, approved, rejected, done or cancelled."),
        Field("date", Kind.DATE, writable=False, doc="The day of the complaint."),
        named("customer", "name", "Who complains."),
        named("type", "name", "What kind of complaint it is."),
        Field("origin", writable=False, doc="What it is about, as model,id: a sale or one of its lines."),
        Field("description", writable=False, doc="The complaint itself."),
        CHANGED,
        Field(
            "actions",
            Kind.LIST,
            fields=(ID, Field("action"), Field("quantity", Kind.DECIMAL)),
            writable=False,
            doc="What is done about it.",
        ),
    ),
    doc="A customer's complaint about a sale.",
)

STATUS = DocumentType(
    "Status",
    (
        Field("number", required=True, doc="The sale's number."),
        Field("version", required=True, doc="The bus's version, 20 digits; an older one is not written."),
        Field("state", required=True, doc="Where the order is in its life."),
        Field("percent", Kind.INTEGER, doc="Finished share, 0 to 100."),
        Field("good", Kind.DECIMAL, doc="Good quantity over all lines."),
        Field("scrap", Kind.DECIMAL, doc="Scrapped quantity over all lines."),
        Field("rework", Kind.DECIMAL, doc="Reworked quantity over all lines."),
        Field("forecast", Kind.DATE, doc="The day it is expected."),
        Field("late", Kind.BOOLEAN, doc="Whether that is after the promise."),
        Field("reason", doc="Why it waits, is held or was aborted."),
    ),
    doc="How far production is with a sale; shown beside it and never written into it.",
)

ROOTS: Mapping[str, Root] = {
    "Sale": Root("sale.sale", SALE, tuple(paths_of(SALE.fields)), {"sale.line": "sale"}, kept={"number": "number"}),
    "Complaint": Root(
        "sale.complaint",
        COMPLAINT,
        tuple(paths_of(COMPLAINT.fields)),
        {"sale.complaint.action": "complaint"},
        kept={"number": "number"},
    ),
}


def documents(config: ConnectorConfig) -> Sequence[DocumentType]:
    """What is read and what is written, the same for every company."""
    return [SALE, COMPLAINT, STATUS]


def status(document: Document) -> Fields:
    """A status as the module's `tell` takes it."""
    fields = document.fields
    numbers = {
        name: typed_decimal(value) for name in ("good", "scrap", "rework") if (value := fields.get(name)) is not None
    }
    forecast = fields.get("forecast")
    return {
        **fields,
        **numbers,
        "order_key": document.id,
        "forecast": typed_date(str(forecast)) if forecast else None,
    }
