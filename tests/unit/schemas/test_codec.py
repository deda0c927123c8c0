"""The codec against fastavro with its own logical types, and against everything that is no record."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.catalog import fields_of, record_names, schema
from schemas.codec import CodecError, codec
from tests.unit.schemas.avro_records import records

pytestmark = pytest.mark.parametrize("name", record_names())


@cache
def parsed(name: str) -> Any:
    whole: Any = schema(name)
    return fastavro.parse_schema(whole)


def by_fastavro(name: str, value: Any) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, parsed(name), value)
    return stream.getvalue()


@given(st.data())
@settings(max_examples=25)
def test_its_bytes_and_its_values_are_those_of_fastavro(name: str, data: st.DataObject) -> None:
    on_ints, by_types = data.draw(records(name))
    encoded = codec().encoder(name)(on_ints)
    assert encoded == by_fastavro(name, by_types)
    assert fastavro.schemaless_reader(io.BytesIO(encoded), parsed(name), None) == by_types
    assert codec().decoder(schema(name))(encoded) == on_ints


@given(st.data())
@settings(max_examples=10)
def test_a_caller_gets_only_the_fields_that_it_reads(name: str, data: st.DataObject) -> None:
    on_ints, _ = data.draw(records(name))
    wanted = data.draw(st.sets(st.sampled_from(fields_of(name))))
    decoded = codec().decoder(schema(name), wanted)(codec().encoder(name)(on_ints))
    assert decoded == {field: on_ints[field] for field in wanted}


@given(st.data())
@settings(max_examples=25)
def test_a_record_that_was_cut_off_or_has_bytes_left_over_is_refused(name: str, data: st.DataObject) -> None:
    encoded = codec().encoder(name)(data.draw(records(name))[0])
    cut = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(CodecError, match=f"no {name}"):
        codec().decoder(schema(name))(encoded[:cut])
    with pytest.raises(CodecError, match="1 bytes are left over"):
        codec().decoder(schema(name))(encoded + b"\0")


@given(st.binary(max_size=60))
@settings(max_examples=60)
def test_random_bytes_are_a_record_or_a_codec_error_and_nothing_else(name: str, data: bytes) -> None:
    try:
        found = codec().decoder(schema(name))(data)
    except CodecError as error:
        assert name in str(error)
    else:
        assert set(found) == set(fields_of(name))


@given(st.data())
@settings(max_examples=10)
def test_a_missing_field_without_a_default_and_an_unknown_field_are_refused(name: str, data: st.DataObject) -> None:
    on_ints, _ = data.draw(records(name))
    fields: Any = schema(name)["fields"]
    left_out = data.draw(st.sampled_from([each["name"] for each in fields if "default" not in each]))
    without = {field: value for field, value in on_ints.items() if field != left_out}
    for wrong in (without, {**on_ints, "no_such_field": 1}):
        with pytest.raises(CodecError, match=f"not a {name}"):
            codec().encoder(name)(wrong)
