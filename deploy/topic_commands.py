"""`lineshaft topics plan|apply`: what the bus needs of Kafka, and making it so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from deploy import output
from deploy.exits import FOUND, UNREACHABLE, WRONG, Refused
from deploy.invocation import project as project_of

if TYPE_CHECKING:
    from deploy.project import Project
    from streams.bus import Bus
    from streams.kafka.topics import Difference


def add_to(app: typer.Typer) -> None:
    """Add the group `topics`."""
    group = typer.Typer(help="The bus's topics on Kafka.", no_args_is_help=True)
    group.command("plan")(plan)
    group.command("apply")(apply)
    app.add_typer(group, name="topics")


def plan(context: typer.Context, as_json: output.Json = False) -> None:
    """Show every topic, and what `apply` would do; exit 1 where anything is to be done or refused."""
    from deploy.wiring import bus_of
    from streams.kafka import topics

    bus = bus_of(project_of(context))
    differences = topics.plan(bus.cluster, bus.topics)
    _show(differences, as_json)
    if any(each.action != "none" for each in differences):
        raise typer.Exit(FOUND)


def apply(context: typer.Context, as_json: output.Json = False) -> None:
    """Create what is missing and write the first offsets of new groups. Never changes a partition count."""
    from deploy.wiring import bus_of

    project = project_of(context)
    _show(apply_topics(bus_of(project), project), as_json)


def apply_topics(bus: Bus, project: Project) -> list[Difference]:
    """Make the bus's topics; with a registry configured, first register every schema: a refusal changes nothing."""
    from streams.kafka import topics

    try:
        if project.registry:
            _register(bus, project.registry)
        return topics.apply(bus.cluster, bus.topics, bus.groups)
    except topics.TopicsRefused as error:
        raise Refused(str(error), "No topic was changed.") from error


def _register(bus: Bus, address: str) -> None:
    from schemas.catalog import record_names
    from schemas.registry import Registry, RegistryAway, RegistryError

    registry = Registry(address)
    try:
        for record in record_names():
            names = [bus.cluster.name(topic.name) for topic in bus.topics if topic.kind.record == record]
            registry.register(record, names)
    except RegistryError as error:
        code = UNREACHABLE if isinstance(error, RegistryAway) else WRONG
        raise Refused(str(error), "No topic was made. Look at `registry:` in lineshaft.yaml.", code) from error


def _show(differences: list[Difference], as_json: bool) -> None:
    found = [
        {
            "topic": each.topic.name,
            "record": each.topic.kind.record,
            "partitions": each.topic.partitions,
            "cleanup": "compact" if each.topic.kind.compacted else "delete",
            "action": each.action,
            "reason": each.reason,
        }
        for each in differences
    ]
    output.rows(found, ["topic", "record", "partitions", "cleanup", "action", "reason"], as_json=as_json)
