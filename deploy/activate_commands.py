"""`lineshaft mapping activate|live|history`: drafts become live on a running bus, and earlier activations again."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from deploy import output
from deploy.exits import Refused
from deploy.invocation import project as project_of

if TYPE_CHECKING:
    from deploy.project import Project
    from mappings import DefinitionFile
    from streams.definition_changes import Change
    from streams.definitions import Activation

LIVE = ("kind", "name", "version", "draft")
HISTORY = ("definition", "activated_at", "activated_by", "live", "changes")
CHANGES = ("kind", "name", "change", "version_before", "version_after")


def add_to(group: typer.Typer) -> None:
    """Add the commands to the group `mapping`."""
    group.command("activate")(activate)
    group.command("live")(show_live)
    group.command("history")(show_history)


def activate(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help="The drafts to make live.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Make live what is drafted, and nothing else.")] = False,
    definition: Annotated[
        str | None, typer.Option(metavar="ID", help="Go back to this activation, as `mapping history` shows it.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: output.Json = False,
) -> None:
    """Make drafts of mappings, code tables and routes live; every role uses them from its next batch on."""
    from deploy.activation import check, check_versions
    from deploy.wiring import bus_with_topics
    from streams.definition_changes import changes
    from streams.definitions import activate as make_live
    from streams.definitions import history, newest

    if sum((bool(names), every, definition is not None)) != 1:
        raise Refused("activate needs to know what.", "Name drafts, or --all, or --definition ID: one of the three.")
    project = project_of(context)
    bus = bus_with_topics(project)
    past = history(bus.cluster)
    live = newest(past)
    wanted = _wanted(project, past, names or (), definition)
    found = changes(live.files, wanted)
    if found:
        check(bus, wanted)
        if definition is None:
            check_versions(past, wanted)
        _agreed(found, yes)
    made = make_live(bus.cluster, wanted, getpass.getuser(), live) if found else live.definition
    _tell(found, made, live, as_json)


def _wanted(
    project: Project, past: Sequence[Activation], names: Sequence[str], definition: str | None
) -> Sequence[DefinitionFile]:
    from deploy.activation import chosen, earlier
    from deploy.wiring import drafts
    from streams.definitions import newest

    if definition is not None:
        return earlier(past, definition).files
    own = drafts(project)
    return chosen(newest(past).files, own, names) if names else own


def _agreed(found: Sequence[Change], yes: bool) -> None:
    """Ask a person; raises Refused where there is none to ask, and typer.Abort where he says no."""
    for each in found:
        output.note(str(each))
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused(f"{len(found)} definitions would change; nobody can be asked.", "Say --yes to activate them.")
    typer.confirm("Make this live?", abort=True, err=True)


def _tell(found: Sequence[Change], made: str, before: Activation, as_json: bool) -> None:
    rows = [{name: getattr(each, name) for name in CHANGES} for each in found]
    if as_json:
        output.record({"definition": made, "before": before.definition, "changes": rows}, as_json=True)
        return
    output.rows(rows, CHANGES, as_json=False, empty="nothing would change")
    if found:
        output.note(f"definition {made} is live; before it {before.definition or 'nothing'}")


def show_live(context: typer.Context, as_json: output.Json = False) -> None:
    """Show what is live, and which drafts differ from it."""
    from deploy.wiring import bus_with_topics, drafts
    from schemas.wire import iso_instant
    from streams.definitions import live

    project = project_of(context)
    found = live(bus_with_topics(project).cluster)
    rows = _compared(found.files, drafts(project))
    at = iso_instant(found.at_us) if found.definition else None
    if as_json:
        whole = {"definition": found.definition, "activated_at": at, "activated_by": found.who, "files": rows}
        output.record(whole, as_json=True)
        return
    if found.definition:
        output.note(f"definition {found.definition}, activated {at} by {found.who}")
    output.rows(rows, LIVE, as_json=False, empty="nothing is live")


def _compared(live: Sequence[DefinitionFile], drafts: Sequence[DefinitionFile]) -> list[dict[str, object]]:
    own = {(each.kind, each.name): each for each in drafts}
    known = {(each.kind, each.name): each for each in live}
    return [
        {"kind": kind, "name": name, **_state(known.get((kind, name)), own.get((kind, name)))}
        for kind, name in sorted({*own, *known})
    ]


def _state(live: DefinitionFile | None, draft: DefinitionFile | None) -> dict[str, object]:
    version = None if live is None else live.version
    if draft is None:
        return {"version": version, "draft": "none"}
    if live is None:
        return {"version": version, "draft": f"version {draft.version}, not live"}
    same = live.content_hash == draft.content_hash
    return {"version": version, "draft": "the same" if same else f"version {draft.version}, differs"}


def show_history(context: typer.Context, as_json: output.Json = False) -> None:
    """List the activations that can be gone back to, the live one last."""
    from deploy.wiring import bus_with_topics
    from schemas.wire import iso_instant
    from streams.definition_changes import told
    from streams.definitions import NOTHING, history

    past = history(bus_with_topics(project_of(context)).cluster)
    found = [
        {
            "definition": each.definition,
            "activated_at": iso_instant(each.at_us),
            "activated_by": each.who,
            "live": each is past[-1],
            "changes": "; ".join(told(before.files, each.files)),
        }
        for before, each in zip([NOTHING, *past], past, strict=False)
    ]
    output.rows(found, HISTORY, as_json=as_json, empty="nothing was ever activated")
