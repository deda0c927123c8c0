"""A record that a person wrote: what it becomes, and what is said where it is wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.document import Field, Kind, Value, from_json, to_json
from schemas.readable import readable
from schemas.wire import Reader, Writer
from schemas.written import NotAsDescribed, canonical, check_fields
from tests.unit.streams.orders_made_by_hand import line, operation, order, report


def written(**changes: Any) -> dict[str, Any]:
    return {**readable("SalesOrder", order()), **changes}


@pytest.mark.parametrize(
    ("record", "value"),
    [
        ("SalesOrder", order(line(), line("L2", requested_date=20_000), requested_date=1, placed_at=1_500_000)),
        ("JobResponse", report(operation(good=3, started_at=5))),
    ],
)
def test_what_is_shown_and_written_back_unchanged_is_the_same_record(record: str, value: Any) -> None:
    shown = to_json(readable(record, value), indent=2)
    back = canonical(record, from_json(shown))
    assert Reader(record)(Writer(record)(back)) == Reader(record)(Writer(record)(value))


@given(st.decimals(min_value=-(10**11), max_value=10**11, places=6))
def test_a_quantity_is_the_number_that_was_written(quantity: Decimal) -> None:
    shown: Value = written(lines=[{**readable("SalesOrder", order())["lines"][0], "quantity": quantity}])  # type: ignore[index,dict-item]
    lines: Any = canonical("SalesOrder", shown)["lines"]
    assert lines[0]["quantity"] == int(quantity * 1_000_000)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"colour": "red"}, "colour: there is no such field; there are number, type"),
        ({"number": None}, "number: it may not be null (a text)"),
        ({"type": "gift"}, "type: one of sale,"),
        ({"released": "yes"}, "released: true or false was expected, not 'yes'"),
        ({"requested_date": "2026-02-30"}, 'requested_date: a date like "2026-05-18" was expected, not'),
        ({"placed_at": "2026-02-01T08:00:00"}, "placed_at: an instant with its offset"),
        ({"lines": "none"}, "lines: a list of objects was expected, not 'none'"),
        ({"lines": [{"id": 7}]}, "lines[0].id: a text was expected, not 7"),
        ({"lines": [{"id": "L1"}]}, "lines[0].quantity: it is missing and must be there (a number with at most 6"),
        ({"lines": [{**order()["lines"][0], "quantity": "0.0000001"}]}, "lines[0].quantity: a number with at most 6"),
        ({"lines": [7]}, "lines[0].: an object was expected, not 7"),
    ],
)
def test_every_wrong_field_is_named_with_what_was_expected(changes: Any, said: str) -> None:
    with pytest.raises(NotAsDescribed) as refused:
        canonical("SalesOrder", written(**changes))
    assert any(each.startswith(said) for each in refused.value.problems), refused.value.problems


def test_all_problems_are_told_at_once_and_a_record_must_be_an_object() -> None:
    with pytest.raises(NotAsDescribed) as refused:
        canonical("SalesOrder", written(released=1, number=2))
    assert len(refused.value.problems) == 2
    with pytest.raises(NotAsDescribed, match=r"the record: an object was expected, not \[\]"):
        canonical("SalesOrder", [])


def test_the_fields_of_a_far_system_are_checked_by_kind_and_not_by_name() -> None:
    fields = (Field("No", required=True), Field("Ready", Kind.BOOLEAN), Field("Weight", Kind.DECIMAL, scale=2))
    assert check_fields(fields, {"No": "1", "Else": [1]}) == []
    assert len(check_fields(fields, {"Weight": "0.5"})) == 1
    assert check_fields(fields, {"Ready": 1, "Weight": Decimal("0.001")}) == [
        "Ready: true or false was expected, not 1",
        "Weight: a number with at most 2 digits after the point and 18 in all was expected, not 0.001",
    ]
