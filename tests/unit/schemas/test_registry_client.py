"""The client of the Confluent schema registry API, against a scripted transport."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from schemas.catalog import schema
from schemas.codec import CodecError
from schemas.registry import Registry, RegistryAway, RegistryError

Answer = Callable[[httpx.Request], httpx.Response]


def registry(answer: Answer) -> Registry:
    return Registry("http://registry:8081/", httpx.Client(transport=httpx.MockTransport(answer)))


def test_registering_sets_full_transitive_first_under_the_topics_and_the_records_own_name() -> None:
    asked: list[tuple[str, str, object]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path, json.loads(request.content)))
        assert request.headers["content-type"] == "application/vnd.schemaregistry.v1+json"
        return httpx.Response(200, json={"id": 12})

    client = registry(answer)
    assert client.register("SalesOrder", ["crm.orders"]) == client.id_of("SalesOrder") == 12
    text = {"schema": json.dumps(schema("SalesOrder"))}
    assert asked == [
        ("PUT", "/config/crm.orders-value", {"compatibility": "FULL_TRANSITIVE"}),
        ("POST", "/subjects/crm.orders-value/versions", text),
        ("PUT", "/config/lineshaft.SalesOrder", {"compatibility": "FULL_TRANSITIVE"}),
        ("POST", "/subjects/lineshaft.SalesOrder/versions", text),
    ]


def test_an_incompatible_schema_is_told_with_what_the_registry_says() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        incompatible = httpx.Response(409, json={"error_code": 409, "message": "READER_FIELD_MISSING_DEFAULT"})
        return incompatible if request.method == "POST" else httpx.Response(200, json={})

    with pytest.raises(RegistryError, match=r"POST .*/subjects/t-value/versions: HTTP 409 .*READER_FIELD_MISSING"):
        registry(answer).register("Item", ["t"])


def test_a_process_that_registered_nothing_looks_its_ids_up_once_and_writes_nothing() -> None:
    asked: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path))
        return httpx.Response(200, json={"subject": "lineshaft.Item", "version": 1, "id": 9})

    client = registry(answer)
    assert [client.id_of("Item"), client.id_of("Item")] == [9, 9]
    assert asked == [("POST", "/subjects/lineshaft.Item")]


@pytest.mark.parametrize("code", [40401, 40403])
def test_a_record_that_was_not_registered_has_no_id(code: int) -> None:
    with pytest.raises(RegistryError, match=r"Item was not registered .* run `lineshaft topics apply`"):
        registry(lambda _: not_found(code)).id_of("Item")


def not_found(code: int) -> httpx.Response:
    return httpx.Response(404, json={"error_code": code, "message": "not found"})


def refuses(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("connection refused")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (refuses, "not reachable"),
        (lambda _: httpx.Response(500, text="broken"), "HTTP 500 broken"),
        (lambda _: httpx.Response(401), "HTTP 401"),
        (lambda _: httpx.Response(200, text="<html>a proxy's page"), "no answer of a schema registry"),
        (lambda _: httpx.Response(200, json=[1]), "no answer of a schema registry"),
        (lambda _: httpx.Response(200, json={"version": 1}), "no answer of a schema registry"),
    ],
)
def test_an_answer_that_is_none_names_the_request(answer: Answer, says: str) -> None:
    with pytest.raises(RegistryError, match=rf"http://registry:8081.*{says}"):
        registry(answer).register("Item")


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: not_found(40403),
        lambda _: httpx.Response(200, json={"schema": "no json"}),
        lambda _: httpx.Response(200, json={"schema": 7}),
        lambda _: httpx.Response(200, json={"schema": "syntax = 'proto3';", "schemaType": "PROTOBUF"}),
    ],
)
def test_a_schema_that_cannot_be_had_is_a_codec_error_of_the_record(answer: Answer) -> None:
    with pytest.raises(CodecError, match="schema id 7 is not shipped"):
        registry(answer).schema_of(7)


@pytest.mark.parametrize("answer", [refuses, lambda _: httpx.Response(503), lambda _: httpx.Response(429)])
def test_a_registry_that_does_not_answer_now_says_nothing_about_the_record(answer: Answer) -> None:
    with pytest.raises(RegistryAway):
        registry(answer).schema_of(7)
    with pytest.raises(RegistryAway):
        registry(answer).id_of("Item")


@pytest.mark.parametrize(
    "answer", [lambda _: httpx.Response(404), lambda _: httpx.Response(401), lambda _: httpx.Response(200, text="<")]
)
def test_an_address_that_is_no_registrys_says_nothing_about_the_record_either(answer: Answer) -> None:
    with pytest.raises(RegistryError, match="GET http://registry:8081/schemas/ids/7"):
        registry(answer).schema_of(7)


def test_a_failed_question_is_asked_again_and_an_answer_is_kept_for_ever() -> None:
    answers = [httpx.Response(503), httpx.Response(200, json={"schema": json.dumps(schema("Item"))})]
    client = registry(lambda _: answers.pop(0))
    with pytest.raises(RegistryAway):
        client.schema_of(7)
    assert client.schema_of(7) == client.schema_of(7) == schema("Item")
