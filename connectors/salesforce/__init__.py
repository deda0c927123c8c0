"""Salesforce: orders with their lines in, production status out (the system's contract is quoted by section)."""

from __future__ import annotations

from pathlib import Path

from connectors.config import ConnectorConfig, narrowed
from connectors.contract import Connector, Simulator, Sink, Source
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.documents import documents
from connectors.salesforce.sink import SalesforceSink
from connectors.salesforce.source import SalesforceSource

__all__ = ["SalesforceConfig", "connector"]


def _source(config: ConnectorConfig) -> Source:
    return SalesforceSource(narrowed(config, SalesforceConfig))


def _sink(config: ConnectorConfig) -> Sink:
    return SalesforceSink(narrowed(config, SalesforceConfig))


def _simulator(folder: Path) -> Simulator:
    from connectors.salesforce.simulator import Simulator as StandIn  # a bus in production never loads the stand-in

    return StandIn(folder)


connector = Connector(
    name="salesforce",
    config=SalesforceConfig,
    documents=documents,
    source=_source,
    sink=_sink,
    simulator=_simulator,
    summary="Orders with their lines by change events; production status by upsert on an external id.",
)
