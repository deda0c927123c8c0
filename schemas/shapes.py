"""A canonical record's fields in the form that mappings are checked against."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TypeAlias, cast

from schemas.catalog import NAMESPACE, Schema, schema
from schemas.document import DocumentType, Field, Kind

Node: TypeAlias = "Mapping[str, Schema]"

PRIMITIVES: Mapping[str, Kind] = {
    "string": Kind.TEXT,
    "bytes": Kind.BYTES,
    "int": Kind.INTEGER,
    "long": Kind.INTEGER,
    "boolean": Kind.BOOLEAN,
}
LOGICAL: Mapping[str, Kind] = {
    "decimal": Kind.DECIMAL,
    "date": Kind.DATE,
    "timestamp-micros": Kind.INSTANT,
}


@cache
def described(record: str) -> DocumentType:
    """The fields of a canonical record. Raises UnknownRecord for a name that is not shipped.

    A field is `required` where it may not be left out: it is not nullable and has no default.
    """
    whole = schema(record)
    return DocumentType(record, _fields(whole, {}), str(whole.get("doc", "")))


def _fields(node: Node, named: dict[str, Node]) -> tuple[Field, ...]:
    named[f"{NAMESPACE}.{node['name']}"] = node
    return tuple(_field(cast("Node", each), named) for each in cast("list[Schema]", node["fields"]))


def _field(node: Node, named: dict[str, Node]) -> Field:
    shape = node["type"]
    optional = isinstance(shape, list)
    if isinstance(shape, list):
        shape = next(branch for branch in shape if branch != "null")
    required = not optional and "default" not in node
    return _typed(str(node["name"]), shape, required, str(node.get("doc", "")), named)


def _typed(name: str, shape: Schema, required: bool, doc: str, named: dict[str, Node]) -> Field:
    if isinstance(shape, str):
        if shape in PRIMITIVES:
            return Field(name, PRIMITIVES[shape], required=required, doc=doc)
        shape = dict(named[shape])
    node = cast("Node", shape)
    logical = node.get("logicalType")
    if isinstance(logical, str):
        scale, precision = cast("int", node.get("scale", 0)), cast("int", node.get("precision", 18))
        return Field(name, LOGICAL[logical], required=required, precision=precision, scale=scale, doc=doc)
    match node["type"]:
        case "enum":
            named[f"{NAMESPACE}.{node['name']}"] = node
            symbols = tuple(cast("list[str]", node["symbols"]))
            return Field(name, Kind.TEXT, required=required, symbols=symbols, doc=doc)
        case "record":
            return Field(name, Kind.GROUP, _fields(node, named), required=required, doc=doc)
        case _:
            return _list(name, node["items"], required, doc, named)


def _list(name: str, items: Schema, required: bool, doc: str, named: dict[str, Node]) -> Field:
    if items == "string":
        return Field(name, Kind.TEXTS, required=required, doc=doc)
    node = named[items] if isinstance(items, str) else cast("Node", items)
    return Field(name, Kind.LIST, _fields(node, named), required=required, doc=doc)
