"""Reference data from a drop folder: CSV and Excel files, each read once."""

from __future__ import annotations

from connectors.config import ConnectorConfig
from connectors.contract import Connector, Source
from connectors.files.config import FilesConfig, Table
from connectors.files.documents import documents
from connectors.files.folder import Folder
from connectors.files.source import FilesSource

__all__ = ["FilesConfig", "Table", "connector"]


def _source(config: ConnectorConfig) -> Source:
    if not isinstance(config, FilesConfig):
        raise TypeError(f"a FilesConfig is needed, not {type(config).__name__}")
    return FilesSource(Folder(config.folder, config.tables), config.poll_interval_s)


connector = Connector(
    name="files",
    config=FilesConfig,
    documents=documents,
    source=_source,
    summary="Files: reference data from CSV and Excel in a drop folder",
)
