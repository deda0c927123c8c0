"""Every operation of the mapping language, one rule at a time."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from mappings import Cause, MappingFailed
from schemas.document import Fields, Value
from tests.unit.mappings.mapping_builder import CONTEXT, HEAD, context_of, made_by, mapping_of, plan_of

COLOURS = "codes: colours\nversion: 1\nunknown: park\nrows: {R: red, G: green}\n"


def refused(rule: str, target: str, given: Fields, *codes: str) -> MappingFailed:
    with pytest.raises(MappingFailed) as caught:
        made_by(rule, target, given, *codes)
    return caught.value


@pytest.mark.parametrize(
    ("rule", "target", "given", "value"),
    [
        ("text", "text", {"text": "a"}, "a"),
        ("{from: group.text}", "text", {"group": {"text": "a"}}, "a"),
        ("{from: group.text}", "text", {"group": None}, None),
        ("{from: group.text}", "text", {}, None),
        ("{from: text}", "text", {"text": ""}, None),
        ("{from: integer}", "integer", {"integer": 5}, 5),
        ("{from: integer}", "integer", {"integer": Decimal("5.0")}, 5),
        ("{from: integer}", "decimal", {"integer": 5}, Decimal(5)),
        ("{from: decimal}", "decimal", {"decimal": Decimal("1.50")}, Decimal("1.5")),
        ("{from: boolean}", "boolean", {"boolean": False}, False),
        ("{from: date}", "date", {"date": "2026-05-01"}, "2026-05-01"),
        ("{from: instant}", "instant", {"instant": "2026-05-01T10:00:00+02:00"}, "2026-05-01T08:00:00.000Z"),
        ("{from: tags}", "tags", {"tags": ["a", "b"]}, ["a", "b"]),
        ("$connector", "text", {}, "crm"),
        ("$subject", "text", {}, "the-subject"),
        ("{from: $record.text}", "text", {"text": "a"}, "a"),
        ("{const: a}", "text", {}, "a"),
        ("{const: 1.5}", "decimal", {}, Decimal("1.5")),
        ("{const: 2026-05-01}", "date", {}, "2026-05-01"),
        ("{from: text, default: none}", "text", {}, "none"),
        ("{from: text, default: none}", "text", {"text": ""}, "none"),
        ("{from: text, default: none}", "text", {"text": "a"}, "a"),
        ("{from: date, default: 2026-01-01}", "date", {}, "2026-01-01"),
        ("{first_of: [text, more, {const: z}]}", "text", {"more": "b"}, "b"),
        ("{first_of: [text, more, {const: z}]}", "text", {}, "z"),
        ("{concat: [text, {const: '5'}], separator: '-'}", "text", {"text": "a"}, "a-5"),
        ("{concat: [text, more], separator: '-'}", "text", {"text": "a", "more": "b"}, "a-b"),
        ("{concat: [text, more], separator: '-'}", "text", {"more": "b"}, "b"),
        ("{concat: [text, {from: integer, as: text}]}", "text", {"text": "a", "integer": 5}, "a5"),
        ("{concat: [text, more]}", "text", {}, None),
        ("{from: text, split: {by: '-', take: 2}}", "text", {"text": "a-b-c"}, "b"),
        ("{from: text, split: {by: '-', take: -1}}", "text", {"text": "a-b-c"}, "c"),
        ("{from: text, split: {by: '-', take: 9}}", "text", {"text": "a-b-c"}, None),
        ("{from: text, when: {boolean: true}}", "text", {"text": "a", "boolean": True}, "a"),
        ("{from: text, when: {boolean: true}}", "text", {"text": "a", "boolean": False}, None),
        ("{from: text, when: {boolean: true}, default: z}", "text", {"text": "a"}, "z"),
        ("{when: {text: a}}", "boolean", {"text": "a"}, True),
        ("{when: {text: a}}", "boolean", {}, False),
        ("{from: text, redact: true}", "text", {"text": "Jane Doe"}, "***"),
        ("{from: text, redact: hash}", "text", {"text": "Jane Doe"}, "01332c876518a793"),
        ("{from: text, redact: true}", "text", {}, None),
        ("{function: pad, args: [integer]}", "text", {"integer": 42}, "00000000000000000042"),
        ("{function: unpad, args: [text]}", "integer", {"text": "00000000000000000042"}, 42),
        ("{function: order_key, args: [$connector, text]}", "text", {"text": "7"}, "crm:7"),
        ("{function: job_order_id, args: [text, more]}", "text", {"text": "crm:7", "more": "L1"}, "crm:7/L1"),
        ("{function: order_key_of_job, args: [text]}", "text", {"text": "crm:7/L1"}, "crm:7"),
        ("{function: pad, args: [integer]}", "text", {}, None),
        ("{fields: {text: more}}", "group", {"more": "b"}, {"text": "b"}),
        ("{list: [{text: more}, {text: text}]}", "rows", {"more": "b", "text": "a"}, [{"text": "b"}, {"text": "a"}]),
    ],
)
def test_a_rule_makes_its_value(rule: str, target: str, given: Fields, value: Value) -> None:
    assert made_by(rule, target, given) == value


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
    failed = refused(rule, target, given)
    assert (failed.cause, failed.field) == (Cause.BAD_VALUE, target)
    assert said in failed.message


def test_a_required_value_that_is_missing_fails_the_record() -> None:
    failed = refused("{from: text, required: true}", "text", {})
    assert (failed.cause, failed.field, failed.waits_for) == (Cause.REQUIRED_MISSING, "text", None)


def test_a_field_that_the_target_requires_is_required_without_a_word() -> None:
    mapping = mapping_of("mapping: m\nversion: 1\nfrom: crm.Thing\nto: mes.Result\nfields: {must: text}\n")
    with pytest.raises(MappingFailed) as caught:
        mapping.apply({}, CONTEXT)
    assert caught.value.cause is Cause.REQUIRED_MISSING


def test_a_code_table_translates() -> None:
    assert made_by("{from: text, code: colours}", "word", {"text": "G"}, COLOURS) == "green"


def test_a_code_table_can_be_read_backwards() -> None:
    assert made_by("{from: word, code: {table: colours, inverse: true}}", "text", {"word": "red"}, COLOURS) == "R"


def test_an_unknown_code_waits_for_its_table() -> None:
    failed = refused("{from: text, code: colours}", "word", {"text": "B"}, COLOURS)
    assert (failed.cause, failed.waits_for) == (Cause.UNKNOWN_CODE, "codes/colours")
    assert failed.message == "'B' is not in the code table colours"


@pytest.mark.parametrize(("rule", "made"), [("pass", "B"), ("{default: green}", "green")])
def test_a_code_table_may_let_unknown_words_pass_or_take_a_default(rule: str, made: str) -> None:
    assert made_by("{from: text, code: colours}", "text", {"text": "B"}, COLOURS.replace("park", rule)) == made


LINK = "{from: text, link: {kind: unit, from: $connector, to: $destination%s}}"


def linked(rule: str, text: str) -> Value:
    context = context_of(links=[("unit", "crm", "Each", "plant-a", "件")])
    to_mes = rule.replace("$destination", "plant-a")
    return made_by(to_mes, "text", {"text": text}, context=context)


def test_a_link_gives_the_other_systems_id() -> None:
    assert linked(LINK % "", "Each") == "件"


def test_an_unknown_link_waits_for_exactly_that_link() -> None:
    with pytest.raises(MappingFailed) as caught:
        linked(LINK % "", "Box")
    assert (caught.value.cause, caught.value.waits_for) == (Cause.UNKNOWN_REFERENCE, "links/unit|crm|Box|plant-a")


def test_an_unknown_link_may_pass_as_it_is() -> None:
    assert linked(LINK % ", unknown: pass", "Box") == "Box"


LOOKUP = "{from: text, lookup: {ref: items, take: %s}}"


def test_a_lookup_takes_the_first_field_that_the_reference_has() -> None:
    with_own = context_of(items=[{"item": "P", "unit": "pcs", "mes_item": "M-9"}])
    without = context_of(items=[{"item": "P", "unit": "pcs", "mes_item": None}])
    rule = LOOKUP % "[mes_item, item]"
    assert made_by(rule, "text", {"text": "P"}, context=with_own) == "M-9"
    assert made_by(rule, "text", {"text": "P"}, context=without) == "P"


def test_an_unknown_item_waits_for_exactly_that_item() -> None:
    failed = refused(LOOKUP % "unit", "text", {"text": "P-404"})
    assert (failed.cause, failed.waits_for) == (Cause.UNKNOWN_REFERENCE, "items/P-404")


def test_an_unknown_item_may_pass_as_it_is() -> None:
    assert made_by("{from: text, lookup: {ref: items, take: unit, unknown: pass}}", "text", {"text": "P"}) == "P"


def test_what_is_redacted_is_not_shown_by_its_failure() -> None:
    failed = refused("{from: text, redact: true}", "text", {"text": ["Jane Doe"]})
    assert "Jane" not in str(failed)


def test_a_choice_takes_the_first_branch_that_holds() -> None:
    rule = (
        "{choose: [{when: {integer: {gt: 10}}, then: {const: many}}, {when: {integer: {gt: 1}}, then: {const: some}},"
        " {otherwise: text}]}"
    )
    assert [made_by(rule, "text", {"integer": n, "text": "few"}) for n in (11, 2, 1)] == ["many", "some", "few"]


def test_a_choice_that_no_branch_takes_makes_nothing() -> None:
    assert made_by("{choose: [{when: {text: a}, then: more}], default: z}", "text", {"more": "b"}) == "z"


def test_each_makes_one_record_for_each_that_the_filter_lets_through() -> None:
    rule = (
        "{each: rows, where: {integer: {gt: 0}, text: {is_not: cancelled}}, fields: {text: text, integer: integer}}"
    )
    rows: Value = [{"text": "a", "integer": 1}, {"text": "b", "integer": 0}, {"text": "cancelled", "integer": 5}]
    assert made_by(rule, "rows", {"rows": rows}) == [{"text": "a", "integer": 1}]
    assert made_by(rule, "rows", {"rows": None}) == []


def test_a_failure_inside_a_list_says_which_record() -> None:
    failed = refused("{each: rows, fields: {date: date}}", "rows", {"rows": [{"date": None}, {"date": "x"}]})
    assert failed.field == "rows[1].date"


def test_a_record_of_a_list_may_read_the_whole_record_too() -> None:
    rule = "{each: rows, fields: {text: $record.text}}"
    assert made_by(rule, "rows", {"text": "a", "rows": [{}]}) == [{"text": "a"}]


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


def test_a_record_that_is_none_of_ours_makes_nothing() -> None:
    mapping = mapping_of(HEAD.replace("fields:", "only_when: {text: {empty: false}}\nfields:"))
    assert mapping.apply({}, CONTEXT) is None
    assert mapping.apply({"text": "a"}, CONTEXT) is not None


def test_a_condition_that_cannot_be_asked_fails_the_record() -> None:
    mapping = mapping_of(HEAD.replace("fields:", "only_when: {date: 2026-05-01}\nfields:"))
    with pytest.raises(MappingFailed) as caught:
        mapping.apply({"date": "soon"}, CONTEXT)
    assert (caught.value.field, caught.value.cause) == ("only_when", Cause.BAD_VALUE)


def test_a_field_of_the_mes_is_never_written_and_the_others_say_who_owns_them() -> None:
    mapping = mapping_of(
        HEAD + "  text: {owner: mes}\n  date: {from: date, owner: first}\n  word: {const: red, owner: crm}\n"
    )
    made = mapping.document({"date": "2026-05-01"}, CONTEXT)
    assert made == {"must": "x", "date": "2026-05-01", "word": "red"}
    assert mapping.owners == {"text": "mes", "date": "first", "word": "crm"}


def test_the_fields_that_a_mapping_reads_are_known() -> None:
    text = (
        HEAD
        + "  text: {from: group.text, when: {date: {empty: false}}}\n  rows: {each: rows, fields: {text: more2}}\n"
    )
    text = text.replace("more2", "$record.more").replace("fields:\n", "only_when: {integer: {gt: 0}}\nfields:\n", 1)
    assert mapping_of(text).reads == {"group", "date", "rows", "more", "integer"}


def test_the_given_record_is_not_changed() -> None:
    given: Fields = {"rows": [{"text": "a"}], "text": "b"}
    made_by("{each: rows, fields: {text: text}}", "rows", given)
    assert given == {"rows": [{"text": "a"}], "text": "b"}


def test_the_destination_is_known_in_the_pipeline() -> None:
    text = (
        "mapping: m\nversion: 1\nfrom: lineshaft.Item\nto: mes.Result\nfields:\n"
        "  must: $destination\n  integer: $version\n"
        "  text: {from: item, link: {kind: k, from: a, to: $destination}}\n"
    )
    mapping = plan_of(text).to_document("Item", "mes")
    assert mapping is not None
    context = replace(context_of(links=[("k", "a", "P", "plant-a", "Q")]), version=9)
    assert mapping.document({"item": "P"}, context) == {"must": "plant-a", "integer": 9, "text": "Q"}
