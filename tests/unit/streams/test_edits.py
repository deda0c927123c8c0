"""New content for a parked record: what may be changed and what is said where it may not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import TransientError
from mappings import compile_plan
from schemas.document import Document, DocumentType, Field, Kind, from_json, to_json
from schemas.readable import readable
from schemas.wire import Reader, Writer
from streams.edits import EditRefused, check, content_of
from streams.incoming import BY_REFERENCE, Incoming
from streams.intake import Intake, document_of
from streams.kafka.cluster import Cluster
from tests.unit.streams.orders_made_by_hand import Known, order

CLUSTER = Cluster("127.0.0.1:1")
TYPES = (DocumentType("Order", (Field("No", required=True), Field("Ready", Kind.BOOLEAN))),)


def came(record: str = "SalesOrder", content: bytes = b"", **changes: Any) -> Incoming:
    made = {
        "parked_id": "crm:1|crm.orders|7",
        "topic": "crm.orders",
        "partition": 0,
        "offset": 7,
        "order_key": "crm:1",
        "subject": "crm:1",
        "revision": "1-a",
        "content_type": "avro",
        "headers": {"ce_type": f"lineshaft.{record}"},
        **changes,
    }
    return Incoming(content=content or Writer("SalesOrder")(order()), **made)


def document(**changes: Any) -> dict[str, Any]:
    fields = {"No": "1", "Ready": "perhaps", "Odd": 1}
    return {"type": "Order", "id": "1", "revision": "1-a", "fields": fields, "deleted": False, **changes}


def came_as_document(**changes: Any) -> Incoming:
    content = to_json(document()).encode()
    return came("", content, topic="", subject="Order/1", content_type="json", headers={}, **changes)


def types() -> Sequence[DocumentType]:
    return TYPES


def made(incoming: Incoming, value: Any) -> bytes:
    return content_of(incoming, to_json(value), CLUSTER, types)


def test_an_edited_record_is_encoded_as_its_schema_says() -> None:
    shown = readable("SalesOrder", order())
    content = made(came(), {**shown, "reference": "WO-1"})
    assert Reader("SalesOrder")(content)["reference"] == "WO-1"
    check(came(), content, CLUSTER, types)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"number": "2"}, "number: an edit may not change it; '1' was expected, not '2'"),
        ({"released": "maybe"}, "released: true or false was expected, not 'maybe'"),
    ],
)
def test_an_edit_changes_what_a_record_says_and_not_which_one_it_is(changes: Any, said: str) -> None:
    with pytest.raises(EditRefused, match=said):
        made(came(), {**readable("SalesOrder", order()), **changes})


def test_content_that_is_no_such_record_is_refused_by_the_task_too() -> None:
    with pytest.raises(EditRefused, match="no SalesOrder"):
        check(came(), b"garbage", CLUSTER, types)


def test_what_says_nothing_about_itself_can_only_be_discarded() -> None:
    with pytest.raises(EditRefused, match=r"nobody knows what this is a record of.*then discard it"):
        made(came("", b"garbage"), {"number": "1"})


def test_what_is_no_json_is_told_so() -> None:
    with pytest.raises(EditRefused, match="this is no JSON"):
        content_of(came(), "{number: 1", CLUSTER, types)


def test_an_edited_document_keeps_its_odd_fields_and_its_exact_place() -> None:
    fields = {"No": "1", "Ready": True, "Odd": 1}
    assert from_json(made(came_as_document(), document(fields=fields))) == document(fields=fields)


def test_numbers_that_were_shown_as_texts_are_numbers_again() -> None:
    fields = {"No": "1", "Weight": Decimal("5.0"), "Lines": [{"Weight": Decimal("0.10")}]}
    held = replace(came_as_document(), content=to_json(document(fields=fields)).encode())
    shown = {"No": "2", "Weight": "5.0", "Lines": [{"Weight": "0.10"}]}
    back = from_json(content_of(held, json.dumps(document(fields=shown)), CLUSTER, types))
    assert back == document(fields={**fields, "No": "2"})
    assert '"Weight":0.10' in to_json(back)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fields": {"No": "1", "Ready": "no"}}, "fields.Ready: true or false was expected, not 'no'"),
        ({"fields": {"No": "1", "Raedy": True}}, "fields.Raedy: there is no such field; there are No, Ready"),
        ({"fields": []}, "fields: an object was expected"),
        ({"id": "2"}, "type, id: an edit may not change it; 'Order/1' was expected, not 'Order/2'"),
        ({"revision": "9-z"}, "revision: an edit may not change it"),
        ({"deleted": 0}, "deleted: true or false was expected"),
        ({"more": 1}, "an object with exactly type, id, revision, fields, deleted was expected"),
    ],
)
def test_a_document_is_checked_field_by_field(changes: Any, said: str) -> None:
    with pytest.raises(EditRefused) as refused:
        made(came_as_document(), document(**changes))
    assert said in str(refused.value)


def test_a_document_is_edited_as_a_source_parks_it_and_its_problem_may_be_taken_away() -> None:
    intake = Intake("crm", "far", 1, compile_plan([], {}), Known())
    fields: Any = {"No": "1", "Ready": True}
    parked = intake.incoming(Document("Order", "1", "1-a", fields, problem="Ready: it was no truth value"))
    shown: Any = from_json(parked.content)
    assert document_of(replace(parked, content=made(parked, {**shown, "problem": ""}))).problem == ""
    left = {name: value for name, value in shown.items() if name != "problem"}
    assert document_of(replace(parked, content=made(parked, left))).problem == ""
    with pytest.raises(EditRefused, match="problem: a text was expected"):
        made(parked, {**shown, "problem": 7})


def test_a_document_too_large_to_be_kept_may_be_written_anew() -> None:
    held = came_as_document(parked_id="x")
    lost = Incoming(**{**vars(held), "content": b"", "content_type": BY_REFERENCE})
    assert made(lost, document(fields={"No": "1", "Ready": True}))
    with pytest.raises(EditRefused, match=r"fields\.Ready"):
        made(lost, document(fields={"No": "1", "Ready": 7}))


def test_a_far_system_that_cannot_be_asked_for_its_fields_refuses_the_edit_for_now() -> None:
    def away() -> Sequence[DocumentType]:
        raise TransientError("down")

    with pytest.raises(EditRefused, match=r"could not be asked which there are \(down\); try again later"):
        content_of(came_as_document(), to_json(document(fields={"No": "2"})), CLUSTER, away)
