"""A connector's settings in words, from its declaration; those of a table within have a dot in their name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

from connectors.config import ConnectorConfig

Node: TypeAlias = Mapping[str, object]

WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
FORMATS = {"password": "secret", "path": "path", "time": "time"}
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
SHARED = tuple(ConnectorConfig.model_fields)


@dataclass(frozen=True)
class Setting:
    """One setting. `required` ones must be there wherever their table is."""

    name: str
    type: str
    required: bool
    default: object
    description: str

    @property
    def secret(self) -> bool:
        """Whether it is written as a reference and never printed."""
        return self.type == FORMATS["password"]


def settings(config: type[ConnectorConfig]) -> list[Setting]:
    """Every setting: those that must be there first, what all connectors share last."""
    schema = config.model_json_schema()
    found = list(_within(schema, _Named(cast("Mapping[str, Node]", schema.get("$defs", {}))), "", ()))
    required = {each.name for each in found if each.required}

    def place(each: Setting) -> tuple[bool, bool]:
        name = each.name.partition(".")[0].removesuffix("[]")
        return name not in required, name in SHARED

    return sorted(found, key=place)


@dataclass(frozen=True)
class _Named:
    """The definitions that a schema refers to by name."""

    definitions: Mapping[str, Node]

    def shapes(self, node: Node) -> list[Node]:
        """What a setting may hold: behind its reference, each alternative, without the null of one left out."""
        alternatives = cast("Sequence[Node] | None", node.get("anyOf") or node.get("oneOf"))
        if alternatives is not None:
            return [shape for each in alternatives if each.get("type") != "null" for shape in self.shapes(each)]
        reference = node.get("$ref")
        return [self.definitions[str(reference).rpartition("/")[2]] if reference else node]


def _within(table: Node, named: _Named, inside: str, above: Sequence[Node]) -> Iterator[Setting]:
    """The settings of a table and of the tables in it; one that holds itself is told once."""
    required = cast("Sequence[str]", table.get("required", ()))
    for name, node in cast("Mapping[str, Node]", table.get("properties", {})).items():
        description = str(node.get("description", ""))
        yield Setting(inside + name, _type(node, named), name in required, node.get("default"), description)
        for step, inner in _inner(node, named):
            if inner not in above:
                yield from _within(inner, named, f"{inside}{name}{step}.", (*above, inner))


def _inner(node: Node, named: _Named) -> Iterator[tuple[str, Node]]:
    """The tables that a setting holds, itself or as items, each with what stands behind its name."""
    for shape in named.shapes(node):
        yield "", shape
        for key, step in (("items", "[]"), ("additionalProperties", ".*")):
            if isinstance(held := shape.get(key), Mapping):
                yield from ((step + deeper, each) for deeper, each in _inner(held, named))


def _type(node: Node, named: _Named) -> str:
    return " or ".join(dict.fromkeys(_word(shape, named) for shape in named.shapes(node)))


def _word(shape: Node, named: _Named) -> str:
    if "enum" in shape:
        return "one of " + ", ".join(str(each) for each in cast("Sequence[object]", shape["enum"]))
    if "const" in shape:
        return str(shape["const"])
    if shape.get("type") == "array":
        return f"list of {_type(cast('Node', shape.get('items', {})), named)}"
    if shape.get("type") == "object":
        held = shape.get("additionalProperties")
        return f"table of {_type(held, named)}" if isinstance(held, Mapping) else "table"
    word = FORMATS.get(str(shape.get("format"))) or WORDS.get(str(shape.get("type")), "any")
    return " ".join([word, *(f"{sign} {shape[key]}" for key, sign in BOUNDS.items() if key in shape)])
