"""Tests inside mappings: run, compared, and required for each required field, code and branch."""

from __future__ import annotations

import pytest

from mappings import Findings, definition, examine
from tests.unit.mappings.mapping_builder import HEAD, TYPES

CODES = "codes: colours\nversion: 1\nunknown: park\nrows: {R: red, G: green}\n"
FIELDS = "  word: {from: text, code: colours}\n"
ALL_ROWS = """tests:
  - {given: {text: R}, expect: {word: red}}
  - {given: {text: G}, expect: {word: green}}
  - {given: {text: B}, fails: unknown_code, field: word}
"""


def examined(*texts: str) -> Findings:
    return examine([definition(text, f"file{n}.yaml") for n, text in enumerate(texts, 1)], TYPES)


def test_a_mapping_whose_tests_are_complete_and_pass_is_good() -> None:
    found = examined(HEAD + FIELDS + ALL_ROWS, CODES)
    assert found.good
    assert [each.passed for each in found.outcomes] == [True, True, True]


@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        ("  - {given: {text: G}, expect: {word: green}}\n", "has no test for code colours, row 'G'"),
        (
            "  - {given: {text: B}, fails: unknown_code, field: word}\n",
            "has no test for code colours, a word it does",
        ),
    ],
)
def test_a_code_without_a_test_is_a_problem(left_out: str, message: str) -> None:
    (problem,) = examined(HEAD + FIELDS + ALL_ROWS.replace(left_out, ""), CODES).problems
    assert (problem.line, problem.field) == (7, "word")
    assert message in problem.message


def test_a_required_field_without_a_test_is_a_problem() -> None:
    head = HEAD.replace("{const: x}", "text")
    (problem,) = examined(head + "tests:\n  - {given: {text: a}, expect: {must: a}}\n").problems
    assert (problem.line, problem.field) == (6, "must")
    assert "no test shows that a record without it fails" in problem.message
    assert "field: must" in problem.remedy


def test_a_required_field_of_a_list_needs_its_test_once() -> None:
    rule = "  rows: {each: rows, fields: {text: {from: text, required: true}}}\n"
    test = "tests:\n  - {given: {rows: [{text: a}]}, expect: {rows: [{text: a}]}}\n"
    assert not examined(HEAD + rule + test).good
    assert examined(
        HEAD + rule + test + "  - {given: {rows: [{}]}, fails: required_missing, field: 'rows[0].text'}\n"
    ).good


def test_a_test_for_a_required_field_of_a_list_may_be_written_as_lint_asks_for_it() -> None:
    rule = "  rows: {each: rows, fields: {text: {from: text, required: true}}}\n"
    test = "tests:\n  - {given: {rows: [{text: a}]}, expect: {rows: [{text: a}]}}\n"
    (problem,) = examined(HEAD + rule + test).problems
    asked = problem.remedy.removeprefix("Add a test: ").removesuffix(".").replace("{…}", "{rows: [{}]}")
    assert examined(HEAD + rule + test + f"  - {asked}\n").good


def test_what_a_filter_lets_through_needs_no_test_that_it_is_there() -> None:
    rule = "  rows: {each: rows, where: {text: {empty: false}}, fields: {text: {from: text, required: true}}}\n"
    assert examined(HEAD + rule + "tests:\n  - {given: {rows: [{text: a}, {}]}, expect: {rows: [{text: a}]}}\n").good


def test_each_branch_of_a_choice_needs_a_test() -> None:
    rule = "  text: {choose: [{when: {text: a}, then: {const: x}}, {otherwise: {const: y}}]}\n"
    found = examined(HEAD + rule + "tests:\n  - {given: {text: a}, expect: {text: x}}\n")
    assert [each.message for each in found.problems] == ["has no test for branch 2 of choose"]


