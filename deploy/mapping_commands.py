"""`lineshaft mapping lint|test`: whether mappings, code tables and routes are right, without a running bus.

The commands that need one are in activate_commands.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy import activate_commands, output
from deploy.exits import FOUND
from deploy.invocation import invocation
from deploy.invocation import project as project_of

if TYPE_CHECKING:
    from deploy.project import Project
    from mappings import DefinitionFile, Findings, Problem
    from schemas.document import DocumentType

Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FILE|FOLDER]…",
        exists=True,
        help="Definition files to look at, together with all others; else the project's, or those that ship.",
    ),
]

app = typer.Typer(help="Mappings, code tables and routes.", no_args_is_help=True)


def add_to(main: typer.Typer) -> None:
    """Add the group `mapping`."""
    activate_commands.add_to(app)
    main.add_typer(app, name="mapping")


@app.command()
def lint(context: typer.Context, paths: Paths = None, as_json: output.Json = False) -> None:
    """Check every path, type and code against both sides, and that the tests are complete; exit 1 on a problem."""
    _, findings = _findings(context, paths)
    _show_problems(findings.problems, as_json)
    if findings.problems:
        raise typer.Exit(FOUND)


@app.command()
def test(context: typer.Context, paths: Paths = None, as_json: output.Json = False) -> None:
    """Run the tests that stand in the mappings; exit 1 where one fails or a mapping cannot be run."""
    wrong, findings = _findings(context, paths)
    found = [
        {
            "file": each.file,
            "line": each.line,
            "mapping": each.mapping,
            "test": each.name,
            "result": "passed" if each.passed else "failed",
            "message": each.message,
        }
        for each in findings.outcomes
    ]
    output.rows(found, ["mapping", "test", "result", "message"], as_json=as_json, empty="no tests")
    for problem in wrong:
        output.note(str(problem))
    if wrong or not all(each.passed for each in findings.outcomes):
        raise typer.Exit(FOUND)


def _findings(context: typer.Context, paths: Sequence[Path] | None) -> tuple[Sequence[Problem], Findings]:
    """The problems that keep mappings from running, and all findings (these and missing tests too)."""
    from mappings import DefinitionError, Findings, compile_plan, examine
    from streams.bus import document_types, sink_names

    project = project_of(context) if invocation(context).in_a_project else None
    types = document_types(project.connectors) if project is not None else _of_installed()
    sinks = sink_names(project.connectors) if project is not None else None
    try:
        files = _files(project, paths or ())
    except DefinitionError as error:
        return error.problems, Findings(error.problems, (), ())
    findings = examine(files, types, sinks)
    for name in findings.unchecked:
        output.note(f"{name}: not checked, the documents of its system are not known here")
    try:
        compile_plan(files, types, sinks)
    except DefinitionError as error:
        return error.problems, findings
    return (), findings


def _files(project: Project | None, paths: Sequence[Path]) -> tuple[DefinitionFile, ...]:
    """What is to be examined. Files that are named take the place of the drafts of the same kind and name."""
    from deploy.wiring import drafts
    from mappings import shipped

    rest = drafts(project) if project is not None else shipped()
    named = [each for path in paths for each in _read(path)]
    taken = {(each.kind, each.name) for each in named}
    routes = any(each.kind == "routes" for each in named)
    kept = [each for each in rest if (each.kind, each.name) not in taken and not (routes and each.kind == "routes")]
    return (*named, *kept)


def _read(path: Path) -> Sequence[DefinitionFile]:
    from mappings import read_file, read_folder

    return read_folder(path) if path.is_dir() else [read_file(path)]


def _of_installed() -> dict[str, DocumentType]:
    """Outside a project: the documents that the installed connectors have by default."""
    from connectors import registry

    found: dict[str, DocumentType] = {}
    for name in registry.names():
        connector = registry.load(name)
        try:
            kinds = connector.documents(connector.config.model_construct())
        except Exception:  # a plug-in given only its defaults may stumble over anything
            output.note(f"{name}: its documents follow from its configuration; run this in a project that has one")
            continue
        found.update({f"{connector.name}.{kind.name}": kind for kind in kinds})
    return found


def _show_problems(problems: Sequence[Problem], as_json: bool) -> None:
    found = [
        {
            "file": each.file,
            "line": each.line,
            "column": each.column,
            "field": each.field,
            "message": each.message,
            "remedy": each.remedy,
        }
        for each in problems
    ]
    output.rows(found, ["file", "line", "field", "message", "remedy"], as_json=as_json, empty="no problems")
