"""Signed webhooks: the standard's own test vector, and everything that is not right is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Request
from connectors.errors import AuthError
from connectors.signatures import SignedHeader, StandardWebhooks, check_fresh, standard_key

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
BODY = b'{"type":"workorder.completed","timestamp":"2024-06-12T00:00:00Z","data":{"id":"WO-7"}}'
AT = 1_718_150_400
HEADERS = {
    "webhook-id": "msg_01J0",
    "webhook-timestamp": str(AT),
    "webhook-signature": "v1,vPtGzo6ctlQIeQ5yUgSsU3oxkO/WGcOqAYrdszddoLI=",
}
PUSH = Request("POST", "/webhooks/plant", {}, HEADERS, BODY)
KEY = standard_key(SECRET)
OLD = b"another key of thirty-two bytes!"


def at(now: float, *keys: bytes) -> StandardWebhooks:
    return StandardWebhooks(keys or (KEY,), lambda: now)


def with_header(name: str, value: str) -> Request:
    return replace(PUSH, headers={**HEADERS, name: value})


def test_the_standards_test_vector_is_signed_and_verified() -> None:
    assert at(AT).sign("msg_01J0", BODY) == HEADERS
    at(AT).verify(PUSH)


@pytest.mark.parametrize(
    "push",
    [
        replace(PUSH, body=BODY + b" "),
        replace(PUSH, headers={}),
        with_header("webhook-id", "msg_01J1"),
        with_header("webhook-id", ""),
        with_header("webhook-timestamp", str(AT + 1)),
        with_header("webhook-signature", "v1,AAAA"),
        with_header("webhook-signature", "no signature at all"),
        with_header("webhook-signature", HEADERS["webhook-signature"].replace("v1,", "v1a,")),
        with_header("webhook-signature", "ü"),
    ],
)
def test_whatever_was_changed_is_refused(push: Request) -> None:
    with pytest.raises(AuthError, match="webhook-signature is wrong"):
        at(AT).verify(push)


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_push_is_good_for_five_minutes(seconds: int) -> None:
    at(AT + seconds).verify(PUSH)


@pytest.mark.parametrize(("seconds", "says"), [(301, "301 s old"), (-301, "from 301 s in the future")])
def test_a_push_that_is_sent_again_later_is_refused(seconds: int, says: str) -> None:
    with pytest.raises(AuthError, match=says):
        at(AT + seconds).verify(PUSH)


@pytest.mark.parametrize("text", ["", "-1", "1e9", "٣", "1718150400.5", "9" * 400])
def test_a_time_that_is_no_number_of_seconds_is_refused(text: str) -> None:
    with pytest.raises(AuthError, match="no number of seconds"):
        check_fresh(text, AT)


def test_while_a_secret_is_changed_both_are_good() -> None:
    at(AT, OLD, KEY).verify(PUSH)
    both = f"v1,{'A' * 43}= {HEADERS['webhook-signature']}"
    at(AT).verify(with_header("webhook-signature", both))
    with pytest.raises(AuthError):
        at(AT, OLD).verify(PUSH)


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        ("whsec_no base64!", "copy it whole"),
        ("whsec_AAAA", "holds 3 bytes"),
        ("", "holds 0 bytes"),
        ("ü", "copy it whole"),
    ],
)
def test_a_secret_that_is_none_is_refused(secret: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        standard_key(secret)


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_a_digest_in_a_header_is_verified(digest: str, encoding: str) -> None:
    code = hmac.new(OLD, BODY, getattr(hashlib, digest)).digest()
    shown = code.hex() if encoding == "hex" else base64.b64encode(code).decode()
    rule = SignedHeader("X-Signature", (KEY, OLD), digest, encoding, prefix=f"{digest}=")  # type: ignore[arg-type]
    rule.verify(Request("POST", "/", {}, {"x-signature": f"{digest}={shown}"}, BODY))
    for wrong in (f"{digest}={shown}0", shown, "", f"{digest}="):
        with pytest.raises(AuthError, match="X-Signature is wrong"):
            rule.verify(Request("POST", "/", {}, {"x-signature": wrong}, BODY))


def test_a_hexadecimal_digest_may_have_capital_letters_and_base64_may_not_change_its() -> None:
    code = hmac.new(OLD, BODY, hashlib.sha256).digest()
    SignedHeader("X", (OLD,)).verify(Request("POST", "/", {}, {"x": code.hex().upper()}, BODY))
    with pytest.raises(AuthError):
        swapped = base64.b64encode(code).decode().swapcase()
        SignedHeader("X", (OLD,), encoding="base64").verify(Request("POST", "/", {}, {"x": swapped}, BODY))


def test_no_key_is_ever_shown() -> None:
    assert "0123" not in repr(at(AT)) + repr(SignedHeader("X", (KEY,)))


@given(st.dictionaries(st.sampled_from(list(HEADERS)), st.text(max_size=60)), st.binary(max_size=40))
def test_whatever_arrives_is_refused_in_a_sentence(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(AuthError):
        at(AT).verify(Request("POST", "/", {}, headers, body))
