"""Every operation of the mapping language, one rule at a time."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from mappings import Cause, MappingFailed
from schemas.document import Fields, Value
from tests.unit.mappings.mapping_builder import CONTEXT, HEAD, context_of, made_by, mapping_of, plan_of, problems_of

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


def test_a_record_that_is_none_of_ours_makes_nothing() -> None:
    mapping = mapping_of(HEAD.replace("fields:", "only_when: {text: {empty: false}}\nfields:"))
    assert mapping.apply({}, CONTEXT) is None
    assert mapping.apply({"text": "a"}, CONTEXT) is not None


def test_a_condition_that_cannot_be_asked_fails_the_record() -> None:
    mapping = mapping_of(HEAD.replace("fields:", "only_when: {date: 2026-05-01}\nfields:"))
    with pytest.raises(MappingFailed) as caught:
        mapping.apply({"date": "soon"}, CONTEXT)
    assert (caught.value.field, caught.value.cause) == ("only_when", Cause.BAD_VALUE)


TO_MES = HEAD.replace("crm.Thing", "lineshaft.JobOrder")
TO_CRM = HEAD.replace("crm.Thing", "lineshaft.OrderStatus")


def test_a_field_of_the_system_that_is_written_to_is_never_written() -> None:
    mapping = plan_of(TO_MES + "  text: {owner: mes}\n  date: {from: due, owner: crm}\n").to_document(
        "JobOrder", "mes", "plant-a"
    )
    assert mapping is not None
    assert mapping.document({"due": 0}, CONTEXT) == {"must": "x", "date": "1970-01-01"}
    assert mapping.owners == {"text": "mes", "date": "crm"}


@pytest.mark.parametrize(
    ("head", "rule", "said"),
    [
        (TO_MES, "text: {from: item, owner: mes}", "belongs to the mes, where it would be overwritten"),
        (TO_CRM, "text: {from: number, owner: crm}", "belongs to the crm, where it would be overwritten"),
        (TO_MES, "text: {owner: crm}", "belongs to the crm, but no rule makes it"),
        (TO_MES, "text: {owner: bus}", "belongs to the bus, but no rule makes it"),
        (TO_MES, "text: {from: item, owner: first}", "which no sink can do yet"),
        (HEAD.replace("mes.Result", "lineshaft.Item"), "site: {from: text, owner: crm}", "only at sinks"),
    ],
)
def test_an_owner_that_cannot_be_kept_is_a_problem(head: str, rule: str, said: str) -> None:
    assert any(each.line == 7 and said in each.message for each in problems_of(f"{head}  {rule}\n"))


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
    mapping = plan_of(text).to_document("Item", "mes", "plant-a")
    assert mapping is not None
    context = replace(context_of(links=[("k", "a", "P", "plant-a", "Q")]), version=9)
    assert mapping.document({"item": "P"}, context) == {"must": "plant-a", "integer": 9, "text": "Q"}
