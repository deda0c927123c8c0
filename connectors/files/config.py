"""Which folder is watched, and what the tables in it look like."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from connectors.config import ConnectorConfig, Secret, Settings, TimeoutS
from connectors.record_fields import Column, Shape
from schemas.document import Kind

CellKind = Literal["text", "integer", "decimal", "boolean", "date", "instant"]


def _all_text(columns: object) -> object:
    """A bare list of columns is one of texts."""
    return dict.fromkeys(columns, "text") if isinstance(columns, list) else columns


def _as_list(key: object) -> object:
    return [key] if isinstance(key, str) else key


class Placed(Settings):
    """A column that the file calls otherwise."""

    kind: CellKind = Field(default="text", description="text, integer, decimal, boolean, date or instant.")
    at: str = Field(min_length=1, description="What the file calls it; in JSON a path, e.g. customer.name.")


Columns = Annotated[Mapping[str, CellKind | Placed], BeforeValidator(_all_text)]
Key = Annotated[list[str], BeforeValidator(_as_list)]


class Table(Settings):
    """One kind of record and the files that hold it."""

    document: str = Field(min_length=1, description="Name of the document type that mappings read, e.g. Item.")
    pattern: str = Field(
        min_length=1,
        description="Names of its files, e.g. items*.csv: CSV (UTF-8), Excel (.xlsx), a JSON list of records (.json) "
        "or JSON lines (.jsonl, .ndjson).",
    )
    key: Key = Field(min_length=1, description="The column, or the list of columns, that identifies a record.")
    columns: Columns = Field(
        min_length=1,
        description="The columns to read: a list of names, or name: text|integer|decimal|boolean|date|instant, or "
        "name: {kind: text, at: 'Item No.'} where the file calls it otherwise; in JSON `at` may be a path.",
    )
    delimiter: str = Field(default=",", min_length=1, max_length=1, description="What separates the cells of a CSV.")

    @model_validator(mode="after")
    def _key_is_a_column(self) -> Table:
        missing = [name for name in self.key if name not in self.columns]
        if missing:
            raise ValueError(f"key {', '.join(missing)} is no column of {self.document}: add it to columns")
        return self

    def kinds(self) -> Mapping[str, Kind]:
        """The kind of each column, in order."""
        return {name: Kind(each.kind if isinstance(each, Placed) else each) for name, each in self.columns.items()}

    def places(self) -> Mapping[str, str]:
        """What the file calls each column."""
        return {name: each.at if isinstance(each, Placed) else name for name, each in self.columns.items()}


class Handover(Settings):
    """One kind of document that is handed over, a file for each version."""

    document: str = Field(
        pattern=r"^\w+$", description="Name of the document type that mappings write, e.g. WorkOrder; files begin so."
    )
    format: Literal["json", "csv"] = Field(default="json", description="json, or csv with a line of names.")
    fields: Shape = Field(min_length=1, description="The fields to write: name: kind, or name: {kind, at, fields}.")
    delimiter: str = Field(default=",", min_length=1, max_length=1, description="What separates the cells of a CSV.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        columns = {name: each.at or name for name, each in self.fields.items()}
        if taken := {name for name, at in columns.items() if at.partition(".")[0] in ("id", "version")}:
            raise ValueError(f"the bus fills {' and '.join(sorted(taken))} itself: give the field another name")
        nested = [name for name, each in self.fields.items() if not _is_flat(name, each)]
        if self.format == "csv" and nested:
            raise ValueError(f"{', '.join(nested)} is no single cell: a CSV holds none, json does")
        return self


def _is_flat(name: str, column: Column) -> bool:
    return column.kind not in ("group", "list", "texts") and "." not in (column.at or name)


class Sftp(Settings):
    """A folder on a server."""

    host: str = Field(min_length=1, description="Name of the server.")
    port: int = Field(default=22, ge=1, le=65535, description="Its port.")
    user: str = Field(min_length=1, description="The bus's own user there.")
    key: Secret | None = Field(default=None, description="Its private key, as a reference to a file.")
    password: Secret | None = Field(default=None, description="Its password, where there is no key, as a reference.")
    host_keys: list[Annotated[str, Field(pattern=r"^(ssh|ecdsa)-\S+ [A-Za-z0-9+/]+=*( .*)?$")]] = Field(
        min_length=1,
        description="The server's public keys, as its administrator gives them: ssh-ed25519 AAAA…; another one is "
        "never trusted.",
    )
    folder: str = Field(default=".", min_length=1, description="The folder there.")
    timeout_s: TimeoutS = 10.0

    @model_validator(mode="after")
    def _logs_in_one_way(self) -> Self:
        if (self.key is None) == (self.password is None):
            raise ValueError("name either a key or a password")
        return self


class PlaceConfig(ConnectorConfig):
    """Where files lie: a folder, here or on a server."""

    folder: Path | None = Field(
        default=None, description="The folder; it has to be there. What was read is moved to done/ in it."
    )
    sftp: Sftp | None = Field(default=None, description="Instead of `folder`: one on an SFTP server.")

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        if (self.folder is None) == (self.sftp is None):
            raise ValueError("name either a folder or sftp")
        return self


class FilesOutConfig(PlaceConfig):
    """A folder that files are handed over in."""

    write: tuple[Handover, ...] = Field(min_length=1, description="What is handed over in files.")


class FilesConfig(PlaceConfig):
    """A drop folder."""

    tables: tuple[Table, ...] = Field(
        min_length=1, description="What the files hold; the first table whose pattern fits a file's name reads it."
    )
    poll_interval_s: float = Field(
        default=2.0, gt=0, description="Seconds between two looks; a file is read when two looks saw it unchanged."
    )

    @model_validator(mode="after")
    def _documents_differ(self) -> FilesConfig:
        names = [table.document for table in self.tables]
        twice = {name for name in names if names.count(name) > 1 and not self._agree(name)}
        if twice:
            raise ValueError(f"tables of {', '.join(sorted(twice))} differ in their columns: make them alike")
        return self

    def _agree(self, name: str) -> bool:
        first, *others = (table for table in self.tables if table.document == name)
        return all(other.columns == first.columns for other in others)
