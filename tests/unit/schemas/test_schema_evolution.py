"""FULL_TRANSITIVE against every released version, and what the checker takes for a break."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from schemas.catalog import history, record_names, schema
from schemas.evolution import breaks, problems

Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize("name", record_names())
def test_a_record_agrees_with_every_released_version(name: str) -> None:
    assert breaks(name) == []


@pytest.mark.parametrize("name", record_names())
def test_todays_schema_is_the_newest_released_version(name: str) -> None:
    versions = history(name)
    newest = max(versions, default=0)
    assert versions.get(newest) == schema(name), (
        f"schemas/avro/{name}.avsc differs from its newest released version. Write the complete schema (shared types "
        f"put in, as schemas.catalog.schema gives it) to schemas/avro/history/{name}.{newest + 1}.avsc: records that "
        "were written with version "
        f"{newest} must stay readable."
    )


@pytest.mark.parametrize("name", record_names())
def test_released_versions_are_numbered_without_a_gap(name: str) -> None:
    assert list(history(name)) == list(range(1, len(history(name)) + 1))


def undocumented(node: Any, path: str) -> Iterator[str]:
    if isinstance(node, list):
        for branch in node:
            yield from undocumented(branch, path)
    if not isinstance(node, dict):
        return
    if node.get("type") in ("record", "enum") and not node.get("doc"):
        yield f"{path} ({node['name']})"
    for field in node.get("fields", ()):
        here = f"{path}.{field['name']}"
        if not str(field.get("doc", "")).endswith((".", "…")):
            yield here
        yield from undocumented(field["type"], here)
    for inner in ("items", "type"):
        if isinstance(node.get(inner), dict):
            yield from undocumented(node[inner], path)


@pytest.mark.parametrize("name", record_names())
def test_every_field_says_what_it_means_in_a_sentence(name: str) -> None:
    assert list(undocumented(schema(name), name)) == []


def field(record: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in record["fields"] if each["name"] == name)


def line(record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = field(record, "lines")["type"]["items"]
    return found


def add(where: dict[str, Any], **new: Any) -> None:
    where["fields"].append({"name": "added", "doc": "New.", **new})


def leave_out(where: dict[str, Any], name: str) -> None:
    where["fields"] = [each for each in where["fields"] if each["name"] != name]


COMPATIBLE: dict[str, Change] = {
    "a new field with a default": lambda s: add(s, type=["null", "string"], default=None),
    "a new field with a default in each line": lambda s: add(line(s), type="string", default=""),
    "a field with a default taken away": lambda s: leave_out(s, "customer_name"),
    "another sentence as doc": lambda s: field(s, "number").update(doc="Other words."),
    "a new symbol where the enum has a default": lambda s: field(s, "type")["type"]["symbols"].append("loan"),
}
INCOMPATIBLE: dict[str, Change] = {
    "a new field without a default": lambda s: add(s, type="string"),
    "a new field without a default in each line": lambda s: add(line(s), type="string"),
    "a required field taken away": lambda s: leave_out(s, "number"),
    "a field renamed": lambda s: field(s, "number").update(name="no"),
    "another type": lambda s: field(s, "number").update(type="long"),
    "a type that only widens": lambda s: field(s, "placed_at").update(type=["null", "double"]),
    "another scale": lambda s: field(line(s), "quantity")["type"].update(scale=3),
    "another precision": lambda s: field(line(s), "quantity")["type"].update(precision=9),
    "null no longer allowed": lambda s: field(s, "customer").update(type="string", default=""),
    "another name of the record": lambda s: s.update(name="Order"),
}


def after(change: Change) -> dict[str, Any]:
    changed: dict[str, Any] = copy.deepcopy(dict(schema("SalesOrder")))
    change(changed)
    return changed


@pytest.mark.parametrize("change", COMPATIBLE.values(), ids=COMPATIBLE)
def test_a_compatible_change_is_let_through(change: Change) -> None:
    assert problems(schema("SalesOrder"), after(change)) == []


@pytest.mark.parametrize("change", INCOMPATIBLE.values(), ids=INCOMPATIBLE)
def test_an_incompatible_change_is_told(change: Change) -> None:
    assert problems(schema("SalesOrder"), after(change))
