"""Small mappings for tests: one far record with a field of every kind, and a far target of the same kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from connectors import registry
from connectors.files.config import FilesConfig
from connectors.jiandaoyun import connector as jiandaoyun
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.documents import documents as salesforce_documents
from connectors.tryton import crm as tryton_crm
from connectors.tryton import mes as tryton_mes
from mappings import Compiled, Context, DefinitionError, Plan, Problem, compile_plan, definition
from schemas.document import DocumentType, Field, Fields, Kind, Value
from schemas.event import Record

PLAIN = {
    "text": Kind.TEXT,
    "integer": Kind.INTEGER,
    "decimal": Kind.DECIMAL,
    "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
    "instant": Kind.INSTANT,
}
KINDS = tuple(Field(name, kind) for name, kind in PLAIN.items())
THING = DocumentType(
    "Thing",
    (
        *KINDS,
        Field("more", fields=(), doc="a second text"),
        Field("group", Kind.GROUP, KINDS),
        Field("rows", Kind.LIST, (*KINDS, Field("group", Kind.GROUP, KINDS))),
        Field("tags", Kind.TEXTS),
        Field("word", symbols=("red", "green")),
    ),
)
RESULT = DocumentType(
    "Result",
    (
        *KINDS,
        Field("must", required=True),
        Field("computed", writable=False),
        Field("word", symbols=("red", "green")),
        Field("short", Kind.DECIMAL, precision=5, scale=2),
        Field("group", Kind.GROUP, KINDS),
        Field("rows", Kind.LIST, KINDS),
        Field("tags", Kind.TEXTS),
    ),
)
TYPES = {"crm.Thing": THING, "mes.Result": RESULT}

HEAD = "mapping: m\nversion: 1\nfrom: crm.Thing\nto: mes.Result\nfields:\n  must: {const: x}\n"


@dataclass(frozen=True)
class Known:
    """Reference data of a test."""

    items: Mapping[str, Record] = field(default_factory=dict)
    links: Mapping[tuple[str, str, str, str], str] = field(default_factory=dict)

    def item(self, code: str, /) -> Record | None:
        return self.items.get(code)

    def link(self, kind: str, system: str, id: str, to_system: str, /) -> str | None:
        return self.links.get((kind, system, id, to_system))


CONTEXT = Context("crm", "crm:1", "the-subject", 7, "plant-a", Known())


def plan_of(*texts: str, types: Mapping[str, DocumentType] = TYPES) -> Plan:
    """The plan of these definition files, called file1.yaml and so on."""
    files = [definition(text, f"file{number}.yaml") for number, text in enumerate(texts, 1)]
    return compile_plan(files, types)


def problems_of(*texts: str, types: Mapping[str, DocumentType] = TYPES) -> Sequence[Problem]:
    """What is wrong with these files."""
    try:
        plan_of(*texts, types=types)
    except DefinitionError as error:
        return error.problems
    return ()


def mapping_of(text: str, *codes: str) -> Compiled:
    """The mapping of crm.Thing in a file, with code tables."""
    found = plan_of(text, *codes).from_document("crm.Thing")
    assert found is not None
    return found


def made_by(rule: str, target: str, given: Fields, *codes: str, context: Context = CONTEXT) -> Value:
    """What one rule makes of a Thing in the field `target` of a Result."""
    made = mapping_of(f"{HEAD}  {target}: {rule}\n", *codes).document(given, context)
    assert made is not None
    return made[target]


def context_of(items: Sequence[Record] = (), links: Sequence[tuple[str, str, str, str, str]] = ()) -> Context:
    """A context with reference data."""
    known = Known({str(item["item"]): item for item in items}, {link[:4]: link[4] for link in links})
    return replace(CONTEXT, references=known)


def real_types() -> dict[str, DocumentType]:
    """The documents of the connectors that ship, as a default configuration has them."""
    tables = [
        {
            "pattern": "items*.csv",
            "document": "Item",
            "key": "item",
            "columns": ["item", "description", "unit", "site"],
        },
        {
            "pattern": "links*.csv",
            "document": "Link",
            "key": ["kind", "system", "id", "to_system"],
            "columns": ["kind", "system", "id", "to_system", "to_id"],
        },
    ]
    files = FilesConfig.model_validate({"folder": "/nowhere", "tables": tables})
    documents = {
        "files": registry.load("files").documents(files),
        "jiandaoyun": jiandaoyun.documents(jiandaoyun.config.model_construct()),
        "salesforce": salesforce_documents(SalesforceConfig.model_construct()),
        "tryton-crm": tryton_crm.documents(tryton_crm.config.model_construct()),
        "tryton-mes": tryton_mes.documents(tryton_mes.config.model_construct()),
    }
    return {f"{system}.{each.name}": each for system, kinds in documents.items() for each in kinds}
