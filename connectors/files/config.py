"""Which folder is watched, and what the tables in it look like."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from connectors.config import ConnectorConfig
from schemas.document import Kind

CellKind = Literal["text", "integer", "decimal", "boolean", "date", "instant"]


def _all_text(columns: object) -> object:
    """A bare list of columns is one of texts."""
    return dict.fromkeys(columns, "text") if isinstance(columns, list) else columns


def _as_list(key: object) -> object:
    return [key] if isinstance(key, str) else key


Columns = Annotated[Mapping[str, CellKind], BeforeValidator(_all_text)]
Key = Annotated[list[str], BeforeValidator(_as_list)]


class Table(BaseModel):
    """One kind of record and the files that hold it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: str = Field(min_length=1, description="Name of the document type that mappings read, e.g. Item.")
    pattern: str = Field(
        min_length=1, description="Names of its files, e.g. items*.csv; CSV (UTF-8) or Excel (.xlsx)."
    )
    key: Key = Field(min_length=1, description="The column, or the list of columns, that identifies a record.")
    columns: Columns = Field(
        min_length=1,
        description="The columns to read: a list of names, or name: text|integer|decimal|boolean|date|instant.",
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
        return {name: Kind(kind) for name, kind in self.columns.items()}


class FilesConfig(ConnectorConfig):
    """A drop folder of reference data."""

    folder: Path = Field(description="The folder to watch; a finished file is moved to done/ in it.")
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
