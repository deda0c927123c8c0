"""Values between kinds, values that are refused, and conditions."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mappings import Cause, MappingFailed
from schemas.document import Fields, Value
from tests.unit.mappings.mapping_builder import made_by


@pytest.mark.parametrize(
    ("rule", "target", "given", "value"),
    [
        ("{from: text, as: integer}", "integer", {"text": " 12 "}, 12),
        ("{from: text, as: decimal}", "decimal", {"text": "-1.50"}, Decimal("-1.5")),
        ("{from: text, as: boolean}", "boolean", {"text": "True"}, True),
        ("{from: text, as: date}", "date", {"text": "2026-05-01"}, "2026-05-01"),
        ("{from: text, as: instant}", "instant", {"text": "2026-05-01T08:00Z"}, "2026-05-01T08:00:00.000Z"),
        (
            "{from: text, as: instant, zone: Asia/Shanghai}",
            "instant",
            {"text": "2026-05-01 08:00:00"},
            "2026-05-01T00:00:00.000Z",
        ),
        (
            "{from: instant, as: instant, zone: Asia/Shanghai}",
            "instant",
            {"instant": "2026-05-01T08:00:00"},
            "2026-05-01T00:00:00.000Z",
        ),
        ("{from: instant, as: date, zone: Asia/Shanghai}", "date", {"instant": "2026-05-01T23:00:00Z"}, "2026-05-02"),
        ("{from: instant, as: text}", "text", {"instant": "2026-05-01T08:00:00Z"}, "2026-05-01T08:00:00.000Z"),
        ("{from: date, as: text}", "text", {"date": "2026-05-01"}, "2026-05-01"),
        ("{from: decimal, as: text}", "text", {"decimal": Decimal("1E+3")}, "1000"),
        ("{from: boolean, as: text}", "text", {"boolean": True}, "true"),
        ("{from: decimal, as: integer}", "integer", {"decimal": Decimal("3.00")}, 3),
        ("{from: decimal, as: integer, rounding: up}", "integer", {"decimal": Decimal("3.01")}, 4),
        ("{from: decimal, as: decimal, scale: 2}", "short", {"decimal": Decimal("123.45")}, "123.45"),
    ],
)
def test_a_value_becomes_another_kind(rule: str, target: str, given: Fields, value: Value) -> None:
    expected = Decimal(value) if isinstance(value, str) and target in ("decimal", "short") else value
    assert made_by(rule, target, given) == expected


@pytest.mark.parametrize(
    ("rounding", "value", "rounded"),
    [
        ("half_up", "0.25", "0.3"),
        ("half_even", "0.25", "0.2"),
        ("up", "-0.25", "-0.2"),
        ("down", "-0.25", "-0.3"),
        ("towards_zero", "-0.29", "-0.2"),
    ],
)
def test_digits_too_many_are_rounded_in_the_direction_that_is_named(rounding: str, value: str, rounded: str) -> None:
    rule = f"{{from: decimal, as: decimal, scale: 1, rounding: {rounding}}}"
    assert made_by(rule, "decimal", {"decimal": Decimal(value)}) == Decimal(rounded)


@pytest.mark.parametrize(
    ("rule", "target", "given", "said"),
    [
        ("{from: text, as: integer}", "integer", {"text": "1.5"}, "1.5 has more than 0 digits after the point"),
        ("{from: text, as: integer}", "integer", {"text": "1e3"}, "'1e3' is not a number like 12.5"),
        ("{from: text, as: integer}", "integer", {"text": "9" * 19}, "does not fit into"),
        ("{from: text, as: decimal}", "decimal", {"text": "1,5"}, "is not a number"),
        ("{from: text, as: boolean}", "boolean", {"text": "yes"}, "'yes' is not true or false"),
        ("{from: text, as: date}", "date", {"text": "2026-02-30"}, "'2026-02-30' is not a day of the calendar"),
        ("{from: text, as: date}", "date", {"text": "01.05.2026"}, "is not a date like 2026-05-01"),
        ("{from: date}", "date", {"date": "2026-02-30"}, "(in date)"),
        ("{from: text, as: instant}", "instant", {"text": "2026-05-01T08:00:00"}, "names no zone"),
        ("{from: text, as: instant}", "instant", {"text": "2026-05-01T25:00:00Z"}, "is not a time of the day"),
        ("{from: text, as: instant, zone: Europe/Berlin}", "instant", {"text": "2026-03-29T02:30:00"}, "put forward"),
        ("{from: decimal}", "short", {"decimal": Decimal("1.234")}, "more than 2 digits after the point"),
        ("{from: decimal}", "short", {"decimal": Decimal("1234")}, "does not fit into 5 digits"),
        ("{from: decimal}", "decimal", {"decimal": Decimal("NaN")}, "is not a finite number"),
        ("{from: integer}", "integer", {"integer": True}, "is not a whole number"),
        ("{from: integer}", "integer", {"integer": 2**63}, "does not fit into a whole number of 64 bits"),
        ("{from: text}", "text", {"text": 5}, "5 is not a text (in text)"),
        ("{from: boolean}", "boolean", {"boolean": "true"}, "is not true or false"),
        ("{from: group.text}", "text", {"group": "a"}, "is not a group of fields"),
        ("{from: tags}", "tags", {"tags": "a"}, "is not a list of texts"),
        ("{each: rows, fields: {text: text}}", "rows", {"rows": ["a"]}, "is not a list of records"),
        ("{from: text}", "word", {"text": "blue"}, "'blue' is none of red, green"),
        ("{from: decimal, must: {gt: 0}}", "decimal", {"decimal": 0}, "0 breaks the rule `must: {gt: 0}`"),
        ("{from: date, must: {ge: 2026-01-01}}", "date", {"date": "2025-12-31"}, "'2025-12-31' breaks the rule"),
        ("{function: pad, args: [integer]}", "text", {"integer": -1}, "is negative"),
        ("{function: unpad, args: [text]}", "integer", {"text": "x"}, "is not a number of at most 20 digits"),
        ("{function: order_key_of_job, args: [text]}", "text", {"text": "WO-1"}, "is not a job order id of the bus"),
    ],
)
def test_a_value_that_cannot_be_taken_is_a_bad_value_with_its_reason(
    rule: str, target: str, given: Fields, said: str
) -> None:
    with pytest.raises(MappingFailed) as caught:
        made_by(rule, target, given)
    failed = caught.value
    assert (failed.cause, failed.field) == (Cause.BAD_VALUE, target)
    assert said in failed.message


@pytest.mark.parametrize(
    ("condition", "given", "holds"),
    [
        ("text: a", {"text": "a"}, True),
        ("text: [a, b]", {"text": "b"}, True),
        ("text: [a, b]", {}, False),
        ("text: {is_not: a}", {}, True),
        ("text: {not_in: [a]}", {"text": "a"}, False),
        ("text: {empty: true}", {}, True),
        ("text: {empty: true}", {"text": ""}, True),
        ("text: {empty: false}", {"text": "a"}, True),
        ("tags: {empty: true}", {"tags": []}, True),
        ("rows: {empty: false}", {"rows": [{}]}, True),
        ("text: {starts_with: ab}", {"text": "abc"}, True),
        ("decimal: {gt: 0.5}", {"decimal": Decimal("0.6")}, True),
        ("decimal: {gt: 0.5}", {}, False),
        ("decimal: {ge: 1, lt: 2}", {"decimal": 2}, False),
        ("integer: {le: 3}", {"integer": 3}, True),
        ("date: {lt: 2026-05-02}", {"date": "2026-05-01"}, True),
        ("instant: {ge: 2026-05-01T08:00:00Z}", {"instant": "2026-05-01T10:00:00+02:00"}, True),
        ("boolean: false", {"boolean": False}, True),
        ("boolean: false", {}, False),
        ("any: [{text: a}, {integer: 1}]", {"integer": 1}, True),
        ("all: [{text: a}, {integer: 1}]", {"integer": 1}, False),
        ("not: {text: a}", {}, True),
        ("text: a, integer: 1", {"text": "a", "integer": 2}, False),
        ("group.text: a", {"group": {"text": "a"}}, True),
    ],
)
def test_a_condition_holds_or_not(condition: str, given: Fields, holds: bool) -> None:
    assert made_by(f"{{when: {{{condition}}}}}", "boolean", given) is holds
