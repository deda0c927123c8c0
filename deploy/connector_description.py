"""One connector in words: its settings and its documents with every field, from its own declarations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from connectors.contract import Connector
from deploy.connector_settings import settings
from deploy.exits import Refused
from mappings.problems import nearest
from schemas import shapes
from schemas.document import DocumentType, Field, Kind

Row: TypeAlias = dict[str, object]

MAPPED = ("SalesOrder", "JobOrder", "JobResponse", "OrderStatus", "Item", "Link")

CAN: Mapping[str, str] = {
    "source": "reads its system",
    "webhook": "takes its system's pushes",
    "sink": "writes into its system",
    "simulator": "has a stand-in: lineshaft simulate {name} --folder DIR",
}


def abilities(name: str, sides: Sequence[str]) -> list[str]:
    """What a connector with these sides can do, in words."""
    return [CAN[side].format(name=name) for side in sides]


def setting_rows(connector: Connector) -> list[Row]:
    """Every setting as a row."""
    return [
        {
            "name": each.name,
            "type": each.type,
            "required": each.required,
            "secret": each.secret,
            "default": each.default,
            "description": each.description,
        }
        for each in settings(connector.config)
    ]


def default_documents(connector: Connector) -> Sequence[DocumentType] | None:
    """The documents that need no configuration; None where they follow from one."""
    try:
        return connector.documents(connector.config.model_construct()) or None
    except Exception:  # a plug-in given only its defaults may stumble over anything
        return None


def own_records() -> Sequence[DocumentType]:
    """The bus's records that a mapping may make or read."""
    return [shapes.described(name) for name in MAPPED]


def one_document(name: str, documents: Sequence[DocumentType], kind: str) -> DocumentType:
    """The document of that kind. Raises Refused with the nearest."""
    found = next((each for each in documents if each.name == kind), None)
    if found is None:
        raise Refused(f"{name} has no document {kind!r}.", nearest(kind, [each.name for each in documents]))
    return found


@dataclass(frozen=True)
class Described:
    """One document with every field as a row, those of a nested record under their path."""

    name: str
    doc: str
    fields: Sequence[Row]


def described(document: DocumentType) -> Described:
    """The document in rows."""
    return Described(document.name, document.doc, list(_rows(document.fields, "")))


def _rows(fields: Sequence[Field], inside: str) -> Iterator[Row]:
    for field in fields:
        yield {
            "path": inside + field.name,
            "kind": _kind(field),
            "required": field.required,
            "writable": field.writable,
            "values": list(field.symbols),
            "doc": field.doc,
        }
        yield from _rows(field.fields, f"{inside}{field.name}.")


def _kind(field: Field) -> str:
    if field.kind is Kind.DECIMAL:
        return f"decimal, {field.precision} digits, {field.scale} after the point"
    return str(field.kind)
