"""What an answer means, by the rows of a contract: those of Dataverse, Opcenter, SAP and Oracle stand for all."""

from __future__ import annotations

import httpx
import pytest

from connectors.classification import (
    Answers,
    Said,
    conflict,
    lost_cursor,
    misconfigured,
    page_text,
    passing,
    permanent,
    refused,
    throttled,
    told,
)
from connectors.errors import (
    AuthError,
    ConfigError,
    Conflict,
    DataError,
    FarError,
    LostCursor,
    Throttled,
    TransientError,
    UnknownOutcome,
)
from connectors.http import LONGEST_WISH_S, Effect
from connectors.json_path import at, text_at
from schemas.document import Fields, Value, to_json

STATUSES = {401: refused(), 403: refused(), 409: conflict, 412: conflict, 429: throttled(None), 503: passing}

DATAVERSE = Answers(
    {**STATUSES, 502: passing},
    {
        "0x80072322": throttled(None),
        "0x80040220": misconfigured("user", "Give it a role."),
        "0x80040237": permanent(),
        "expired": lost_cursor,
    },
    lambda body: text_at(body, "error.code"),
)


def failed_command(body: Value) -> str:
    """Opcenter answers 200 for both outcomes: `Succeeded` decides (its contract, section 2)."""
    return "" if at(body, "Succeeded") is not False else text_at(body, "Error.ErrorCode")


OPCENTER = Answers(
    STATUSES, {"-7": passing}, failed_command, lambda body: text_at(body, "Error.ErrorMessage"), permanent()
)


def answer(status: int, body: Value | str, **headers: str) -> httpx.Response:
    text = body if isinstance(body, str) else to_json(body)
    named = {name.replace("_", "-"): each for name, each in headers.items()}
    return httpx.Response(
        status, text=text, headers=named, request=httpx.Request("GET", "https://far/api/orders?q=1")
    )


def error_of(answers: Answers, response: httpx.Response, effect: Effect = "reads") -> FarError:
    with pytest.raises(FarError) as raised:
        answers.read(response, effect)
    return raised.value


def odata(code: str) -> Fields:
    return {"error": {"code": code, "message": f"about {code}"}}


ROWS: list[tuple[Answers, int, Value, Effect, type[FarError]]] = [
    (DATAVERSE, 429, odata("0x80072322"), "writes", Throttled),
    (DATAVERSE, 400, odata("0x80072322"), "writes", Throttled),  # the code decides, not the status
    (DATAVERSE, 403, odata("0x80040220"), "reads", ConfigError),
    (DATAVERSE, 403, odata("0x80048306"), "reads", AuthError),  # a code of no row: the status decides
    (DATAVERSE, 400, odata("0x80040237"), "writes", DataError),
    (DATAVERSE, 412, odata("0x80060882"), "writes", Conflict),
    (DATAVERSE, 400, odata("expired"), "reads", LostCursor),
    (DATAVERSE, 400, odata("0x1"), "writes", DataError),
    (DATAVERSE, 502, odata(""), "writes", TransientError),
    (DATAVERSE, 500, odata("0x80040216"), "reads", TransientError),
    (DATAVERSE, 500, odata("0x80040216"), "writes", UnknownOutcome),
    (DATAVERSE, 302, {}, "writes", UnknownOutcome),
    (OPCENTER, 200, {"Succeeded": False, "Error": {"ErrorCode": -702597, "ErrorMessage": "no"}}, "writes", DataError),
    (OPCENTER, 200, {"Succeeded": False, "Error": {"ErrorCode": -7}}, "writes", TransientError),
]


@pytest.mark.parametrize(("answers", "status", "body", "effect", "kind"), ROWS)
def test_an_answer_means_what_the_row_of_its_contract_says(
    answers: Answers, status: int, body: Value, effect: Effect, kind: type[FarError]
) -> None:
    assert type(error_of(answers, answer(status, body), effect)) is kind


def test_a_good_answer_is_its_body_with_exact_decimals_and_an_empty_one_is_nothing() -> None:
    body: Fields = {"Succeeded": True, "Error": {"ErrorCode": 0}, "Id": "6b1d"}
    assert OPCENTER.read(answer(200, body), "writes") == body
    assert DATAVERSE.read(httpx.Response(204, request=httpx.Request("PATCH", "https://far")), "writes") is None