def test_a_mapping_without_a_test_is_a_problem() -> None:
    (problem,) = examined(HEAD).problems
    assert problem.message == "has no test that succeeds"


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("{given: {text: R}, expect: {word: green}}", "makes word 'red', but 'green' is expected"),
        ("{given: {text: R}, expect: {word: null}}", "makes word 'red', but nothing is expected"),
        ("{given: {text: B}, expect: {word: red}}", "fails with unknown_code at word: 'B' is not in the code table"),
        ("{given: {text: R}, fails: bad_value}", "makes a record, but bad_value is expected"),
        ("{given: {text: B}, fails: bad_value}", "fails with unknown_code at word"),
        ("{given: {text: B}, fails: unknown_code, field: text}", "fails with unknown_code at word"),
        ("{given: {text: R}, skipped: true}", "makes a record, but none is expected"),
    ],
)
def test_a_test_that_fails_says_what_was_made_instead(test: str, message: str) -> None:
    found = examined(f"{HEAD}{FIELDS}tests:\n  - {test}\n", CODES)
    assert message in found.outcomes[0].message
    assert (found.outcomes[0].line, found.outcomes[0].passed) == (9, False)


def test_canonical_examples_are_written_as_people_write_them() -> None:
    text = """
mapping: m
version: 1
from: crm.Thing
to: lineshaft.SalesOrder
fields:
  number: {const: "1"}
  type: {const: sale}
  released: {const: true}
  cancelled: {const: false}
  requested_date: date
  placed_at: instant
  lines:
    each: rows
    fields: {id: {const: L}, item: {const: P}, quantity: {from: decimal, default: 0}, unit: {const: u}}
sample: {date: 2026-05-01, instant: 2026-05-01T08:00:00Z, rows: [{decimal: 1.5}]}
tests:
  - expect:
      requested_date: 2026-05-01
      placed_at: 2026-05-01T10:00:00+02:00
      lines: [{quantity: 1.50}]
  - {given: {rows: [{decimal: 2}]}, expect: {requested_date: 2026-05-02}}
  - {expect: {lines: [{quantity: 2}]}}
  - {expect: {lines: []}}
"""
    found = examined(text)
    assert [each.message for each in found.outcomes] == [
        "",
        "makes requested_date 2026-05-01, but 2026-05-02 is expected",
        "makes lines[0].quantity 1.5, but 2 is expected",
        "makes 1 of lines, but 0 are expected",
    ]


@pytest.mark.parametrize(
    ("test", "line", "message", "remedy"),
    [
        (
            "{given: {txt: R}, expect: {word: red}}",
            9,
            "an example has txt, which crm.Thing does not",
            "Nearest: text.",
        ),
        (
            "{given: {text: R}, expect: {wrd: red}}",
            9,
            "an example has wrd, which mes.Result does not",
            "Nearest: word.",
        ),
        ("{given: {text: R}}", 9, "a test says nothing about the result", "Write one of: expect"),
        ("{given: {text: R}, expect: {}, skipped: true}", 9, "a test has expect and skipped", "Write one of"),
        (
            "{given: {text: R}, fails: unknown_cod}",
            9,
            "the cause 'unknown_cod' is not known",
            "Nearest: unknown_code.",
        ),
        ("{given: {text: R}, expct: {}}", 9, "has the entry 'expct'", "Nearest: expect."),
        ("{context: {kee: a}, expect: {}}", 9, "a test's context has 'kee'", "Nearest: key."),
        ("{context: {line: {a: b}}, expect: {}}", 9, "has a line, but the mapping is for whole records", ""),
    ],
)
def test_a_wrong_test_is_named(test: str, line: int, message: str, remedy: str) -> None:
    found = examined(f"{HEAD}{FIELDS}tests:\n  - {test}\n", CODES)
    assert any(each.line == line and message in each.message and remedy in each.remedy for each in found.problems)


def test_mappings_of_unknown_systems_are_named_as_not_checked() -> None:
    assert examined(HEAD.replace("crm.Thing", "erp.Thing")).unchecked == ("m",)
