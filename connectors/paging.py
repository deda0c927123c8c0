"""Reading in pages: how the next one is asked for, whatever way a far system counts them.

A pager says how a page is asked for and where the next one begins. A place is text, "" for the first page, so that a
position can hold it; None is behind the last page. A page without a row ends nothing by itself where the system says
that more come, and a place that comes a second time is an error: nobody would notice a reading that goes in a circle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import httpx

from connectors.errors import TransientError
from connectors.json_calls import Answer, Query
from connectors.json_path import at, text_at
from schemas.document import Value, from_json, to_json

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows, and the place of the next page; None behind the last one."""

    rows: Sequence[Row]
    next: str | None


class Places:
    """The places of one reading. Raises TransientError where one comes a second time."""

    def __init__(self) -> None:
        self._been: set[str] = set()

    def enter(self, place: str) -> str:
        """Go to that place."""
        if place in self._been:
            raise TransientError(f"the pages go round in a circle: {place[:200]!r} comes a second time")
        self._been.add(place)
        return place


def read_all(page: Callable[[str], Page[Row]]) -> Iterator[Row]:
    """The rows of every page, one after the other. Raises TransientError where the pages go in a circle."""
    places, place = Places(), ""
    while True:
        found = page(places.enter(place))
        yield from found.rows
        if found.next is None:
            return
        place = found.next


@dataclass(frozen=True)
class Ask:
    """How a page is asked for: by what to add to the usual query, or by an address of its own."""

    query: Query = ()
    url: str = ""


class Pager(Protocol):
    """One way of counting pages."""

    def ask(self, place: str) -> Ask:
        """How the page at a place is asked for."""
        ...

    def following(self, place: str, answer: Answer, rows: Sequence[Value]) -> str | None:
        """The place behind that page; None where it was the last. Raises TransientError where it leads nowhere."""
        ...


@dataclass(frozen=True)
class Whole:
    """Everything in one answer."""

    def ask(self, place: str) -> Ask:
        """See Pager."""
        return Ask()

    def following(self, place: str, answer: Answer, rows: Sequence[Value]) -> str | None:
        """See Pager."""
        return None


@dataclass(frozen=True)
class Cursor:
    """The answer holds a text at `path` that asks for the next page by the parameter `parameter`."""

    parameter: str
    path: str

    def ask(self, place: str) -> Ask:
        """See Pager."""
        return Ask([(self.parameter, place)] if place else ())

    def following(self, place: str, answer: Answer, rows: Sequence[Value]) -> str | None:
        """See Pager."""
        return text_at(answer.body, self.path) or None


@dataclass(frozen=True)
class Offset:
    """Counted rows. `more` is where the answer says whether more come, `total` where it says how many there are.

    Without either the reading ends at the first page without a row: a server may give fewer than it was asked for.
    """

    parameter: str
    size_parameter: str
    size: int
    more: str = ""
    total: str = ""

    def ask(self, place: str) -> Ask:
        """See Pager."""
        return Ask([(self.parameter, place or "0"), (self.size_parameter, str(self.size))])

    def following(self, place: str, answer: Answer, rows: Sequence[Value]) -> str | None:
        """See Pager."""
        behind = int(place or "0") + (len(rows) or self.size)
        return str(behind) if self._goes_on(answer.body, behind, rows) else None

    def _goes_on(self, body: Value, behind: int, rows: Sequence[Value]) -> bool:
        if self.more:
            return at(body, self.more) is True
        total = at(body, self.total) if self.total else None
        return behind < total if isinstance(total, int) else bool(rows)


@dataclass(frozen=True)
class Keyset:
    """Rows in the order of `keys`, asked for behind the last row's values; a page without a row is behind the last.

    `query` are the parameters of a page behind a row, with {names} of keys in them, the last parts of dotted ones.
    """

    keys: Sequence[str]
    query: Mapping[str, str]
    first: Mapping[str, str] = field(default_factory=dict)

    def ask(self, place: str) -> Ask:
        """See Pager."""
        if not place:
            return Ask(list(self.first.items()))
        values = from_json(place)
        assert isinstance(values, list)  # made below
        named = {key.rpartition(".")[2]: str(value) for key, value in zip(self.keys, values, strict=True)}
        return Ask([(name, text.format_map(named)) for name, text in self.query.items()])

    def following(self, place: str, answer: Answer, rows: Sequence[Value]) -> str | None:
        """See Pager."""
        if not rows:
            return None
        values = [text_at(rows[-1], key) for key in self.keys]
        if "" in values:
            raise TransientError(f"the last row of a page has no {' or '.join(self.keys)}: the page leads nowhere")
        return to_json(values)


@dataclass(frozen=True)
class Link:
    """The next page's address, in the header Link (RFC 8288) or at `path`; of `url`'s own server and no other.

    `delta` is where the last page holds the address by which the next look is asked for only what changed since.
    """

    url: str
    path: str = ""
    delta: str = ""

    def ask(self, place: str) -> Ask:
        """See Pager."""
        return Ask(url=place)

    def following(self, place: str, answer: Answer, rows: Sequence[Value]) -> str | None:
        """See Pager."""
        found = text_at(answer.body, self.path) if self.path else answer.links.get("next", "")
        return address(self.url, found) if found else None

    def resume(self, answer: Answer) -> str:
        """The place where the next look begins, from the last page of this one; "" at the first page again."""
        found = text_at(answer.body, self.delta) if self.delta else ""
        return address(self.url, found) if found else ""


def address(url: str, link: str) -> str:
    """A link's whole address. Raises TransientError where it leads to another server: the login goes with it."""
    base = httpx.URL(url)
    try:
        whole = base.join(link)
    except httpx.InvalidURL as error:
        raise TransientError(f"the next page's address is none: {link[:200]!r}") from error
    if (whole.scheme, whole.host, whole.port) != (base.scheme, base.host, base.port):
        raise TransientError(f"the next page is at {whole.host}, another server than {base.host}: it is not followed")
    return str(whole)
