"""Release rule, routes and code tables as an administrator writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import DefinitionError, Routes, compile_plan, definition, load_codes, load_routes
from mappings.problems import Refusal
from schemas.event import Record
from tests.unit.mappings.mapping_builder import plan_of

ROUTES = """
routes: orders
version: 1
release_when: {released: true, type: [sale, sample]}
to:
  - {when: {order.priority: urgent, line.quantity: {lt: 10}}, destination: workshop}
  - {when: {item.site: plant-a}, destination: plant-a}
  - {when: {item.site: plant-b, order.requested_date: {ge: 2026-06-01}}, destination: plant-b}
"""
DAY_1_JUNE = 20605
LINE: Record = {"id": "L1", "item": "P", "quantity": 12_500_000, "unit": "pcs"}
ORDER: Record = {"number": "1", "type": "sale", "released": True, "cancelled": False, "priority": "normal"}


def routes() -> Routes:
    return plan_of(ROUTES).routes


@pytest.mark.parametrize(
    ("changes", "released"),
    [({}, True), ({"released": False}, False), ({"type": "return"}, False), ({"type": "sample"}, True)],
)
def test_only_what_the_release_rule_says_may_be_made(changes: Record, released: bool) -> None:
    assert routes().release({**ORDER, **changes}) is released


@pytest.mark.parametrize(
    ("order", "line", "item", "destination"),
    [
        ({}, {}, {"site": "plant-a"}, "plant-a"),
        ({"priority": "urgent"}, {}, {"site": "plant-a"}, "plant-a"),
        ({"priority": "urgent"}, {"quantity": 9_999_999}, {"site": "plant-a"}, "workshop"),
        ({"requested_date": DAY_1_JUNE}, {}, {"site": "plant-b"}, "plant-b"),
        ({"requested_date": DAY_1_JUNE - 1}, {}, {"site": "plant-b"}, None),
        ({}, {}, {"site": None}, None),
        ({}, {}, None, None),
    ],
)
def test_the_first_route_that_holds_decides(
    order: Record, line: Record, item: Record | None, destination: str | None
) -> None:
    assert routes().destination({**ORDER, **order}, {**LINE, **line}, item) == destination


def test_a_route_without_a_condition_takes_all_the_rest() -> None:
    found = plan_of(ROUTES + "  - {destination: anywhere}\n").routes
    assert found.destination(ORDER, LINE, None) == "anywhere"
    assert found.destinations == {"workshop", "plant-a", "plant-b", "anywhere"}


def test_without_a_routes_file_nothing_is_released() -> None:
    assert plan_of("codes: c\nversion: 1\nunknown: park\nrows: {a: b}\n").routes.release(ORDER) is False


def test_a_route_to_a_sink_that_is_not_there_is_a_problem() -> None:
    with pytest.raises(DefinitionError) as caught:
        compile_plan([definition(ROUTES, "r.yaml")], {}, destinations=["plant-a", "plant-b"])
    (problem,) = caught.value.problems
    assert (problem.line, problem.message) == (6, "goes to 'workshop', which is no sink of the project")
    assert problem.remedy == "Sinks: plant-a, plant-b."


def test_routes_and_codes_load_on_their_own() -> None:
    assert [rule.destination for rule in load_routes(ROUTES, "r.yaml").rules] == ["workshop", "plant-a", "plant-b"]
    table = load_codes("codes: c\nversion: 3\nunknown: {default: z}\nrows: {a: b}\n", "c.yaml")
    assert (table.name, table.version, table.code("a"), table.code("?")) == ("c", 3, "b", "z")


WORDS = st.text("abcdefgh ÄÖ件", min_size=1, max_size=6).filter(lambda word: word.strip() == word)


@given(st.dictionaries(WORDS, WORDS, min_size=1, max_size=8))
def test_a_code_table_that_is_not_ambiguous_and_its_inverse_undo_each_other(rows: dict[str, str]) -> None:
    text = "codes: c\nversion: 1\nunknown: park\nrows:\n" + "".join(f'  "{a}": "{b}"\n' for a, b in rows.items())
    table = load_codes(text, "c.yaml")
    if table.ambiguous():
        assert len(set(rows.values())) < len(rows)
        return
    assert {word: table.inverse().code(table.code(word)) for word in rows} == {word: word for word in rows}
    with pytest.raises(Refusal):
        table.inverse().code("no such word")
