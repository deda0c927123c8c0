"""`lineshaft parked list|show|redrive`: what could not be processed, why, and trying it again."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, cast

import typer

from deploy import output
from deploy.exits import FOUND, Refused
from deploy.invocation import project as project_of

if TYPE_CHECKING:
    from streams.bus import Bus
    from streams.parked import ParkedRecord

LOOK_S = 0.3
COLUMNS = ("id", "stage", "cause", "owner", "attempts", "since", "message")

Stage = Annotated[str | None, typer.Option(help="Only what this stage has parked, e.g. pipeline or source.crm.")]
Cause = Annotated[str | None, typer.Option(help="Only what has this cause, e.g. unknown_reference.")]
Order = Annotated[str | None, typer.Option(help="Only what belongs to this order: its key, number or reference.")]


def add_to(app: typer.Typer) -> None:
    """Add the group `parked`."""
    group = typer.Typer(help="What could not be processed.", no_args_is_help=True)
    group.command("list")(list_parked)
    group.command("show")(show)
    group.command("redrive")(redrive)
    app.add_typer(group, name="parked")


def list_parked(
    context: typer.Context,
    stage: Stage = None,
    cause: Cause = None,
    order: Order = None,
    as_json: output.Json = False,
) -> None:
    """List it, oldest first; exit 1 where anything is parked."""
    from deploy.wiring import bus_with_topics

    bus = bus_with_topics(project_of(context))
    found = [_row(each) for each in _chosen(bus, stage, cause, order)]
    output.rows(found, COLUMNS, as_json=as_json, empty="nothing is parked")
    if found:
        raise typer.Exit(FOUND)


def show(
    context: typer.Context,
    parked_id: Annotated[str, typer.Argument(metavar="ID", help="The id, as `parked list` shows it.")],
    as_json: output.Json = False,
) -> None:
    """Show all that is known of it: the reason, who can resolve it, and the record as it came."""
    from deploy.wiring import bus_with_topics

    bus = bus_with_topics(project_of(context))
    [found] = _named(_chosen(bus), [parked_id])
    whole = {**_row(found), **_details(found)}
    if as_json:
        output.record(whole, as_json=True)
        return
    nested = ("headers", "record")
    output.record({name: value for name, value in whole.items() if name not in nested}, as_json=False)
    for name in nested:
        output.line(f"{name}:")
        output.line(output.dumps(whole[name]))


def redrive(
    context: typer.Context,
    parked_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]…", help="The ids to try again.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that is parked.")] = False,
    cause: Cause = None,
    wait_s: Annotated[float, typer.Option("--wait", min=0, help="Longest wait for the outcome, in seconds.")] = 30.0,
    as_json: output.Json = False,
) -> None:
    """Have it processed again by the task that owns it, and tell what came of it; exit 1 where some stays parked."""
    from deploy.wiring import bus_with_topics
    from streams.commands import redrive_command, send

    if sum((bool(parked_ids), every, cause is not None)) != 1:
        raise Refused("redrive needs to know what.", "Name ids, or --all, or --cause CAUSE: one of the three.")
    bus = bus_with_topics(project_of(context))
    parked = _chosen(bus, cause=cause)
    wanted = _named(parked, parked_ids) if parked_ids else parked
    write = bus.cluster.writer("Command")
    send(bus.cluster, [redrive_command(each.stage, each.parked_id, each.partition, write) for each in wanted])
    outcomes = _outcomes(bus, wanted, wait_s)
    found = [{"id": each.parked_id, "stage": each.stage, **outcomes[each.parked_id]} for each in wanted]
    output.rows(found, ("id", "stage", "outcome", "message"), as_json=as_json, empty="nothing is parked")
    if any(each["outcome"] != RESOLVED for each in found):
        raise typer.Exit(FOUND)


RESOLVED, AGAIN, SILENT = "resolved", "parked again", "no answer"


def _outcomes(bus: Bus, wanted: Sequence[ParkedRecord], wait_s: float) -> Mapping[str, Mapping[str, str]]:
    """What became of each: resolved, parked again with the reason of now, or not answered in time."""
    from streams.parked import parked_now

    deadline = time.monotonic() + wait_s
    while True:
        now = {each.parked_id: each for each in parked_now(bus)}
        outcomes = {each.parked_id: _outcome(each, now.get(each.parked_id)) for each in wanted}
        silent = any(each["outcome"] == SILENT for each in outcomes.values())
        if not silent or time.monotonic() >= deadline:
            return outcomes
        time.sleep(LOOK_S)


def _outcome(before: ParkedRecord, now: ParkedRecord | None) -> Mapping[str, str]:
    if now is None:
        return {"outcome": RESOLVED, "message": ""}
    if now.attempts > before.attempts:
        return {"outcome": AGAIN, "message": str(now.value["message"])}
    return {"outcome": SILENT, "message": f"does {before.stage} run? It finds the command when it starts"}


def _chosen(
    bus: Bus, stage: str | None = None, cause: str | None = None, order: str | None = None
) -> list[ParkedRecord]:
    from streams.parked import parked_now, stages
    from streams.trace import belongs_to

    _check_word("--stage", stage, stages(bus))
    _check_word("--cause", cause, _causes())
    return [
        each
        for each in parked_now(bus)
        if (stage is None or each.stage == stage)
        and (cause is None or each.value["cause"] == cause)
        and (order is None or belongs_to(each, order))
    ]


def _causes() -> Collection[str]:
    from streams.outcome import OWNERS

    return [str(cause) for cause in OWNERS]


def _check_word(option: str, word: str | None, known: Collection[str]) -> None:
    from mappings.problems import nearest

    if word is not None and word not in known:
        raise Refused(f"{option} {word}: there is no such word.", nearest(word, known))


def _named(parked: Sequence[ParkedRecord], ids: Sequence[str]) -> list[ParkedRecord]:
    """The records of these ids. Raises Refused (exit 1) where one is not parked, or not any more."""
    by_id = {each.parked_id: each for each in parked}
    missing = [each for each in ids if each not in by_id]
    if missing:
        problem = f"nothing is parked under {', '.join(map(repr, missing))}."
        raise Refused(problem, "It may have been resolved; `lineshaft parked list` shows what is parked now.", FOUND)
    return [by_id[each] for each in dict.fromkeys(ids)]


def _row(parked: ParkedRecord) -> dict[str, object]:
    from schemas.wire import iso_instant

    value = parked.value
    return {
        "id": parked.parked_id,
        "stage": parked.stage,
        "cause": value["cause"],
        "owner": value["owner"],
        "attempts": parked.attempts,
        "since": iso_instant(cast("int", value["first_at"])),
        "message": value["message"],
        "order": value["order_key"],
    }


def _details(parked: ParkedRecord) -> dict[str, object]:
    from schemas.wire import iso_instant

    value = parked.value
    return {
        "waits_for": value["waits_for"],
        "last_tried": iso_instant(cast("int", value["last_at"])),
        "subject": value["subject"],
        "revision": value["revision"],
        "topic": value["topic"] or None,
        "partition": parked.partition,
        "offset": value["offset"] if value["topic"] else None,
        "headers": parked.headers,
        "record": parked.as_it_came,
    }
