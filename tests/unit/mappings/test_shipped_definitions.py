"""What ships is right: it fits the connectors, its tests are complete and pass, and the tables of the code agree."""

from __future__ import annotations

import mappings
from mappings import Findings, examine, shipped
from mappings.conditions import COMPARISONS
from mappings.context import CONTEXT
from mappings.conversions import CONVERSIONS
from mappings.functions import FUNCTIONS
from mappings.load_conditions import OPERATORS
from mappings.load_rules import KINDS, STEPS
from mappings.operations import OPERATIONS
from schemas.document import Kind
from tests.unit.mappings.mapping_builder import made_by, real_types


def findings() -> Findings:
    return examine(shipped(), real_types(), ["plant-a", "crm"])


def test_the_shipped_definitions_have_no_problem_and_leave_no_mapping_unchecked() -> None:
    assert findings().problems == ()
    assert findings().unchecked == ()


def test_the_tests_inside_the_shipped_definitions_pass() -> None:
    assert [each for each in findings().outcomes if not each.passed] == []
    assert len(findings().outcomes) > 40


def test_every_step_that_a_file_may_write_is_an_operation_and_the_other_way_round() -> None:
    assert [each.name for each in OPERATIONS] == [
        "split",
        "as",
        "code",
        "link",
        "lookup",
        "redact",
        "default",
        "must",
        "required",
    ]
    assert {each.name for each in OPERATIONS} == set(STEPS)
    assert len({each.step for each in OPERATIONS}) == len(OPERATIONS)
    assert all(each.summary for each in OPERATIONS)


def test_every_kind_that_a_file_may_ask_for_has_a_conversion_from_text() -> None:
    assert {to for source, to in CONVERSIONS if source is Kind.TEXT} == KINDS


def test_every_inverse_of_a_function_is_a_function_with_the_kinds_turned_round() -> None:
    for function in FUNCTIONS.values():
        if function.inverse is not None:
            inverse = FUNCTIONS[function.inverse]
            assert (inverse.parameters, inverse.inverse) == ((function.result,), function.name)


def test_every_comparison_that_a_file_may_write_is_compiled() -> None:
    assert set(COMPARISONS) == OPERATORS


def test_every_context_value_has_a_reader() -> None:
    assert set(CONTEXT) == {"$connector", "$key", "$subject", "$destination", "$version"}
    assert made_by("$connector", "text", {}) == "crm"


def test_the_public_face_is_what_it_lists() -> None:
    assert sorted(mappings.__all__) == list(mappings.__all__)
    assert all(hasattr(mappings, name) for name in mappings.__all__)