@pytest.mark.parametrize(("effect", "kind"), [("reads", TransientError), ("writes", UnknownOutcome)])
def test_a_good_status_with_a_page_for_people_is_no_answer(effect: Effect, kind: type[FarError]) -> None:
    error = error_of(DATAVERSE, answer(200, "<html><style>b{}</style><h1>Sign in</h1></html>"), effect)
    assert type(error) is kind
    assert "Sign in" in str(error)
    assert "<" not in str(error)


@pytest.mark.parametrize(("said", "seconds"), [("7", 7.0), ("99999999", LONGEST_WISH_S), ("soon", None)])
def test_the_far_system_s_own_wish_when_to_call_again_is_heeded(said: str, seconds: float | None) -> None:
    for status in (429, 503):
        error = error_of(DATAVERSE, answer(status, {}, Retry_After=said))
        assert isinstance(error, TransientError)
        assert error.retry_after_s == seconds
    assert not hasattr(error_of(DATAVERSE, answer(400, {}, Retry_After=said)), "retry_after_s")


def test_a_row_s_own_wait_holds_where_the_answer_wishes_none() -> None:
    answers = Answers({429: throttled(60.0)})
    waits = [error_of(answers, answer(429, {}, **more)) for more in ({}, {"Retry_After": "5"})]
    assert [getattr(each, "retry_after_s", None) for each in waits] == [60.0, 5.0]


def test_an_error_says_where_what_and_why_as_far_as_a_person_reads_it() -> None:
    error = error_of(DATAVERSE, answer(400, odata("0x80040217")))
    assert str(error) == "/api/orders: HTTP 400 code 0x80040217 about 0x80040217"
    assert isinstance(error, DataError)
    assert error.code == "0x80040217"
    assert len(str(error_of(DATAVERSE, answer(400, {"message": "x" * 9_000})))) < 600


BODIES: list[tuple[Value, str]] = [
    ({"message": "plain"}, "plain"),
    ({"error": {"code": "1", "message": "OData v4"}}, "OData v4"),
    ({"error": {"code": "1", "message": {"lang": "en", "value": "OData v2"}}}, "OData v2"),
    ({"error": "invalid_client", "error_description": "OAuth"}, "OAuth"),
    ({"type": "about:blank", "title": "Bad Request", "detail": "problem details"}, "problem details"),
    ([{"a": 1}], '[{"a":1}]'),
    (None, ""),
]


@pytest.mark.parametrize(("body", "text"), BODIES)
def test_the_vendors_ways_of_telling_what_is_wrong_are_known(body: Value, text: str) -> None:
    assert told(body) == text


def test_a_row_may_say_what_a_person_looks_at() -> None:
    said = Said("/x: HTTP 403", "403", "reads")
    assert str(refused("look at its roles")(said)) == "/x: HTTP 403: look at its roles"
    assert str(permanent("its flow forbids it")(said)) == "/x: HTTP 403 (its flow forbids it)"
    assert str(misconfigured("url", "Mend it.")(said)) == "url: /x: HTTP 403. Mend it."


def test_scripts_and_styles_of_a_page_are_not_what_a_person_reads() -> None:
    page = answer(500, "<head><script>if (a<b) {}</script></head><body><p>It is</p> <b>down</b></body>")
    assert page_text(page) == "It is down"


def test_a_place_in_json_may_have_names_with_dots() -> None:
    body: Fields = {"d": {"results": [1]}, "@odata.nextLink": "u", "a": {"b.c": {"d": 2}}, "flag": True}
    assert at(body, "d.results") == [1]
    assert at(body, "@odata.nextLink") == "u"
    assert at(body, "a.b.c.d") == 2
    assert at(body, "") == body
    assert at(body, "d.results.x") is None
    assert [text_at(body, path) for path in ("a.b.c.d", "flag", "d", "gone")] == ["2", "", "", ""]


def test_a_page_that_is_not_in_the_encoding_it_names_is_read_all_the_same() -> None:
    page = httpx.Response(500, content=b"down", headers={"Content-Type": "text/html; charset=utf-16"})
    assert page_text(page) == "down"
