"""`lineshaft parked redrive|edit|discard`: what a person has done with parked records, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy import output
from deploy.exits import FOUND, Refused
from deploy.invocation import project as project_of
from deploy.parked_selection import Age, Cause, Destination, Filters, Ids, Order, Stage, named
from deploy.written_text import from_editor, from_file

if TYPE_CHECKING:
    from schemas.document import DocumentType
    from schemas.wire import Writer
    from streams.bus import Bus
    from streams.kafka.transaction import Outgoing
    from streams.parked import ParkedRecord

LOOK_S = 0.3
RESOLVED, DISCARDED, AGAIN, SILENT = "resolved", "discarded", "parked again", "no answer"
COLUMNS = ("id", "stage", "outcome", "message")

Wait = Annotated[float, typer.Option("--wait", min=0, help="Longest wait for the outcome, in seconds.")]


def add_to(group: typer.Typer) -> None:
    """Add the commands to the group `parked`."""
    group.command("redrive")(redrive)
    group.command("edit")(edit)
    group.command("discard")(discard)


def redrive(
    context: typer.Context,
    parked_ids: Ids = None,
    every: Annotated[bool, typer.Option("--all", help="All that is parked.")] = False,
    stage: Stage = None,
    cause: Cause = None,
    destination: Destination = None,
    older_than: Age = None,
    order: Order = None,
    wait_s: Wait = 30.0,
    as_json: output.Json = False,
) -> None:
    """Have it processed again by the task that owns it, and tell what came of it; exit 1 where some stays parked."""
    from deploy.wiring import bus_with_topics
    from streams.commands import redrive_command

    filters = Filters(stage, cause, destination, older_than, order)
    if sum((bool(parked_ids), every, bool(filters))) != 1:
        raise Refused("redrive needs to know what.", "Name ids, or --all, or filters like --cause: one of the three.")
    bus = bus_with_topics(project_of(context))
    wanted = _wanted(bus, parked_ids, filters)
    _have_done(bus, wanted, lambda each, write: redrive_command(each.stage, each.parked_id, each.partition, write),
               RESOLVED, wait_s, as_json)  # fmt: skip


def discard(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Why it is given up; it goes into the audit log.")],
    parked_ids: Ids = None,
    stage: Stage = None,
    cause: Cause = None,
    destination: Destination = None,
    older_than: Age = None,
    order: Order = None,
    wait_s: Wait = 30.0,
    as_json: output.Json = False,
) -> None:
    """Give it up for good: it is never processed, and its reason is kept; exit 1 where some stays parked."""
    from deploy.wiring import bus_with_topics
    from streams.commands import discard_command

    filters = Filters(stage, cause, destination, older_than, order)
    if bool(parked_ids) == bool(filters):
        raise Refused("discard needs to know what.", "Name ids, or filters like --cause: one of the two.")
    if not reason.strip():
        raise Refused(
            "--reason is empty.", "Say why the record may be lost; whoever asks later finds it in the audit."
        )
    bus = bus_with_topics(project_of(context))
    wanted = _wanted(bus, parked_ids, filters)

    def command(each: ParkedRecord, write: Writer) -> Outgoing:
        return discard_command(each.stage, each.parked_id, each.partition, write, reason.strip())

    _have_done(bus, wanted, command, DISCARDED, wait_s, as_json)


def edit(
    context: typer.Context,
    parked_id: Annotated[str, typer.Argument(metavar="ID", help="The id, as `parked list` shows it.")],
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="The record as JSON; - is standard input.")
    ] = None,
    wait_s: Wait = 30.0,
    as_json: output.Json = False,
) -> None:
    """Mend what it says, in $EDITOR or from a file, and have it processed again; exit 1 where it stays parked."""
    from deploy.wiring import bus_with_topics
    from schemas.document import to_json
    from streams.commands import edit_command

    given = None if source is None else from_file(source)
    bus = bus_with_topics(project_of(context))
    [found] = named(Filters().chosen(bus), [parked_id])
    content = _content(bus, found, from_editor(to_json(found.as_it_came, indent=2)) if given is None else given)
    _have_done(bus, [found], lambda each, write: edit_command(each.stage, each.parked_id, each.partition, write,
               content), RESOLVED, wait_s, as_json)  # fmt: skip


def _content(bus: Bus, parked: ParkedRecord, text: str) -> bytes:
    from streams.edits import EditRefused, content_of

    def types() -> Sequence[DocumentType]:
        attached = bus.attached[parked.stage.removeprefix("source.")]
        return attached.connector.documents(attached.config)

    try:
        return content_of(parked.incoming, text, bus.cluster, types)
    except EditRefused as refused:
        raise Refused(
            f"the edit of {parked.parked_id} was not sent:\n{refused}", "Mend it and edit again."
        ) from refused


def _wanted(bus: Bus, parked_ids: Sequence[str] | None, filters: Filters) -> list[ParkedRecord]:
    found = filters.chosen(bus)
    return named(found, parked_ids) if parked_ids else found


def _have_done(
    bus: Bus,
    wanted: Sequence[ParkedRecord],
    command: Callable[[ParkedRecord, Writer], Outgoing],
    done: str,
    wait_s: float,
    as_json: bool,
) -> None:
    """Send a command for each, wait for their owners, and tell what came of each; exit 1 where one is not done."""
    from streams.commands import send

    write, read = bus.cluster.writer("Command"), bus.cluster.reader("Command")
    commands = [command(each, write) for each in wanted]
    send(bus.cluster, commands)
    ids = [str(read(each.value)["command_id"]) for each in commands]
    outcomes = _outcomes(bus, list(zip(wanted, ids, strict=True)), done, wait_s)
    found = [{"id": each.parked_id, "stage": each.stage, **outcomes[each.parked_id]} for each in wanted]
    output.rows(found, COLUMNS, as_json=as_json, empty="nothing is parked")
    if any(each["outcome"] != done for each in found):
        raise typer.Exit(FOUND)


def _outcomes(
    bus: Bus, sent: Sequence[tuple[ParkedRecord, str]], done: str, wait_s: float
) -> Mapping[str, Mapping[str, str]]:
    """What became of each: done, parked again with the reason of now, or not answered in time."""
    from streams.parked import parked_now

    deadline = time.monotonic() + wait_s
    while True:
        now = {each.parked_id: each for each in parked_now(bus)}
        outcomes = {each.parked_id: _outcome(each, now.get(each.parked_id), command, done) for each, command in sent}
        silent = any(each["outcome"] == SILENT for each in outcomes.values())
        if not silent or time.monotonic() >= deadline:
            return outcomes
        time.sleep(LOOK_S)


def _outcome(before: ParkedRecord, now: ParkedRecord | None, command_id: str, done: str) -> Mapping[str, str]:
    if now is None:
        return {"outcome": done, "message": ""}
    if now.value["last_command"] == command_id:
        return {"outcome": AGAIN, "message": str(now.value["message"])}
    return {"outcome": SILENT, "message": f"does {before.stage} run? It finds the command when it starts"}
