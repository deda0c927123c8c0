"""Tryton as MES: productions with work and lots, quality inspections and alerts as documents, and job orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from connectors.config import ConnectorConfig
from connectors.errors import DataError
from connectors.tryton.roots import STAMP, Root, number, paths_of, stamps
from connectors.tryton.sales import CHANGED, ID, named
from connectors.tryton.wire import instant_us, typed_date, typed_decimal
from schemas.document import Document, DocumentType, Field, Fields, Kind, Value

WANTED = ("released", "held", "cancelled")
VERSION_DIGITS = 20
WHOLE = "production"
"""The one operation of a production that has no routing."""

OPERATION = (
    Field("operation", writable=False, doc="The operation's name."),
    Field("work_center", writable=False, doc="Where it is done."),
    Field("state", writable=False, doc="request, draft, waiting, running, finished or done."),
    Field("good", Kind.DECIMAL, writable=False, doc="Good parts so far."),
    Field("scrap", Kind.DECIMAL, writable=False, doc="Scrapped parts so far."),
    Field("rework", Kind.DECIMAL, writable=False, doc="Reworked parts so far."),
    Field("started_at", Kind.INSTANT, writable=False, doc="When its first cycle was begun."),
    Field("ended_at", Kind.INSTANT, writable=False, doc="When its last cycle was done."),
    Field("lots", Kind.TEXTS, writable=False, doc="Lots made; they stand at the last operation."),
)

PRODUCTION = DocumentType(
    "Production",
    (
        ID,
        Field("job_order_id", doc="The bus's own id of the job order; people's productions have none."),
        Field("version", doc="For a sink: the bus's version, 20 digits; an older one is not written."),
        Field("desired", symbols=WANTED, doc="What the customer's order wants; of people's productions nothing."),
        Field("known", Kind.BOOLEAN, doc="For a sink: it was there before; when it is gone, ask and make none."),
        Field("number", writable=False, doc="The production's own number, set when it is released."),
        Field("state", writable=False, doc="request, draft, waiting, assigned, running, done or cancelled."),
        Field("cancel_requested", Kind.BOOLEAN, writable=False, doc="Cancelled by the customer, and still going on."),
        Field("item", doc="Code of the product that is made; a draft of people's may have none yet."),
        Field("quantity", Kind.DECIMAL, doc="How much, in `unit`."),
        Field("unit", doc="Symbol of the unit."),
        Field("due", Kind.DATE, doc="The planned date."),
        Field("reference", doc="The order's reference, for people."),
        Field("created_at", Kind.INSTANT, writable=False, doc="When the production was made."),
        Field("changed_at", Kind.INSTANT, writable=False, doc="When it or any of its parts last changed."),
        Field("operations", Kind.LIST, fields=OPERATION, writable=False, doc="The work, with cumulative figures."),
    ),
    doc="A production; a sink's id is its job_order_id.",
)

PRODUCTION_PATHS = (
    *("lineshaft_id", "lineshaft_desired", "number", "state", "product.code", "quantity", "unit.symbol"),
    *("planned_date", "reference", "create_date"),
    *(f"works.{name}" for name in (STAMP, "operation.name", "work_center.name", "state")),
    *(f"works.cycles.{name}" for name in (STAMP, "create_date", "state")),
    *(f"works.cycles.lineshaft_{name}" for name in ("good", "scrap", "rework")),
    *(f"outputs.{name}" for name in (STAMP, "state", "quantity", "product.code", "to_location.type", "lot.number")),
    f"inputs.{STAMP}",
)

LOT = DocumentType(
    "Lot",
    (ID, Field("number", doc="The lot's number."), named("product", "code", "What it is a lot of."), CHANGED),
    doc="A lot.",
)

INSPECTION = DocumentType(
    "Inspection",
    (
        ID,
        Field("number", doc="The inspection's number."),
        Field("reference", doc="People's own reference."),
        Field("origin", doc="What was inspected, as model,id."),
        named("control", "name", "The rule that asked for it."),
        Field("state", doc="pending, passed or failed."),
        Field("processed_at", Kind.INSTANT, doc="When it was decided."),
        CHANGED,
    ),
    doc="A quality inspection.",
)

ALERT = DocumentType(
    "Alert",
    (
        ID,
        Field("number", doc="The alert's number."),
        Field("title", doc="What it is about."),
        Field("origin", doc="What raised it, as model,id."),
        Field("description", doc="The defect in words."),
        Field("state", doc="open, processing, deferred, resolved."),
        CHANGED,
    ),
    doc="A quality alert.",
)


def documents(config: ConnectorConfig) -> Sequence[DocumentType]:
    """What is read and what is written, the same for every company."""
    return [PRODUCTION, LOT, INSPECTION, ALERT]


def production(record: Fields) -> Fields:
    """The content of a production's document."""
    state, desired = record.get("state"), record.get("lineshaft_desired")
    return {
        "id": str(record["id"]),
        "job_order_id": record.get("lineshaft_id"),
        "version": None,
        "desired": desired,
        "known": None,
        "number": record.get("number"),
        "state": state,
        "cancel_requested": desired == "cancelled" and state not in ("cancelled", "done"),
        "item": _of(record, "product", "code"),
        "quantity": None if record.get("quantity") is None else number(record["quantity"]),
        "unit": _of(record, "unit", "symbol"),
        "due": record.get("planned_date"),
        "reference": record.get("reference"),
        "created_at": record.get("create_date"),
        "changed_at": max(stamps(record), key=instant_us),
        "operations": _operations(record),
    }


