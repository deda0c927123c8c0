"""Conditions as YAML: `{Status: Activated, Quantity: {gt: 0}, any: [{…}, {…}], not: {…}}`.

All entries of a table must hold. A plain value means `is`, a list means `in`.
"""

from __future__ import annotations

from mappings.language import All, Any, Condition, Not, Path, Place, Test
from mappings.problems import nearest
from mappings.reading import Reader, place_of
from mappings.tree import Items, Key, Literal, Scalar, Table, Tree

LISTS = frozenset({"in", "not_in"})
OPERATORS = LISTS | {"is", "is_not", "gt", "ge", "lt", "le", "empty", "starts_with"}


def condition(reader: Reader, node: Tree) -> Condition:
    """The condition that a table says."""
    if isinstance(node, Table) and not node.entries:
        reader.note(place_of(node), "has a condition without a test", "Write for example {Status: Activated}.")
    found = reader.table(node, "a condition")
    parts = [part for key, value in found.entries for part in _entry(reader, key, value)]
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _entry(reader: Reader, key: Key, value: Tree) -> list[Condition]:
    match key.text:
        case "any":
            return [Any(tuple(condition(reader, each) for each in reader.items(value, "any")))]
        case "all":
            return [All(tuple(condition(reader, each) for each in reader.items(value, "all")))]
        case "not":
            return [Not(condition(reader, value))]
        case _:
            return list(tests(reader, Path(key.text, Place(key.line, key.column)), value))


def tests(reader: Reader, path: Path, node: Tree) -> tuple[Test, ...]:
    """The tests of one path: `{gt: 0, lt: 10}`, a plain value or a list."""
    place = place_of(node)
    if isinstance(node, Scalar):
        return (_test(reader, path, "is", (node.value,), place),)
    if isinstance(node, Items):
        return (_test(reader, path, "in", _values(reader, node), place),)
    found: list[Test] = []
    for key, value in node.entries:
        where = Place(key.line, key.column)
        if key.text not in OPERATORS:
            message = f"compares {path.text} by {key.text!r}, which is no comparison"
            reader.note(where, message, nearest(key.text, OPERATORS))
        elif key.text in LISTS:
            found.append(_test(reader, path, key.text, _values(reader, value), where))
        else:
            found.append(_test(reader, path, key.text, (reader.scalar(value, key.text).value,), where))
    return tuple(found)


def _values(reader: Reader, node: Tree) -> tuple[Literal, ...]:
    return tuple(reader.scalar(each, "a value of the list").value for each in reader.items(node, "values"))


def _test(reader: Reader, path: Path, operator: str, operand: tuple[Literal, ...], place: Place) -> Test:
    if None in operand:
        message = f"compares {path.text} with nothing"
        reader.note(place, message, f"Write {{{path.text}: {{empty: true}}}} or {{empty: false}}.")
    if operator == "empty" and not all(isinstance(each, bool) for each in operand):
        reader.note(place, f"asks whether {path.text} is empty, but not with true or false", "Write {empty: true}.")
    return Test(path, operator, operand, place)
