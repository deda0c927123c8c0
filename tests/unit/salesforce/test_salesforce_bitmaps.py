"""Bitmaps of change events, against any schema."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.salesforce.bitmaps import named, places

SCHEMA: dict[str, Any] = {
    "fields": [
        {"name": "ChangeEventHeader", "type": {"type": "record", "fields": []}},
        {"name": "Status", "type": ["null", "string"]},
        {
            "name": "Address",
            "type": ["null", "string", {"type": "record", "fields": [{"name": "Street"}, {"name": "City"}]}],
        },
    ]
}


@given(st.sets(st.integers(0, 700)))
def test_a_bitmap_names_exactly_the_bits_that_are_set(wanted: set[int]) -> None:
    bitmap = f"0x{sum(1 << place for place in wanted):X}"
    assert places(bitmap) == sorted(wanted)


@given(st.text("0123456789abcdefABCDEF", min_size=1, max_size=40))
def test_leading_zeros_and_letter_case_mean_nothing(digits: str) -> None:
    assert places(f"0x{digits}") == places(f"0x00{digits.upper()}")


def test_top_fields_and_children_of_compound_fields_come_by_name() -> None:
    assert named(["0x2", "2-0x3"], SCHEMA) == ["Status", "Address.Street", "Address.City"]


def test_nothing_changed_is_no_name() -> None:
    assert named([], SCHEMA) == []


@pytest.mark.parametrize("bitmap", ["0x8", "2-0x4", "1-0x1", "9-0x1"])
def test_a_place_that_the_schema_does_not_have_is_an_error(bitmap: str) -> None:
    with pytest.raises(ValueError, match=r"schema|compound"):
        named([bitmap], SCHEMA)


@pytest.mark.parametrize("bitmap", ["", "0xZZ", "-0x1"])
def test_a_text_that_is_no_bitmap_is_an_error(bitmap: str) -> None:
    with pytest.raises(ValueError):
        named([bitmap], SCHEMA)
