"""The header Retry-After, in both its forms, and what Salesforce's answers make of it."""

from __future__ import annotations

from datetime import UTC, datetime

import grpc
import pytest

from connectors.errors import DataError, FarError, Throttled, TransientError
from connectors.http import LONGEST_WISH_S, retry_after_s
from connectors.salesforce.outcomes import CONCURRENT_CALLS_PAUSE_S, error_of_answer, error_of_rpc

NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Sun, 22 Nov 2026 10:01:30 GMT", 90.0),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0.0),  # already over
        ("Sunday, 22-Nov-26 10:00:05 GMT", 5.0),  # RFC 850's form
        ("99999999", LONGEST_WISH_S),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
    ],
)
def test_a_number_and_a_date_are_seconds_from_now_and_anything_else_is_none(said: str, seconds: float | None) -> None:
    assert retry_after_s({"Retry-After": said}, lambda: NOW) == seconds


def test_without_the_header_there_is_no_wish() -> None:
    assert retry_after_s({}) is None


@pytest.mark.parametrize(
    ("status", "code", "wish", "kind", "seconds"),
    [
        (403, "REQUEST_LIMIT_EXCEEDED", None, Throttled, CONCURRENT_CALLS_PAUSE_S),
        (403, "REQUEST_LIMIT_EXCEEDED", 30.0, Throttled, 30.0),
        (503, "SERVER_UNAVAILABLE", 45.0, TransientError, 45.0),
        (503, "SERVER_UNAVAILABLE", None, TransientError, None),
        (429, "SOMETHING_NEW", None, Throttled, CONCURRENT_CALLS_PAUSE_S),
        (429, "SOMETHING_NEW", 7.0, Throttled, 7.0),
        (418, "SOMETHING_NEW", 7.0, DataError, None),
    ],
)
def test_salesforces_throttle_signals_reach_who_waits(
    status: int, code: str, wish: float | None, kind: type[FarError], seconds: float | None
) -> None:
    error = error_of_answer(status, [{"errorCode": code, "message": "m"}], "x", wish)
    assert type(error) is kind
    assert getattr(error, "retry_after_s", None) == seconds


def test_a_gateways_429_without_a_body_of_the_vendors_is_throttling_too() -> None:
    assert isinstance(error_of_answer(429, "<html/>", "x", 9.0), Throttled)


class Exhausted(grpc.RpcError):
    """The status alone, as a proxy before the Pub/Sub API says it."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.RESOURCE_EXHAUSTED

    def details(self) -> str:
        return "too many"

    def trailing_metadata(self) -> tuple[()]:
        return ()


def test_the_pub_sub_apis_resource_exhausted_is_throttling_without_a_trailer_too() -> None:
    error = error_of_rpc(Exhausted(), "subscription")
    assert isinstance(error, Throttled)
    assert error.retry_after_s == CONCURRENT_CALLS_PAUSE_S
