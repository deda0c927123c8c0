"""What every role of one bus knows: the cluster, the partition count and the connectors by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from connectors.config import ConnectorConfig
from connectors.contract import Connector
from schemas.catalog import ORDERS, PRODUCTION, bulk_topic, command_topic, sink_topic
from schemas.document import DocumentType
from streams.kafka.cluster import Cluster
from streams.kafka.topics import Topic, needed


@dataclass(frozen=True)
class Attached:
    """One configured connector: its name on this bus, its plug-in and its validated configuration."""

    name: str
    connector: Connector
    config: ConnectorConfig


def source_names(attached: Mapping[str, Attached]) -> list[str]:
    """The connectors that something comes in from: those with a source, and those that are pushed to.

    What a push could not say is parked, and tried again, where a source's documents are; see far_reader.py.
    """
    return sorted(name for name, each in attached.items() if each.connector.source or each.connector.webhook)


def sink_names(attached: Mapping[str, Attached]) -> list[str]:
    """The connectors that have a sink."""
    return sorted(name for name, each in attached.items() if each.connector.sink is not None)


def document_types(attached: Mapping[str, Attached]) -> dict[str, DocumentType]:
    """The documents of all connectors, named `<type of connector>.<document>`; may ask the far systems."""
    return {
        f"{each.connector.name}.{kind.name}": kind
        for each in attached.values()
        for kind in each.connector.documents(each.config)
    }


@dataclass(frozen=True)
class Bus:
    """One bus as configured."""

    cluster: Cluster
    partitions: int
    attached: Mapping[str, Attached]

    @property
    def sources(self) -> list[str]:
        """See `source_names`."""
        return source_names(self.attached)

    @property
    def sinks(self) -> list[str]:
        """The connectors that have a sink."""
        return sink_names(self.attached)

    @property
    def webhooks(self) -> list[str]:
        """The connectors that take pushes."""
        return sorted(name for name, each in self.attached.items() if each.connector.webhook is not None)

    @cached_property
    def document_types(self) -> dict[str, DocumentType]:
        """See `document_types`."""
        return document_types(self.attached)

    @property
    def topics(self) -> list[Topic]:
        """The topics it needs."""
        return needed(self.partitions, self.sources, self.sinks)

    @property
    def groups(self) -> list[tuple[str, list[str]]]:
        """Its consumer groups and the topics (plain names) that each reads with committed offsets."""
        return [
            ("pipeline", pipeline_topics()),
            *((f"sink.{name}", sink_topics(name)) for name in self.sinks),
            *((f"source.{name}", [command_topic(f"source.{name}")]) for name in self.sources),
            ("sources", ["bus.positions"]),
        ]


def pipeline_topics() -> list[str]:
    """What the pipeline reads: the same subscription in every member."""
    return [ORDERS, PRODUCTION, command_topic("pipeline")]


def sink_topics(name: str) -> list[str]:
    """What a sink task reads."""
    return [sink_topic(name), bulk_topic(name), command_topic(f"sink.{name}")]


def deliveries(bus: Bus) -> list[str]:
    """The topics of everything that is on its way to a far system: both lanes of every sink."""
    return [topic(name) for name in bus.sinks for topic in (sink_topic, bulk_topic)]