def _operations(record: Fields) -> list[Fields]:
    """The works with the sums of their cycles; what came out counts for the last one where no cycle says a figure."""
    outputs = [
        each for each in _list(record, "outputs") if each.get("state") == "done" and _same_product(record, each)
    ]
    lots = sorted({str(lot) for each in outputs if (lot := _of(each, "lot", "number"))})
    works = [_work(each) for each in _list(record, "works")]
    if not works:
        works = [_work({"operation": {"name": WHOLE}})] if outputs else []
    if not works:
        return []
    last = max(range(len(works)), key=lambda index: (str(works[index]["ended_at"] or ""), index))
    figures: Fields = {"lots": lots}
    if outputs and not any(_reported(each) for each in _list(record, "works")):
        scrapped = [each for each in outputs if _of(each, "to_location", "type") == "lost_found"]
        kept = [each for each in outputs if each not in scrapped]
        ended = max(str(each[STAMP]) for each in outputs)
        figures = {**figures, "good": _sum(kept, "quantity"), "scrap": _sum(scrapped, "quantity"), "ended_at": ended}
    works[last] = {**works[last], **figures}
    return works


def _work(work: Fields) -> Fields:
    cycles = [each for each in _list(work, "cycles") if each.get("state") != "cancelled"]
    done = [each for each in cycles if each.get("state") == "done"]
    return {
        "operation": _of(work, "operation", "name"),
        "work_center": _of(work, "work_center", "name"),
        "state": work.get("state"),
        **{name: _sum(done, f"lineshaft_{name}") for name in ("good", "scrap", "rework")},
        "started_at": min((str(each["create_date"]) for each in cycles), default=None),
        "ended_at": max((str(each[STAMP]) for each in done), default=None),
        "lots": [],
    }


def _reported(work: Fields) -> bool:
    cycles = _list(work, "cycles")
    return any(each.get(f"lineshaft_{name}") for each in cycles for name in ("good", "scrap", "rework"))


def _same_product(record: Fields, output: Fields) -> bool:
    return _of(record, "product", "code") == _of(output, "product", "code")


def _sum(records: Sequence[Fields], name: str) -> Decimal:
    return number(sum((number(each.get(name)) for each in records), Decimal(0)))


def _of(record: Fields, name: str, inner: str) -> Value:
    found = record.get(name)
    return found.get(inner) if isinstance(found, dict) else None


def _list(record: Fields, name: str) -> list[Fields]:
    found = record.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


ROOTS: Mapping[str, Root] = {
    "Production": Root(
        "production",
        PRODUCTION,
        PRODUCTION_PATHS,
        {
            "production.work": "production",
            "production.work.cycle": "work.production",
            "stock.move": "production_input production_output",
        },
        make=production,
        kept={"job_order_id": "lineshaft_id", "number": "number", "state": "state"},
    ),
    "Lot": Root("stock.lot", LOT, tuple(paths_of(LOT.fields)), of_company=False),
    "Inspection": Root(
        "quality.inspection", INSPECTION, tuple(paths_of(INSPECTION.fields)), kept={"number": "number"}
    ),
    "Alert": Root("quality.alert", ALERT, tuple(paths_of(ALERT.fields)), kept={"number": "number"}),
}


def job_order(document: Document) -> Fields:
    """A job order as the module's `lineshaft_want` takes it. Raises DataError where it can never be written."""
    fields = document.fields
    version, desired, quantity, due = (fields.get(name) for name in ("version", "desired", "quantity", "due"))
    if desired not in WANTED:
        raise DataError(f"job order {document.id}: {desired!r} cannot be wanted; it is one of {', '.join(WANTED)}")
    if not (isinstance(version, str) and version.isdecimal() and len(version) == VERSION_DIGITS):
        raise DataError(f"job order {document.id}: version is {version!r}, not text of {VERSION_DIGITS} digits")
    return {
        "job_order_id": document.id,
        "version": version,
        "desired": desired,
        "known": fields.get("known"),
        "item": fields.get("item"),
        "unit": fields.get("unit"),
        "reference": fields.get("reference"),
        "quantity": typed_decimal(quantity),
        "due": typed_date(str(due)) if due else None,
    }
