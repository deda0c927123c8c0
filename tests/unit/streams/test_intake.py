"""A far document on its way to the bus."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from mappings import Plan, compile_plan, definition
from schemas.document import Document, DocumentType, Field, Fields, Kind
from schemas.identity import revision
from schemas.wire import Reader, event_of, header_texts
from streams.intake import Intake, Refused, document_of
from streams.kafka.partitions import partition_of
from tests.unit.streams.orders_made_by_hand import Known

ORDER = DocumentType(
    "Order",
    (
        Field("No", required=True),
        Field("Kind"),
        Field("Note"),
        Field("Ready", Kind.BOOLEAN),
        Field("_deleted", Kind.BOOLEAN),
    ),
)
MAPPING = """
mapping: far-order
version: 1
from: far.Order
to: lineshaft.SalesOrder
only_when: {not: {Kind: internal}}
fields:
  number: {from: No, required: true}
  type: {const: sale}
  released: {from: Ready, required: true}
  cancelled: {from: _deleted, default: false}
  reference: Note
"""


@pytest.fixture(scope="module")
def plan() -> Plan:
    return compile_plan([definition(MAPPING, "far-order.yaml")], {"far.Order": ORDER})


@pytest.fixture
def intake(plan: Plan) -> Intake:
    return Intake("crm", "far", 12, plan, Known())


def document(at: int = 5, deleted: bool = False, **fields: Any) -> Document:
    given: Fields = {"No": "7", "Kind": "sale", "Note": None, "Ready": True, **fields}
    return Document("Order", "id-7", revision(at, given), given, deleted)


def test_a_document_becomes_an_event_with_its_keys_its_stamp_and_its_revision(intake: Intake, plan: Plan) -> None:
    out = intake.take(document(), 42)
    assert out is not None
    assert not isinstance(out, Refused)
    headers = header_texts(out.headers)
    event = event_of("SalesOrder", Reader("SalesOrder")(out.value), headers)
    assert (out.topic, out.key, event.subject, event.version, event.time_us) == (
        "crm.orders",
        "crm:7",
        "crm:7",
        42,
        5,
    )
    assert (headers["ce_revision"], headers["ce_definition"]) == (document().revision, plan.id)
    assert event.id == f"crm/crm:7/{document().revision}"
    assert headers["traceparent"].startswith("00-")


def test_a_repeat_has_the_same_id(intake: Intake) -> None:
    first, second = intake.take(document(), 1), intake.take(document(), 2)
    assert first is not None
    assert second is not None
    assert not isinstance(first, Refused)
    assert not isinstance(second, Refused)
    assert dict(first.headers)["ce_id"] == dict(second.headers)["ce_id"]


def test_a_document_that_is_none_of_ours_is_left_out(intake: Intake) -> None:
    assert intake.take(document(Kind="internal"), 1) is None


def test_a_deleted_document_is_mapped_as_deleted(intake: Intake) -> None:
    out = intake.take(document(deleted=True), 1)
    assert out is not None
    assert not isinstance(out, Refused)
    assert Reader("SalesOrder")(out.value)["cancelled"] is True


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        (document(Ready=None), "required_missing"),
        (document(Ready="yes"), "bad_value"),
        (Document("Invoice", "id-8", revision(1, {}), {}), "no_mapping"),
        (document(Note="half \ud83d"), "bad_value"),
        (document(Note="x" * 1_000_000), "too_large"),
        (Document("Order", "id-7", "no revision", document().fields), "defect"),
    ],
)
def test_a_document_that_cannot_be_mapped_is_refused_as_it_came(intake: Intake, given: Document, cause: str) -> None:
    refused = intake.take(given, 1)
    assert isinstance(refused, Refused)
    assert refused.reason.cause == cause
    assert document_of(refused.incoming) == given


def test_the_same_record_is_parked_at_the_same_place_and_a_later_one_beside_it(intake: Intake) -> None:
    first, again, later = (intake.incoming(document(at)) for at in (5, 5, 6))
    assert first.parked_id == again.parked_id
    assert first.parked_id < later.parked_id
    assert (first.subject, later.subject) == ("Order/id-7", "Order/id-7")
    assert intake.partition(first) == partition_of("crm:id-7", 12)
    assert intake.named(document(6)) == replace(later, content=b"")


def test_a_parked_document_keeps_its_exact_numbers(intake: Intake) -> None:
    given = document(Weight=Decimal("0.10"))
    back = document_of(intake.incoming(given))
    assert repr(back.fields["Weight"]) == "Decimal('0.10')"
