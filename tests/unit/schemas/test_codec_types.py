"""What the encoder lets through: exactly the types, ranges and precisions of the schema."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.catalog import schema
from schemas.codec import CodecError, codec

LINE: dict[str, Any] = {"id": "L1", "item": "P-1", "quantity": 1_000_000, "unit": "pcs"}
ORDER: dict[str, Any] = {"number": "1", "released": True, "cancelled": False, "type": "sale", "lines": [LINE]}
POSITION = {"source": "crm", "position": "{}", "system": "", "complete": True, "moved_at": 0}
PARKED = {
    **dict.fromkeys(("parked_id", "stage", "cause", "message", "owner", "topic", "order_key", "subject"), ""),
    "revision": "",
    "content_type": "avro",
    "content": b"",
    "partition": 0,
    "offset": 0,
    "attempts": 1,
    "first_at": 0,
    "last_at": 0,
}
WHOLE = {"SalesOrder": ORDER, "Position": POSITION, "Parked": PARKED}


def changed(name: str, field: str, value: Any) -> dict[str, Any]:
    if field.startswith("line."):
        return {**ORDER, "lines": [{**LINE, field.removeprefix("line."): value}]}
    return {**WHOLE[name], field: value}


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("SalesOrder", "line.quantity", 10**18 - 1),
        ("SalesOrder", "line.quantity", -(10**18) + 1),
        ("SalesOrder", "line.quantity", -128),
        ("SalesOrder", "requested_date", -(2**31)),
        ("SalesOrder", "requested_date", 2**31 - 1),
        ("Position", "moved_at", 2**63 - 1),
        ("Position", "moved_at", -(2**63)),
        ("Parked", "partition", 2**31 - 1),
        ("SalesOrder", "customer", "客户 🙂"),
    ],
)
def test_the_extremes_of_a_type_survive(name: str, field: str, value: Any) -> None:
    decoded: Any = codec().decoder(schema(name))(codec().encoder(name)(changed(name, field, value)))
    found = decoded["lines"][0][field.removeprefix("line.")] if field.startswith("line.") else decoded[field]
    assert found == value


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("SalesOrder", "line.quantity", 10**18),
        ("SalesOrder", "line.quantity", -(10**18)),
        ("SalesOrder", "line.quantity", 1.5),
        ("SalesOrder", "line.quantity", True),
        ("SalesOrder", "line.quantity", b"\1"),
        ("SalesOrder", "line.quantity", None),
        ("SalesOrder", "requested_date", 2**31),
        ("SalesOrder", "requested_date", -(2**31) - 1),
        ("SalesOrder", "requested_date", "2026-05-01"),
        ("SalesOrder", "requested_date", 1.0),
        ("SalesOrder", "requested_date", True),
        ("Position", "moved_at", 2**63),
        ("Position", "moved_at", 1.5),
        ("Position", "moved_at", False),
        ("Parked", "partition", 2**31),
        ("Parked", "attempts", "1"),
        ("Parked", "content", "text"),
        ("SalesOrder", "number", 7),
        ("SalesOrder", "number", b"7"),
        ("SalesOrder", "number", None),
        ("SalesOrder", "number", "half a character \ud83d"),
        ("SalesOrder", "customer", 7),
        ("SalesOrder", "released", "false"),
        ("SalesOrder", "released", 1),
        ("SalesOrder", "released", None),
        ("SalesOrder", "line.cancelled", "no"),
        ("SalesOrder", "type", "gift"),
        ("SalesOrder", "priority", 3),
        ("SalesOrder", "lines", "L1"),
        ("SalesOrder", "lines", None),
        ("SalesOrder", "lines", [None]),
        ("SalesOrder", "lines", [{**LINE, "colour": "red"}]),
    ],
)
def test_what_the_schema_does_not_allow_is_refused(name: str, field: str, value: Any) -> None:
    with pytest.raises(CodecError, match=f"not a {name}"):
        codec().encoder(name)(changed(name, field, value))


def test_a_field_that_is_left_out_has_its_default() -> None:
    decoded = codec().decoder(schema("SalesOrder"))(codec().encoder("SalesOrder")(ORDER))
    assert (decoded["priority"], decoded["customer"]) == ("normal", None)
