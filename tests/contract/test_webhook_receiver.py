"""What the webhook connector makes of signed pushes, and what it refuses."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path

import pytest

from connectors.contract import Request
from connectors.errors import AuthError, DataError
from connectors.signatures import StandardWebhooks, standard_key
from connectors.webhook import WebhookConfig, connector
from connectors.webhook.receiving import WebhookReceiver
from schemas.document import Document, Fields, Value, to_json
from schemas.identity import revision_time_us

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
BEFORE = "whsec_MTEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
NOW = 1_718_150_400.0
ORDER = {
    "document": "Order",
    "events": ["order.created", "order.changed"],
    "deletions": ["order.deleted"],
    "changed": "changed_at",
    "fields": {
        "number": {"kind": "text", "required": True},
        "quantity": "decimal",
        "lines": {"kind": "list", "at": "items", "fields": {"id": "text", "item": {"at": "product.code"}}},
    },
}
CHANGED: Fields = {"id": 7, "changed_at": "2024-06-12T00:00:00Z", "number": "A-7", "quantity": "2.50", "items": []}


@pytest.fixture
def receiver(tmp_path: Path) -> WebhookReceiver:
    return made(tmp_path)


def made(folder: Path, secret: str = SECRET, **changes: object) -> WebhookReceiver:
    for name, text in (("now", secret), ("before", BEFORE)):
        (folder / name).write_text(text)
    values = {"receive": [ORDER], "receive_secret": f"${{file:{folder}/now}}", **changes}
    return WebhookReceiver(WebhookConfig.model_validate(values), lambda: NOW)


def pushed(body: Value | bytes, secret: str = SECRET, at: float = NOW) -> Request:
    raw = body if isinstance(body, bytes) else to_json(body).encode()
    headers = StandardWebhooks([standard_key(secret)], lambda: at).sign("msg_1", raw)
    return Request("POST", "/webhooks/shop", {}, headers, raw)


def event(kind: str, data: Value) -> Request:
    return pushed({"type": kind, "data": data})


def test_a_signed_push_becomes_a_document(receiver: WebhookReceiver) -> None:
    record: Fields = {**CHANGED, "items": [{"id": "L1", "product": {"code": "P-1"}}]}
    (document,) = receiver.receive(event("order.changed", record))
    assert (document.type, document.id, document.deleted) == ("Order", "7", False)
    assert to_json(document.fields) == '{"lines":[{"id":"L1","item":"P-1"}],"number":"A-7","quantity":2.5}'
    assert revision_time_us(document.revision) == 1_718_150_400_000_000


def test_a_repeat_is_the_same_document_and_a_later_one_is_newer(receiver: WebhookReceiver) -> None:
    first, again = (receiver.receive(event("order.changed", CHANGED)) for _ in range(2))
    (later,) = receiver.receive(event("order.changed", {**CHANGED, "changed_at": "2024-06-12T00:00:01Z"}))
    assert first == again
    assert later.revision > first[0].revision


def test_a_list_of_records_becomes_a_document_each(tmp_path: Path) -> None:
    receiver = made(tmp_path, receive=[{**ORDER, "events": [], "deletions": [], "records": ""}])
    found = receiver.receive(pushed([{**CHANGED, "id": "a"}, {**CHANGED, "id": "b"}]))
    assert [document.id for document in found] == ["a", "b"]


@pytest.mark.parametrize(
    ("kind", "data", "changes"),
    [
        ("order.deleted", {"id": 7, "changed_at": "2024-06-12T00:00:00Z"}, {}),
        ("order.changed", {**CHANGED, "state": {"gone": True}}, {"deleted": "state.gone"}),
    ],
)
def test_a_deletion_is_told_by_its_event_or_by_a_flag(
    tmp_path: Path, kind: str, data: Value, changes: Mapping[str, object]
) -> None:
    (document,) = made(tmp_path, receive=[{**ORDER, **changes}]).receive(event(kind, data))
    assert (document.id, document.deleted, document.problem) == ("7", True, "")


def test_an_event_that_nobody_asked_for_is_left_out(receiver: WebhookReceiver) -> None:
    assert receiver.receive(event("invoice.paid", {"id": 1})) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"quantity": "many"}, "quantity"),
        ({"number": None}, "number is required"),
        ({"changed_at": "yesterday"}, "is no moment"),
        ({"changed_at": None}, "is no moment"),
        ({"id": None}, "the record has no id"),
        ({"items": "none"}, "lines"),
    ],
)
def test_a_record_that_cannot_be_read_is_parked_as_it_came(
    receiver: WebhookReceiver, change: Mapping[str, Value], says: str
) -> None:
    (document,) = receiver.receive(event("order.changed", {**CHANGED, **change}))
    assert says in document.problem
    assert document.fields == {**CHANGED, **change}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'"text"', b"7", b'{"type": "order.changed"}', b"[" * 100_000])
def test_a_body_that_is_no_push_is_refused(receiver: WebhookReceiver, body: bytes) -> None:
    with pytest.raises(DataError):
        receiver.receive(pushed(body))


def test_a_forged_or_an_old_push_is_refused(receiver: WebhookReceiver) -> None:
    for forged in (pushed(CHANGED, BEFORE), pushed(CHANGED, at=NOW - 301)):
        with pytest.raises(AuthError):
            receiver.receive(forged)


def test_while_the_secret_is_changed_the_one_before_is_good(tmp_path: Path) -> None:
    receiver = made(tmp_path, receive_secret_before=f"${{file:{tmp_path}/before}}")
    for secret in (SECRET, BEFORE):
        push = pushed({"type": "order.changed", "data": CHANGED}, secret)
        assert [document.id for document in receiver.receive(push)] == ["7"]


def test_a_digest_in_a_header_may_be_the_signature(tmp_path: Path) -> None:
    rule = {"header": "X-Hub-Signature-256", "prefix": "sha256="}
    receiver = made(tmp_path, "a text as secret", signature=rule)
    body = to_json({"type": "order.changed", "data": CHANGED}).encode()
    code = hmac.new(b"a text as secret", body, hashlib.sha256).hexdigest()
    found = receiver.receive(Request("POST", "/", {}, {"x-hub-signature-256": f"sha256={code}"}, body))
    assert [document.id for document in found] == ["7"]
    with pytest.raises(AuthError, match="X-Hub-Signature-256"):
        receiver.receive(Request("POST", "/", {}, {"x-hub-signature-256": f"sha256={code[:-1]}0"}, body))


def test_where_nothing_is_to_be_received_every_push_is_refused() -> None:
    assert connector.webhook is not None
    with pytest.raises(AuthError, match="no pushes are taken here"):
        connector.webhook(WebhookConfig()).receive(pushed(CHANGED))


def test_the_fields_are_those_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "now").write_text(SECRET)
    config = WebhookConfig.model_validate({"receive": [ORDER], "receive_secret": f"${{file:{tmp_path}/now}}"})
    (found,) = connector.documents(config)
    assert [field.name for field in found.fields] == ["number", "quantity", "lines"]
    assert isinstance(Document("Order", "7", "0", {}), Document)
