"""A REST API with JSON, declared in lineshaft.yaml: what is read, what is written, and how the API behaves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from connectors.config import ConnectorConfig, narrowed
from connectors.contract import Connector, Simulator, Sink, Source
from connectors.record_fields import declared
from connectors.rest.config import RestConfig
from connectors.rest.sink import RestSink
from connectors.rest.source import RestSource
from schemas.document import DocumentType

__all__ = ["RestConfig", "connector"]


def _documents(config: ConnectorConfig) -> Sequence[DocumentType]:
    ours = narrowed(config, RestConfig)
    read = [DocumentType(kind, declared(each.fields, writable=False)) for kind, each in ours.reads.items()]
    return [*read, *(DocumentType(kind, declared(each.fields, writable=True)) for kind, each in ours.writes.items())]


def _source(config: ConnectorConfig) -> Source:
    return RestSource(narrowed(config, RestConfig))


def _sink(config: ConnectorConfig) -> Sink:
    return RestSink(narrowed(config, RestConfig))


def _simulator(folder: Path) -> Simulator:
    from connectors.rest.simulator import Simulator as StandIn  # a bus in production never loads the stand-in

    return StandIn(folder)


connector = Connector(
    name="rest",
    config=RestConfig,
    documents=_documents,
    source=_source,
    sink=_sink,
    simulator=_simulator,
    summary="A REST API with JSON, declared: what is read and written, its login, its paging and its errors",
)
