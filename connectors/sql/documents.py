"""What can be read and written, asked of the database itself."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.sql.config import SqlConfig
from connectors.sql.engine import engine_of, reading
from connectors.sql.records import Records
from connectors.sql.sink import target_of
from schemas.document import DocumentType


def documents(config: SqlConfig) -> Sequence[DocumentType]:
    """One document type for each table that is read or written. Raises FarError."""
    engine = engine_of(config)
    try:
        with reading(engine) as connection:
            read = [Records(connection, each, config.zone).document_type() for each in config.read]
            return [*read, *(target_of(connection, each).document_type() for each in config.write)]
    finally:
        engine.dispose()
