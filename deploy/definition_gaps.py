"""What is missing between connectors and definitions that are good each by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from deploy.exits import WRONG
from deploy.findings import Finding, bad, good
from mappings import DefinitionFile, Plan, compile_plan
from schemas.document import DocumentType
from streams.bus import Attached, sink_names, source_names

CHECK = "definitions"
STATUS = "OrderStatus"


def gaps(
    attached: Mapping[str, Attached], files: Sequence[DefinitionFile], types: Mapping[str, DocumentType]
) -> Iterator[Finding]:
    """Documents that differ under one name, or are read or written by no mapping, and who is told no status.

    May ask the far systems: raises FarError.
    """
    plan = compile_plan(files, types)
    yield from _apart(attached)
    yield from _unread(attached, plan, types)
    for name in sorted(plan.routes.destinations):
        if not _writes(attached, plan, "JobOrder", name):
            system = attached[name].connector.name
            remedy = f"Write a mapping from lineshaft.JobOrder to {system}.…: else each one is parked."
            yield bad(CHECK, name, f"gets job orders, and no mapping makes documents of {system} of them", remedy)
    for name in sink_names(attached):
        if _sells(attached, plan, name) and not _writes(attached, plan, STATUS, name):
            yield good(CHECK, name, "is told no status of its orders: no mapping of OrderStatus is for it")


def _apart(attached: Mapping[str, Attached]) -> Iterator[Finding]:
    """A mapping names a connector's type, so what two of one type call the same has to be the same."""
    first: dict[str, tuple[str, DocumentType]] = {}
    often = Counter(each.connector.name for each in attached.values())
    for each in attached.values():
        for kind in each.connector.documents(each.config) if often[each.connector.name] > 1 else ():
            name = f"{each.connector.name}.{kind.name}"
            other, known = first.setdefault(name, (each.name, kind))
            if known.fields != kind.fields:
                message = f"has other fields at {each.name} than at {other}, and mappings know one {name} only"
                yield bad(CHECK, name, message, "Give one of the two another name, or make them alike.", WRONG)


def _unread(attached: Mapping[str, Attached], plan: Plan, types: Mapping[str, DocumentType]) -> Iterator[Finding]:
    """What comes in has no field that could be written."""
    inward = {attached[name].connector.name for name in source_names(attached)}
    for name, kind in types.items():
        comes_in = name.partition(".")[0] in inward and not any(field.writable for field in kind.fields)
        if comes_in and plan.from_document(name) is None:
            remedy = f"Write a mapping `from: {name}`, or leave it out: else each one is parked."
            yield bad(CHECK, name, "is read, and no mapping says what it is", remedy)


def _writes(attached: Mapping[str, Attached], plan: Plan, record: str, name: str) -> bool:
    return plan.to_document(record, attached[name].connector.name, name) is not None


def _sells(attached: Mapping[str, Attached], plan: Plan, name: str) -> bool:
    """Whether some document of the connector's system becomes an order."""
    system = f"{attached[name].connector.name}."
    return any(each.target == "SalesOrder" and each.mapping.source.startswith(system) for each in plan.mappings)
