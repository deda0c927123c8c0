"""Files in a drop folder, here or on an SFTP server: CSV, Excel and JSON, each read once."""

from __future__ import annotations

from connectors.config import ConnectorConfig, narrowed
from connectors.contract import Connector, Sink, Source
from connectors.files.config import FilesConfig, FilesOutConfig, PlaceConfig, Table
from connectors.files.documents import documents, handed_over
from connectors.files.folder import Folder
from connectors.files.places import LocalPlace, Place
from connectors.files.sftp import SftpPlace
from connectors.files.sink import FilesSink
from connectors.files.source import FilesSource

__all__ = ["FilesConfig", "FilesOutConfig", "Table", "connector", "out"]


def _source(config: ConnectorConfig) -> Source:
    ours = narrowed(config, FilesConfig)
    return FilesSource(Folder(_place(ours), ours.tables), ours.poll_interval_s)


def _sink(config: ConnectorConfig) -> Sink:
    ours = narrowed(config, FilesOutConfig)
    return FilesSink(_place(ours), ours.write)


def _place(config: PlaceConfig) -> Place:
    if config.sftp is not None:
        return SftpPlace(config.sftp)
    assert config.folder is not None
    return LocalPlace(config.folder)


connector = Connector(
    name="files",
    config=FilesConfig,
    documents=documents,
    source=_source,
    summary="Files: CSV, Excel and JSON in a drop folder, here or on an SFTP server",
)

out = Connector(
    name="files-out",
    config=FilesOutConfig,
    documents=handed_over,
    sink=_sink,
    summary="Files handed over, JSON or CSV, in a folder here or on an SFTP server",
)
