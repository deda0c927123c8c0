"""Writes rows by the bus's own key; the version guard stands in the statement that writes.

UPDATE … WHERE key = … AND version < …, and where no row has the key INSERT. An upsert in one statement would need two
dialects' own words, and on a row that is there it would still ask for the columns that people own and must fill.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from connectors.contract import Rejection
from connectors.errors import ConfigError, DataError
from connectors.sql.answers import error_of
from connectors.sql.columns import Column, column, field_of, kind_of, python_type, reflected, typed
from connectors.sql.config import SqlConfig, Write
from connectors.sql.engine import engine_of, reading, writing
from schemas.document import Document, DocumentType, Field, Kind

KNOWN = Field("_known", Kind.BOOLEAN, doc="The row was there before; when it is gone, ask and make none.")


@dataclass(frozen=True)
class Target:
    """A table that is written: its columns by name, and the two that the bus fills itself."""

    name: str
    table: sa.Table
    key: Column
    version: Column

    def document_type(self) -> DocumentType:
        """What is written; a column whose type no document holds is left to others."""
        ours = [each for each in self.table.c if each not in (self.key, self.version) and kind_of(each) is not None]
        fields = (*(field_of(each, writable=each.computed is None) for each in ours), KNOWN)
        return DocumentType(self.name, fields, doc=f"A row of {self.table.fullname}.")


def target_of(connection: sa.Connection, write: Write) -> Target:
    """The table of one kind of record. Raises ConfigError where the configuration does not fit the database."""
    setting = f"write.{write.document}"
    table = reflected(connection, setting, write.table)
    key = column(table, f"{setting}.key", write.key)
    version = column(table, f"{setting}.version", write.version)
    inspector = sa.inspect(connection)
    unique: list[Sequence[str | None]] = [
        inspector.get_pk_constraint(table.name, table.schema)["constrained_columns"]
    ]
    unique += [each["column_names"] for each in inspector.get_unique_constraints(table.name, table.schema)]
    unique += [each["column_names"] for each in inspector.get_indexes(table.name, table.schema) if each["unique"]]
    if [write.key] not in unique:
        remedy = "Make it unique: otherwise two writers could make two rows of one record."
        raise ConfigError(f"{setting}.key", f"{table.fullname}.{write.key} is not unique by itself.", remedy)
    if python_type(version) is not int or isinstance(version.type, sa.SmallInteger):
        raise ConfigError(f"{setting}.version", f"{version.name} is {version.type!r}.", "Make it a bigint.")
    return Target(write.document, table, key, version)


class SqlSink:
    """A batch is one transaction; a row that the database refuses is left out of it."""

    def __init__(self, config: SqlConfig) -> None:
        self._engine, self._config, self._zone = engine_of(config), config, config.zone
        self._targets: dict[str, Target] = {}

    def open(self) -> None:
        """Compare the configuration with the database. Raises ConfigError or AuthError."""
        with reading(self._engine) as connection:
            self._targets = {each.document: target_of(connection, each) for each in self._config.write}

    def write(self, documents: Sequence[Document]) -> Sequence[Rejection]:
        """See `connectors.contract.Sink.write`."""
        rejected: list[Rejection] = []
        with writing(self._engine) as connection:
            for index, document in enumerate(documents):
                try:
                    self._write(connection, document)
                except DataError as error:
                    rejected.append(Rejection(index, error))
        return rejected

    def close(self) -> None:
        """Close the connection. Safe twice."""
        self._engine.dispose()

    def _write(self, connection: sa.Connection, document: Document) -> None:
        """One row, or nothing where the stored version is not older. Raises DataError where it can never be."""
        target = self._targets.get(document.type)
        if target is None:
            raise DataError(f"no table is named for {document.type}; there are {', '.join(self._targets) or 'none'}")
        values = self._values(target, document)
        try:
            with connection.begin_nested():
                if _updated(connection, target, values) or _has_newer(connection, target, values):
                    return
            if document.fields.get(KNOWN.name) is True:
                raise DataError(f"{document.id} was in {target.table.fullname} and is gone: a person decides", "gone")
            _insert(connection, target, values)
        except SQLAlchemyError as error:
            found = error_of(error)
            if isinstance(found, DataError):
                raise found from error
            raise

    def _values(self, target: Target, document: Document) -> Mapping[str, Any]:
        """What is written of a document: the columns that it names, and no others."""
        if not document.revision.isdecimal():
            raise DataError(f"{document.id}: version {document.revision!r} is no number")
        values: dict[str, Any] = {}
        for name, value in document.fields.items():
            if name in target.table.c and name not in (target.key.name, target.version.name):
                values[name] = typed(value, target.table.c[name], self._zone)
            elif name != KNOWN.name and name not in target.table.c:
                raise DataError(f"{document.id}: {target.table.fullname} has no column {name}")
        values[target.key.name] = typed(document.id, target.key, self._zone)
        values[target.version.name] = int(document.revision)
        return values


def _updated(connection: sa.Connection, target: Target, values: Mapping[str, Any]) -> bool:
    """The row becomes this one where its version is older or was never set; a key may be one that is generated."""
    older = sa.or_(target.version.is_(None), target.version < values[target.version.name])
    others = {name: value for name, value in values.items() if name != target.key.name}
    statement = sa.update(target.table).where(target.key == values[target.key.name], older).values(others)
    return connection.execute(statement).rowcount > 0


def _has_newer(connection: sa.Connection, target: Target, values: Mapping[str, Any]) -> bool:
    """The row is there with this version or a newer one; an older one may have been committed since the update."""
    newer = target.version >= values[target.version.name]
    statement = sa.select(sa.literal(1)).where(target.key == values[target.key.name], newer)
    return connection.execute(statement).first() is not None


def _insert(connection: sa.Connection, target: Target, values: Mapping[str, Any]) -> None:
    """Make the row; where another writer was quicker the versions decide."""
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(target.table).values(values))
    except IntegrityError:
        if not _updated(connection, target, values) and not _has_newer(connection, target, values):
            raise
