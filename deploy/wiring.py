"""From a project to a bus: the cluster it names, the connectors it attaches, the definitions it drafts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from deploy import kafka
from deploy.activation import check, check_versions
from deploy.exits import UNREACHABLE, Refused
from deploy.project import Project
from mappings import DefinitionFile, read_file, read_folder, shipped
from schemas.catalog import DEFINITIONS
from schemas.registry import Registry
from schemas.wire import SchemaIds, ShippedSchemas
from streams.bus import Bus
from streams.definition_changes import drafts_that_differ
from streams.definitions import Activation, activate, history, newest
from streams.kafka.cluster import Cluster
from streams.kafka.topics import plan


def bus_of(project: Project) -> Bus:
    """The project's bus; its Kafka must run. Raises Refused (exit 3) where it does not answer."""
    cluster = cluster_of(project)
    cluster.check()
    return Bus(cluster, project.partitions, project.connectors)


def bus_with_topics(project: Project) -> Bus:
    """The project's bus for a command that reads its topics. Raises Refused where they were never made."""
    bus = bus_of(project)
    missing = [each.topic.name for each in plan(bus.cluster, bus.topics) if each.action == "create"]
    if missing:
        problem = f"the topic {missing[0]} is not on this Kafka{_and_more(missing)}."
        raise Refused(problem, "Start the bus with `lineshaft up`, or only make them with `lineshaft topics apply`.")
    return bus


def _and_more(names: Sequence[str]) -> str:
    return f", nor are {len(names) - 1} others" if len(names) > 1 else ""


def cluster_of(project: Project) -> Cluster:
    """Where the project's Kafka is. Asks no cluster; looks for the embedded broker's process only."""
    if project.cluster is not None:
        return Cluster(project.cluster.bootstrap, project.topic_prefix, project.cluster.settings, schema_ids(project))
    found = kafka.status(project.kafka_folder)
    if found.bootstrap is None:
        raise Refused(
            f"The embedded Kafka of {project.folder} is {found.state}.",
            "Start it: `lineshaft kafka start --detach`; `lineshaft up` does it by itself.",
            UNREACHABLE,
        )
    return Cluster(found.bootstrap, project.topic_prefix, ids=schema_ids(project))


def schema_ids(project: Project) -> SchemaIds:
    """The ids that stand in the bus's messages: those of the project's registry, or our own. Asks nobody yet."""
    return Registry(project.registry) if project.registry else ShippedSchemas()


def drafts(project: Project) -> tuple[DefinitionFile, ...]:
    """The project's definition files; of each kind that it names no folder of, those that ship.

    Raises DefinitionError where one cannot be read.
    """
    named = {"mapping": project.mappings, "codes": project.codes, "routes": project.routes}
    own = [each for paths in named.values() for path in paths for each in _read(path)]
    missing = [kind for kind, paths in named.items() if not paths]
    return (*own, *(each for each in shipped() if each.kind in missing))


def _read(path: Path) -> Sequence[DefinitionFile]:
    return [read_file(path)] if path.is_file() else read_folder(path)


def check_new(bus: Bus, project: Project) -> None:
    """Raise what `activate_new` would, for a bus whose topics may not have been made yet."""
    made = {each.topic.name for each in plan(bus.cluster, bus.topics) if each.action != "create"}
    _new(bus, history(bus.cluster) if DEFINITIONS in made else [], drafts(project))


def activate_new(bus: Bus, project: Project, say: Callable[[str], None]) -> None:
    """Make live what has no live version; a draft that differs from its live version is told and not used.

    Raises DefinitionError where the drafts do not fit each other or the connectors: nothing is activated then.
    """
    past, own = history(bus.cluster), drafts(project)
    live, new = newest(past), _new(bus, past, own)
    for name in drafts_that_differ([*live.files, *new], own):
        say(f"{name}: the draft differs from the live version and is not used")
    if new:
        activate(bus.cluster, [*live.files, *new], "lineshaft up", live)
        say(f"activated {len(new)} definitions")


def _new(bus: Bus, past: Sequence[Activation], own: Sequence[DefinitionFile]) -> list[DefinitionFile]:
    """The drafts that have no live version, checked together with what is live."""
    live = newest(past).files
    known = {(each.kind, each.name) for each in live}
    new = [each for each in own if (each.kind, each.name) not in known]
    if new:
        check(bus, [*live, *new])
        check_versions(past, new)
    return new
