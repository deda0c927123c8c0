"""`lineshaft audit list|verify|head`: who did what, whether nobody has touched the record of it, and its head."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from deploy import output
from deploy.exits import FOUND
from deploy.invocation import project as project_of

COLUMNS = ("number", "at", "who", "action", "stage", "subject", "reason")


def add_to(app: typer.Typer) -> None:
    """Add the group `audit`."""
    group = typer.Typer(help="Who redrove, edited, discarded or activated what.", no_args_is_help=True)
    group.command("list")(list_entries)
    group.command("verify")(verify)
    group.command("head")(head)
    app.add_typer(group, name="audit")


def list_entries(context: typer.Context, as_json: output.Json = False) -> None:
    """List every entry, oldest first."""
    from deploy.wiring import bus_with_topics
    from schemas.codec import CodecError
    from schemas.document import from_json
    from schemas.wire import iso_instant
    from streams.audit import entries

    found = [
        {**each, "at": iso_instant(cast("int", each["at"])), "details": from_json(str(each["details"]))}
        for each in entries(bus_with_topics(project_of(context)).cluster)
        if not isinstance(each, CodecError)
    ]
    output.rows(found, COLUMNS, as_json=as_json, empty="nothing was done yet")


def verify(
    context: typer.Context,
    heads: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Published heads; else the project's own."),
    ] = None,
    as_json: output.Json = False,
) -> None:
    """Check the whole chain and the published heads; exit 1 where an entry was changed, removed, moved or cut off."""
    from deploy import audit_heads
    from deploy.wiring import bus_with_topics
    from streams.audit import entries
    from streams.audit_chain import first_flaw

    project = project_of(context)
    published = audit_heads.read(heads or project.data / audit_heads.FILE)
    found = list(entries(bus_with_topics(project).cluster))
    flaw = first_flaw(found, published)
    if not published:
        output.note("no head was published: a cut tail cannot be found (`lineshaft audit head --publish`)")
    said = {
        "entries": len(found),
        "heads": len(published),
        "result": "good" if flaw is None else flaw.kind,
        "number": None if flaw is None else flaw.number,
        "message": "every entry is as it was written" if flaw is None else flaw.message,
    }
    output.record(said, as_json=as_json)
    if flaw is not None:
        raise typer.Exit(FOUND)


def head(
    context: typer.Context,
    publish: Annotated[bool, typer.Option("--publish", help="Append it to the project's file of heads too.")] = False,
) -> None:
    """Print the last entry's number and hash as one line of JSON, to be kept where nobody here can change it."""
    from deploy import audit_heads
    from deploy.wiring import bus_with_topics

    project = project_of(context)
    now = audit_heads.head_now(bus_with_topics(project).cluster)
    if publish:
        audit_heads.publish(project.data / audit_heads.FILE, now)
    output.line(audit_heads.line_of(now))
