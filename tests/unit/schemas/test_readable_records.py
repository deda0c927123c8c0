"""Canonical records as a person reads them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.event import Record
from schemas.readable import decimal_of, readable


def test_ints_become_dates_instants_and_exact_decimals_also_inside_lines() -> None:
    line: Record = {"id": "L1", "item": "P-1", "quantity": 12_500_000, "requested_date": 0}
    found = readable("SalesOrder", {"number": "1", "requested_date": 20_000, "placed_at": 1_500_000, "lines": [line]})
    assert found == {
        "number": "1",
        "requested_date": "2024-10-04",
        "placed_at": "1970-01-01T00:00:01.500000Z",
        "lines": [{"id": "L1", "item": "P-1", "quantity": Decimal("12.5"), "requested_date": "1970-01-01"}],
    }


def test_a_record_inside_a_record_is_read_too_and_nothing_stays_nothing() -> None:
    found = readable("OrderState", {"order": {"placed_at": None, "released": True}, "status": None})
    assert found == {"order": {"released": True, "placed_at": None}, "status": None}


def test_bytes_are_shown_as_base64() -> None:
    assert readable("Parked", {"content": b"\x00\xff"}) == {"content": "AP8="}


@pytest.mark.parametrize(("unscaled", "text"), [(5_000_000, "5"), (10_000_000, "10"), (-1_500_000, "-1.5"), (0, "0")])
def test_a_decimal_has_no_zeros_at_its_end_and_no_exponent(unscaled: int, text: str) -> None:
    assert str(decimal_of(unscaled)) == text


@given(st.integers(min_value=-(10**18) + 1, max_value=10**18 - 1))
def test_a_decimal_is_the_number_that_was_meant(unscaled: int) -> None:
    assert decimal_of(unscaled) * 1_000_000 == unscaled
