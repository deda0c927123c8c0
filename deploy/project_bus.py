"""From a project to the running bus: where its Kafka is now, and what every role needs to know."""

from __future__ import annotations

from deploy import kafka
from deploy.exits import UNREACHABLE, Refused
from deploy.project import Project
from streams.bus import Bus
from streams.kafka.cluster import Cluster


def bus_of(project: Project) -> Bus:
    """The bus that `project` describes. Raises Refused (code 3) where its embedded Kafka does not run."""
    return Bus(cluster_of(project), project.partitions, project.connectors)


def cluster_of(project: Project) -> Cluster:
    """Where the project's Kafka is. Asks no cluster; looks for the embedded broker's process only."""
    if project.cluster is not None:
        return Cluster(project.cluster.bootstrap, project.topic_prefix, project.cluster.settings)
    found = kafka.status(project.kafka_folder)
    if found.bootstrap is None:
        raise Refused(
            f"The embedded Kafka of {project.folder} is {found.state}.",
            "Start it: `lineshaft kafka start --detach`; `lineshaft up` does it by itself.",
            UNREACHABLE,
        )
    return Cluster(found.bootstrap, project.topic_prefix)
