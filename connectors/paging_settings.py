"""How a list comes in pages, as an administrator writes it under `paging`, and the pager that it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from connectors.config import Settings
from connectors.paging import Cursor, Keyset, Link, Offset, Pager, Whole


class WholePaging(Settings):
    """Everything at once."""

    type: Literal["whole"] = Field(default="whole", description="One answer holds everything.")

    def pager(self, url: str) -> Pager:
        """The pager of a list at that address."""
        return Whole()


class CursorPaging(Settings):
    """A cursor in the answer."""

    type: Literal["cursor"] = Field(description="The answer holds a text that asks for the next page.")
    parameter: str = Field(min_length=1, description="The query's parameter that takes it.")
    path: str = Field(min_length=1, description="Where it is in the answer, e.g. meta.next_cursor.")

    def pager(self, url: str) -> Pager:
        """See WholePaging."""
        return Cursor(self.parameter, self.path)


class OffsetPaging(Settings):
    """Counted rows."""

    type: Literal["offset"] = Field(description="Pages are asked for by how many rows lie before them.")
    parameter: str = Field(default="offset", description="The query's parameter for the rows before.")
    size_parameter: str = Field(default="limit", description="The query's parameter for the page's size.")
    size: int = Field(default=100, ge=1, description="Rows in a page.")
    more: str = Field(default="", description="Where the answer says whether more come, e.g. hasMore.")
    total: str = Field(default="", description="Where the answer says how many there are in all, e.g. meta.total.")

    def pager(self, url: str) -> Pager:
        """See WholePaging."""
        return Offset(self.parameter, self.size_parameter, self.size, self.more, self.total)


class KeysetPaging(Settings):
    """Behind the last row."""

    type: Literal["keyset"] = Field(description="Rows come in the order of some fields; pages lie behind a row's.")
    keys: tuple[str, ...] = Field(min_length=1, description="Those fields, e.g. [updated, id]; together unique.")
    query: Mapping[str, str] = Field(
        min_length=1,
        description="What asks for the next page, with {names} of the keys: after: '{updated},{id}'.",
    )
    first: Mapping[str, str] = Field(default={}, description="The same for the first page.")

    def pager(self, url: str) -> Pager:
        """See WholePaging."""
        return Keyset(self.keys, self.query, self.first)


class LinkPaging(Settings):
    """A link to the next page."""

    type: Literal["link"] = Field(description="The answer holds the address of the next page.")
    path: str = Field(default="", description="Where, e.g. @odata.nextLink; else in the header Link (RFC 8288).")
    delta: str = Field(default="", description="Where the last page has that of later changes: @odata.deltaLink.")

    def pager(self, url: str) -> Pager:
        """See WholePaging."""
        return Link(url, self.path, self.delta)


Paging: TypeAlias = Annotated[
    WholePaging | CursorPaging | OffsetPaging | KeysetPaging | LinkPaging, Field(discriminator="type")
]
