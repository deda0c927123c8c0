"""`lineshaft parked list|show`: what could not be processed, why, and who can resolve it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from deploy import output, parked_repairs
from deploy.exits import FOUND
from deploy.invocation import project as project_of
from deploy.parked_selection import Age, Cause, Destination, Filters, Order, Stage, named

if TYPE_CHECKING:
    from streams.parked import ParkedRecord

COLUMNS = ("id", "stage", "cause", "owner", "attempts", "since", "next_try", "message")


def add_to(app: typer.Typer) -> None:
    """Add the group `parked`."""
    group = typer.Typer(help="What could not be processed.", no_args_is_help=True)
    group.command("list")(list_parked)
    group.command("show")(show)
    parked_repairs.add_to(group)
    app.add_typer(group, name="parked")


def list_parked(
    context: typer.Context,
    stage: Stage = None,
    cause: Cause = None,
    destination: Destination = None,
    older_than: Age = None,
    order: Order = None,
    as_json: output.Json = False,
) -> None:
    """List it, oldest first; exit 1 where anything is parked."""
    from deploy.wiring import bus_with_topics

    filters = Filters(stage, cause, destination, older_than, order)
    found = [_row(each) for each in filters.chosen(bus_with_topics(project_of(context)))]
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
    [found] = named(Filters().chosen(bus), [parked_id])
    whole = {**_row(found), **_details(found)}
    if as_json:
        output.record(whole, as_json=True)
        return
    nested = ("headers", "record")
    output.record({name: value for name, value in whole.items() if name not in nested}, as_json=False)
    for name in nested:
        output.line(f"{name}:")
        output.line(output.dumps(whole[name]))


def _row(parked: ParkedRecord) -> dict[str, object]:
    value = parked.value
    return {
        "id": parked.parked_id,
        "stage": parked.stage,
        "destination": parked.destination,
        "cause": value["cause"],
        "owner": value["owner"],
        "attempts": parked.attempts,
        "since": _instant(value["first_at"]),
        "next_try": _instant(value["retry_at"]),
        "message": value["message"],
        "order": value["order_key"],
    }


def _instant(at: object) -> str | None:
    from schemas.wire import iso_instant

    return None if at is None else iso_instant(cast("int", at))


def _details(parked: ParkedRecord) -> dict[str, object]:
    value = parked.value
    return {
        "waits_for": value["waits_for"],
        "last_tried": _instant(value["last_at"]),
        "edited_by": value["edited_by"],
        "subject": value["subject"],
        "revision": value["revision"],
        "topic": value["topic"] or None,
        "partition": parked.partition,
        "offset": value["offset"] if value["topic"] else None,
        "headers": parked.headers,
        "record": parked.as_it_came,
    }
