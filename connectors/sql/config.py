"""Which database is reached, which of its tables are read, and which are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from connectors.config import ConnectorConfig, Secret, TimeoutS
from connectors.timezones import TimezoneName


def _as_list(names: object) -> object:
    return [names] if isinstance(names, str) else names


Columns = Annotated[list[str], BeforeValidator(_as_list), Field(min_length=1)]


class Part(BaseModel):
    """What a table, view or outbox of the configuration shares."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str = Field(min_length=1, description="Name of the table or view, with its schema where it has another.")


class Child(Part):
    """A table of rows that belong to a record, as order lines do."""

    parent: Columns = Field(description="Its columns that hold the key of the record, in the key's order.")
    key: Columns = Field(description="Its columns that put the rows of one record in order.")
    changed: Columns | None = Field(
        default=None,
        description="As of the record; without it a row's change is seen when the record's own stamp moves.",
    )
    leave_out: list[str] = Field(default=[], description="Columns that are not read.")


class Outbox(Part):
    """A table into which the application writes one row for each change and each deletion of a record."""

    id: str = Field(description="Its column with a rising number, e.g. a bigserial.")
    key: Columns = Field(description="Its columns that hold the key of the changed record, in the key's order.")
    transaction: str | None = Field(
        default=None,
        description="PostgreSQL: a column `xid8 default pg_current_xact_id()`; with it no row that is committed late "
        "is ever missed. Without it overlap_numbers has to be large enough.",
    )


class Read(Part):
    """One kind of record that is read."""

    document: str = Field(min_length=1, description="Name of the document type that mappings read, e.g. Order.")
    key: Columns = Field(description="The column, or the list of columns, that identifies a record.")
    changed: Columns | None = Field(
        default=None,
        description="The column that every change sets to a time or to a rising number; of a list the first that is "
        "filled. Rows where none is are read at every look.",
    )
    outbox: Outbox | None = Field(default=None, description="Instead of `changed`: the table that tells of changes.")
    deleted: str | None = Field(
        default=None, description="A column that is true, not 0, or filled with a time once the record is deleted."
    )
    lists: Mapping[str, Child] = Field(
        default={}, description="Tables of rows that belong to it, by the list's name."
    )
    leave_out: list[str] = Field(default=[], description="Columns that are not read.")

    @model_validator(mode="after")
    def _is_told_of_changes(self) -> Self:
        if (self.changed is None) == (self.outbox is None):
            raise ValueError(f"{self.document} needs either `changed` or `outbox`")
        return self


class Write(Part):
    """One kind of record that is written."""

    document: str = Field(min_length=1, description="Name of the document type that mappings write, e.g. WorkOrder.")
    key: str = Field(description="The column of text, unique, that holds the bus's own id.")
    version: str = Field(
        description="The column of 64-bit integers that holds the bus's version; nobody else writes it."
    )


class SqlConfig(ConnectorConfig):
    """One database."""

    model_config = ConfigDict(hide_input_in_errors=True)  # an address may have been written with its password

    url: str = Field(
        pattern=r"^[a-z0-9_]+(\+[a-z0-9_]+)?://",
        description="SQLAlchemy's address of the database, without a password, e.g. "
        "postgresql+psycopg://lineshaft@db.example.com/mes?sslmode=verify-full.",
    )
    password: Secret | None = Field(default=None, description="Password of the user, as a reference to a secret.")
    timezone: TimezoneName = Field(default="UTC", description="Whose clock is meant by times without a zone.")
    read: tuple[Read, ...] = Field(default=(), description="The tables that are read.")
    write: tuple[Write, ...] = Field(default=(), description="The tables that are written.")
    poll_interval_s: float = Field(
        default=5.0, gt=0, description="Seconds from the start of one look for changes to the next."
    )
    overlap_s: float = Field(
        default=60.0,
        ge=0,
        description="Seconds that each look goes back where changes have times: longer than any transaction and than "
        "the clocks of those who set them are apart.",
    )
    overlap_numbers: int = Field(
        default=1000, ge=0, description="The same where changes have numbers: more than are taken in that time."
    )
    timeout_s: TimeoutS = 10.0

    @field_validator("url")
    @classmethod
    def _has_no_password(cls, url: str) -> str:
        try:
            found = urlsplit(url).password
        except ValueError as error:
            raise ValueError(
                f"it cannot be read ({error}): write dialect+driver://user@host:port/database"
            ) from error
        if found:
            raise ValueError("a secret is never written down here: take the password out and set `password`")
        return url

    @model_validator(mode="after")
    def _documents_differ(self) -> Self:
        names = [*(each.document for each in self.read), *(each.document for each in self.write)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two tables make {', '.join(twice)}: give each document a name of its own")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The zone of times that have none."""
        return ZoneInfo(self.timezone)
