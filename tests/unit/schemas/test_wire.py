"""Framing, schema ids, CloudEvents headers."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import wire
from schemas.catalog import history, record_names, schema
from schemas.codec import CodecError
from schemas.event import Event
from schemas.registry import Registry
from schemas.wire import Reader, Writer, event_of, fingerprint_id, header_texts, headers_of, instant_us, iso_instant

LINK = {"kind": "unit", "system": "crm", "id": "Each", "to_system": "mes", "to_id": "pcs"}


def test_a_message_is_a_zero_byte_four_bytes_of_schema_id_and_avro() -> None:
    data = Writer("Link")(LINK)
    assert data[:5] == b"\0" + struct.pack(">I", fingerprint_id("Link"))
    assert Reader("Link")(data) == LINK


def test_a_reader_gives_only_the_fields_that_were_asked_for() -> None:
    assert Reader("Link", reads={"to_id"})(Writer("Link")(LINK)) == {"to_id": "pcs"}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "a tombstone"),
        (b"", "0 bytes"),
        (b"\0\0\0\0", "4 bytes"),
        (b"\1\0\0\0\0abc", "the first byte is 1, not 0"),
        (b"\0\0\0\0\7abc", "schema id 7 is not shipped and no registry is configured"),
        (Writer("Link")(LINK)[:-1], "no Link"),
        (Writer("Link")(LINK) + b"\0", "1 bytes are left over"),
        (struct.pack(">bI", 0, fingerprint_id("Item")) + b"x", f"schema id {fingerprint_id('Item')} is a Item"),
    ],
)
def test_a_message_that_is_no_record_says_why(data: bytes | None, says: str) -> None:
    with pytest.raises(CodecError, match=says):
        Reader("Link")(data)


def test_no_two_shipped_schemas_or_earlier_versions_share_an_id() -> None:
    every = {wire.fingerprint(version) for name in record_names() for version in history(name).values()}
    todays = {fingerprint_id(name) for name in record_names()}
    texts = {json.dumps(v, sort_keys=True) for name in record_names() for v in history(name).values()}
    assert len(todays) == len(record_names())
    assert len(every | todays) == len(texts | {json.dumps(schema(name), sort_keys=True) for name in record_names()})
    assert all(0 <= each < 2**31 for each in every)


def newer_than(older: Mapping[str, Any]) -> dict[str, Any]:
    added = [
        {"name": "note", "type": ["null", "string"], "default": None, "doc": "New."},
        {"name": "share", "type": DECIMAL_OR_NULL, "default": None, "doc": "New."},
        {"name": "tags", "type": {"type": "array", "items": "string"}, "default": [], "doc": "New."},
    ]
    return {**older, "fields": [*older["fields"], *added]}


DECIMAL_OR_NULL = ["null", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}]


COVER = {"order_key": "crm:1", "line_id": "L1", "quantity": -5_000_000}
REPORT = {"job_order_id": "j", "order_key": "k", "changed_at": 1, "state": "running", "covers": [COVER]}


@pytest.mark.parametrize(("name", "record"), [("Link", LINK), ("JobResponse", REPORT)])
def test_a_record_of_an_earlier_version_is_read_with_todays_fields(
    name: str, record: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Writer(name)(record)
    before = Reader(name)(written)
    today, earlier = newer_than(schema(name)), schema(name)
    monkeypatch.setattr("schemas.codec.schema", lambda _: today)
    monkeypatch.setattr("schemas.wire.schema", lambda each: today if each == name else schema(each))
    monkeypatch.setattr("schemas.wire.history", lambda each: {1: earlier} if each == name else {})
    wire._shipped.cache_clear()
    try:
        assert Reader(name)(written) == {**before, "note": None, "share": None, "tags": []}
        assert Reader(name, reads={"note"})(written) == {"note": None}
    finally:
        wire._shipped.cache_clear()


def registry_with(schemas: Mapping[int, Any], asked: list[int]) -> Registry:
    def answer(request: httpx.Request) -> httpx.Response:
        number = int(request.url.path.rsplit("/", 1)[1])
        asked.append(number)
        if number not in schemas:
            return httpx.Response(404, json={"error_code": 40403, "message": "Schema not found"})
        return httpx.Response(200, json={"schema": json.dumps(schemas[number])})

    return Registry("http://registry", httpx.Client(transport=httpx.MockTransport(answer)))


def test_a_foreign_schema_id_is_asked_of_the_registry_once() -> None:
    asked: list[int] = []
    read = Reader("Link", ids=registry_with({7: schema("Link")}, asked))
    foreign = b"\0\0\0\0\7" + Writer("Link")(LINK)[5:]
    assert [read(foreign), read(foreign)] == [LINK, LINK]
    assert asked == [7]


def test_a_shipped_schema_id_is_never_asked_of_the_registry() -> None:
    asked: list[int] = []
    Reader("Link", ids=registry_with({}, asked))(Writer("Link")(LINK))
    assert asked == []


def test_a_schema_that_the_registry_does_not_know_either_makes_no_record() -> None:
    with pytest.raises(CodecError, match=r"schema id 7 is not shipped and the registry has no answer.*404"):
        Reader("Link", ids=registry_with({}, []))(b"\0\0\0\0\7abc")


@pytest.mark.parametrize("foreign", ["string", ["null", "string"], {"type": "record", "name": "Other", "fields": []}])
def test_a_foreign_schema_of_something_else_makes_no_record(foreign: Any) -> None:
    with pytest.raises(CodecError, match="schema id 7 is"):
        Reader("Link", ids=registry_with({7: foreign}, []))(b"\0\0\0\0\7\2a")


def test_the_headers_of_an_event_are_those_of_cloudevents() -> None:
    carried = {"traceparent": "00-a-b-01", "ce_definition": "d1", "ce_revision": "r1", "ce_other": "not carried"}
    event = Event("Link", "crm:1", "crm:1/L1", "id-1", "crm", 1_777_636_800_000_001, 42, LINK, carried)
    assert dict(headers_of(event)) == {
        "ce_specversion": b"1.0",
        "ce_id": b"id-1",
        "ce_type": b"lineshaft.Link",
        "ce_source": b"crm",
        "ce_time": b"2026-05-01T12:00:00.000001Z",
        "ce_subject": b"crm:1/L1",
        "ce_partitionkey": b"crm:1",
        "ce_version": b"42",
        "ce_revision": b"r1",
        "ce_definition": b"d1",
        "traceparent": b"00-a-b-01",
        "content-type": b"application/avro",
    }


@given(st.text(), st.text(), st.integers(-(10**15), 10**16), st.integers(0, 2**63))
def test_an_event_comes_back_from_its_headers(key: str, subject: str, time_us: int, version: int) -> None:
    event = Event("Link", key, subject, "id", "crm", time_us, version, LINK)
    back = event_of("Link", LINK, header_texts(headers_of(event)))
    assert (back.key, back.subject, back.id, back.time_us, back.version) == (key, subject, "id", time_us, version)


@pytest.mark.parametrize("missing", ["ce_id", "ce_source", "ce_time", "ce_subject", "ce_partitionkey", "ce_version"])
def test_a_message_without_an_events_header_says_which(missing: str) -> None:
    headers = header_texts(headers_of(Event("Link", "k", "s", "i", "src", 0, 1, LINK)))
    del headers[missing]
    with pytest.raises(CodecError, match=f"the header '{missing}' is missing"):
        event_of("Link", LINK, headers)


@pytest.mark.parametrize(
    "wrong", [{"ce_version": "two"}, {"ce_time": "yesterday"}, {"ce_time": "2026-05-01T12:00:00"}, {"ce_time": ""}]
)
def test_a_header_that_is_no_number_or_no_instant_is_told(wrong: dict[str, str]) -> None:
    headers = header_texts(headers_of(Event("Link", "k", "s", "i", "src", 0, 1, LINK)))
    with pytest.raises(CodecError, match="a header is wrong"):
        event_of("Link", LINK, {**headers, **wrong})


def test_header_bytes_that_are_no_text_are_shown_and_the_last_of_a_name_wins() -> None:
    assert header_texts([("a", b"\xff"), ("b", None), ("c", "1"), ("c", b"2")]) == {"a": "\\xff", "b": "", "c": "2"}
    assert header_texts(None) == {}


@given(st.integers(-(10**16), 10**17))
def test_an_instant_survives_its_text(time_us: int) -> None:
    assert instant_us(iso_instant(time_us)) == time_us


def test_a_new_trace_has_the_form_of_the_w3c() -> None:
    version, trace, span, flags = wire.new_traceparent().split("-")
    assert (version, len(trace), len(span), flags) == ("00", 32, 16, "01")
    assert wire.new_traceparent() != wire.new_traceparent()
