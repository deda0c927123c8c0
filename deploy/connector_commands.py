"""`lineshaft connector list|describe`: what can be plugged in, and what each plug-in says of its system.

Making one is in making_commands.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from deploy import making_commands, output
from deploy.exits import FOUND
from deploy.invocation import invocation
from deploy.invocation import project as project_of
from schemas.catalog import NAMESPACE

if TYPE_CHECKING:
    from connectors.contract import Connector
    from deploy.connector_description import Described
    from deploy.connector_listing import Installed
    from schemas.document import DocumentType
    from streams.bus import Attached

LISTED = ("name", "sides", "summary", "package", "version")
SETTINGS = ("name", "type", "required", "default", "description")
FIELDS = ("path", "kind", "required", "writable", "values", "doc")

app = typer.Typer(help="Connectors: what is installed, and making one.", no_args_is_help=True)


def add_to(main: typer.Typer) -> None:
    """Add the group `connector`."""
    making_commands.add_to(app)
    main.add_typer(app, name="connector")


@app.command("list")
def list_connectors(as_json: output.Json = False) -> None:
    """List every installed connector; exit 1 where one cannot be used."""
    from deploy.connector_listing import installed

    found = list(installed())
    broken = any(each.problem for each in found)
    columns = (*LISTED, "problem") if broken else LISTED
    output.rows([each.row() for each in found], columns, as_json=as_json, empty="no connector is installed")
    if broken:
        raise typer.Exit(FOUND)


@app.command()
def describe(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A type, a name in lineshaft.yaml, or lineshaft.")],
    document: Annotated[str | None, typer.Option(metavar="KIND", help="Only this document, e.g. Order.")] = None,
    as_json: output.Json = False,
) -> None:
    """Tell a connector's settings and its documents with every field.

    A connector of lineshaft.yaml is described as it is configured there, which may ask its system; a type that is
    not used there, as far as its defaults say. `lineshaft` are the bus's own records, which mappings make and read.
    """
    from deploy.connector_description import described, one_document
    from deploy.connector_listing import find

    if name == NAMESPACE:
        _tell_records(document, as_json)
        return
    attached = _attached(context, name)
    plug_in, connector = find(attached.connector.name if attached else name)
    documents = connector.documents(attached.config) if attached else _by_default(connector)
    if document is None:
        _tell_all(plug_in, connector, [described(each) for each in documents], as_json)
        return
    found = described(one_document(plug_in.name, documents, document))
    if as_json:
        output.line(output.dumps(found))
    else:
        _tell_document(found)


def _attached(context: typer.Context, name: str) -> Attached | None:
    """The project's connector of that name, else its first of that type."""
    from deploy.project_problems import ProjectError

    if not invocation(context).in_a_project:
        return None
    try:
        connectors = project_of(context).connectors
    except ProjectError as error:
        output.note(f"{error}\nThe project cannot be used like this; what follows is what the defaults say.")
        return None
    return connectors.get(name) or next((each for each in connectors.values() if each.connector.name == name), None)


def _by_default(connector: Connector) -> Sequence[DocumentType]:
    from deploy.connector_description import default_documents

    found = default_documents(connector)
    if found is None:
        output.note(
            f"{connector.name}: the documents follow from the configuration; run this in a project that has one"
        )
    return found or ()


def _tell_all(plug_in: Installed, connector: Connector, documents: Sequence[Described], as_json: bool) -> None:
    from deploy.connector_description import abilities, setting_rows

    head = {name: value for name, value in plug_in.row().items() if name != "problem"}
    settings = setting_rows(connector)
    if as_json:
        output.record({**head, "settings": settings, "documents": list(documents)}, as_json=True)
        return
    can = "; ".join(abilities(plug_in.name, plug_in.sides))
    output.record({**head, "can": can}, as_json=False)
    output.line("\nsettings")
    output.rows(settings, SETTINGS, as_json=False)
    for each in documents:
        output.line("")
        _tell_document(each)


def _tell_records(name: str | None, as_json: bool) -> None:
    from deploy.connector_description import described, one_document, own_records

    records = own_records() if name is None else [one_document(NAMESPACE, own_records(), name)]
    found = [described(each) for each in records]
    if as_json:
        output.record({"name": NAMESPACE, "documents": found}, as_json=True)
        return
    for each in found:
        _tell_document(each)
        output.line("")


def _tell_document(found: Described) -> None:
    output.line(f"document {found.name}: {found.doc}".removesuffix(": "))
    output.rows(found.fields, FIELDS, as_json=False)
