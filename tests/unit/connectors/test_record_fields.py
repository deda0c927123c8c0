"""Declared fields: values are read by their kinds from where they stand, and written back there."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from connectors.errors import DataError
from connectors.record_fields import EPOCH, Column, Shape, Times, content, declared, instant_us, moment, wire
from schemas.document import Fields, Kind, Value

SHAPE = TypeAdapter(Shape)


def shape(**columns: Any) -> dict[str, Column]:
    return dict(SHAPE.validate_python(columns))


GOOD: list[tuple[str, Value, Value]] = [
    ("text", "a\u0301 株", "a\u0301 株"),
    ("text", 7, "7"),
    ("text", "", None),
    ("text", None, None),
    ("integer", Decimal("7.0"), 7),
    ("integer", "12", 12),
    ("decimal", "10.500", Decimal("10.5")),
    ("decimal", 1, Decimal(1)),
    ("decimal", Decimal("1E+2"), Decimal(100)),
    ("boolean", True, True),
    ("boolean", "false", False),
    ("date", "2026-02-28", "2026-02-28"),
    ("date", "2026-02-28T23:00:00Z", "2026-02-28"),
    ("instant", "2026-03-29T03:30:00+02:00", "2026-03-29T01:30:00.000000Z"),
    ("instant", "2026-03-29T01:30:00", "2026-03-29T01:30:00.000000Z"),
    ("texts", ["a", 1], ["a", "1"]),
    ("texts", None, []),
    ("list", None, []),
    ("group", None, None),
]


@pytest.mark.parametrize(("kind", "value", "means"), GOOD)
def test_a_value_is_read_by_its_kind(kind: str, value: Value, means: Value) -> None:
    assert content(shape(a=kind), {"a": value}, "iso") == {"a": means}


BAD: list[tuple[str, Value]] = [
    ("text", True),
    ("text", {"a": 1}),
    ("integer", "7.5"),
    ("integer", True),
    ("decimal", "ten"),
    ("decimal", "1E+999"),
    ("decimal", "NaN"),
    ("boolean", "perhaps"),
    ("date", "2026-02-30"),
    ("instant", "2026-06-30T23:59:60Z"),
    ("instant", "yesterday"),
    ("texts", "a"),
    ("texts", [["a"]]),
    ("list", {"a": 1}),
    ("list", ["a"]),
    ("group", []),
]


@pytest.mark.parametrize(("kind", "value"), BAD)
def test_a_value_that_is_not_of_its_kind_is_named(kind: str, value: Value) -> None:
    with pytest.raises(DataError, match=r"^a is .*, which is no "):
        content(shape(a=kind), {"a": value}, "iso")


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_a_moment_comes_back_to_the_unit_that_the_far_system_writes(at: datetime) -> None:
    at_us = (at - EPOCH) // datetime.resolution
    units: dict[Times, int] = {"iso": 1, "epoch_ms": 1_000, "epoch_s": 1_000_000}
    for times, unit in units.items():
        read = instant_us(moment(at_us, times), times)
        assert read == at_us - at_us % unit


def test_fields_stand_where_they_are_declared_and_are_written_back_there() -> None:
    lines = {"kind": "list", "fields": {"item": {"at": "product.code"}, "quantity": "decimal"}}
    columns = shape(customer={"at": "party.name"}, placed="instant", lines=lines)
    record: Fields = {
        "party": {"name": "Acme"},
        "placed": 1_777_622_400_000,
        "lines": [{"product": {"code": "P-1"}, "quantity": Decimal("2.5")}],
    }
    read = content(columns, record, "epoch_ms")
    assert read == {
        "customer": "Acme",
        "placed": "2026-05-01T08:00:00.000000Z",
        "lines": [{"item": "P-1", "quantity": Decimal("2.5")}],
    }
    assert wire(columns, read, "epoch_ms") == record


def test_what_is_not_given_is_not_written_and_what_is_required_must_be() -> None:
    columns = shape(state={"required": True}, note="text")
    assert wire(columns, {"state": "x"}, "iso") == {"state": "x"}
    assert wire(columns, {"state": "x", "note": None}, "iso") == {"state": "x", "note": None}
    for fields in ({}, {"state": ""}):
        with pytest.raises(DataError, match="state is required"):
            wire(columns, fields, "iso")
    with pytest.raises(DataError, match="cannot hold b"):
        wire(shape(a="text", inner={"at": "a.b"}), {"a": "x", "inner": "y"}, "iso")


def test_the_document_type_follows_from_the_declaration() -> None:
    (amount, lines) = declared(
        shape(amount={"kind": "decimal", "required": True}, lines={"kind": "list", "fields": {"no": "integer"}}), True
    )
    assert (amount.kind, amount.required, amount.writable) == (Kind.DECIMAL, True, True)
    assert [each.kind for each in lines.fields] == [Kind.INTEGER]


def test_a_kind_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="kind"):
        shape(amount="money")
