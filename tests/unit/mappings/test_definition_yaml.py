"""YAML of definitions: places, limits, and nothing that turns into something else."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mappings.problems import DefinitionError
from mappings.tree import MAX_CHARACTERS, Items, Literal, Scalar, Table, parse


def scalar(text: str) -> Literal:
    tree = parse(f"a: {text}", "f.yaml")
    assert isinstance(tree, Table)
    found = tree.get("a")
    assert isinstance(found, Scalar)
    return found.value


@pytest.mark.parametrize(
    "text", ["yes", "no", "on", "off", "Yes", "TRUE", "2026-05-01", "007", "1_000", "0x1F", "1e3", "1:30", ".5", "<<"]
)
def test_what_yaml_1_1_would_turn_into_something_else_stays_text(text: str) -> None:
    assert scalar(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("false", False), ("null", None), ("~", None), ("", None), ("5", 5), ("-3", -3), ("0", 0)],
)
def test_only_plain_words_and_numbers_are_more_than_text(text: str, value: Literal) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


def test_fractions_are_exact_decimals() -> None:
    assert scalar("0.10") == Decimal("0.10")
    assert isinstance(scalar("0.1"), Decimal)


@pytest.mark.parametrize("text", ["'5'", '"true"', "'null'"])
def test_quotes_make_text(text: str) -> None:
    assert scalar(text) == text.strip("'\"")


def test_names_are_text_as_they_were_written() -> None:
    tree = parse("true: a\n1: b\nnull: c\n", "f.yaml")
    assert isinstance(tree, Table)
    assert [key.text for key, _ in tree.entries] == ["true", "1", "null"]


def test_every_value_knows_its_line_and_column() -> None:
    tree = parse("a:\n  - {b: c}\n", "f.yaml")
    assert isinstance(tree, Table)
    items = tree.get("a")
    assert isinstance(items, Items)
    inner = items.items[0]
    assert isinstance(inner, Table)
    value = inner.get("b")
    assert value is not None
    assert (value.line, value.column) == (2, 9)


def test_an_alias_is_what_it_stands_for() -> None:
    tree = parse("a: &x {k: 1}\nb: *x\n", "f.yaml")
    assert isinstance(tree, Table)
    assert tree.get("a") == tree.get("b")


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\na: 2\n", 2, "'a' stands here a second time, first in line 1"),
        ("a:\n  b: 1\n  c: 2\n  b: 3\n", 4, "'b' stands here a second time, first in line 2"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, "python/object/apply:os.system is not known here"),
        ("x: 1\na: !secret y\n", 2, "the tag !secret is not known here"),
        ("? [a]\n: b\n", 1, "a name must be plain text"),
        ("a: [1\nb: 2\n", 2, "the YAML cannot be read"),
        ("a: b: c\n", 1, "the YAML cannot be read"),
        ("a: *nowhere\n", 1, "undefined alias"),
        ("a: 1\n---\nb: 2\n", 2, "another document"),
        ("\ta: 1\n", 1, "the YAML cannot be read"),
        ("", 1, "the file is empty"),
        ("# only a comment\n", 1, "the file is empty"),
        ("a: \x00\n", 1, "the file is no YAML"),
        ("[" * 200, 1, "nested deeper than"),
        ("&a [*a]", 1, "too large through its aliases"),
        (BOMB, 5, "too large through its aliases"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse(text, "f.yaml")
    problem = caught.value.problems[0]
    assert problem.file == "f.yaml"
    assert said in problem.message
    assert problem.line == line or said.startswith("too large")
    assert problem.remedy


def test_a_file_that_is_far_too_long_is_not_even_read() -> None:
    with pytest.raises(DefinitionError, match="characters; 500000 are allowed"):
        parse("a: " + "x" * MAX_CHARACTERS, "f.yaml")
