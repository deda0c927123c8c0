"""SQL databases: tables and views read by their changes, tables written by key, in any dialect of SQLAlchemy."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.config import ConnectorConfig, narrowed
from connectors.contract import Connector, Sink, Source
from connectors.sql.config import SqlConfig
from schemas.document import DocumentType

__all__ = ["SqlConfig", "connector"]


def _documents(config: ConnectorConfig) -> Sequence[DocumentType]:
    from connectors.sql.documents import documents  # SQLAlchemy is slow to load, and a project may have no database

    return documents(narrowed(config, SqlConfig))


def _source(config: ConnectorConfig) -> Source:
    from connectors.sql.source import SqlSource

    return SqlSource(narrowed(config, SqlConfig))


def _sink(config: ConnectorConfig) -> Sink:
    from connectors.sql.sink import SqlSink

    return SqlSink(narrowed(config, SqlConfig))


connector = Connector(
    name="sql",
    config=SqlConfig,
    documents=_documents,
    source=_source,
    sink=_sink,
    summary="SQL: any database of SQLAlchemy; changes by time, number or outbox, rows by key and version",
)
