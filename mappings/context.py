"""What a mapping may ask for beside the record itself, and the record's way through one run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from mappings.shape import Shape
from schemas.document import Fields, Kind, Value
from schemas.event import Record


class References(Protocol):
    """The reference data of the bus, as the caller holds it."""

    def item(self, code: str, /) -> Record | None:
        """The Item of that code, None where there is none."""
        ...

    def link(self, kind: str, system: str, id: str, to_system: str, /) -> str | None:
        """The id in `to_system` of what `system` calls `id`, None where no Link says."""
        ...


class NoReferences:
    """Reference data with nothing in it, for mappings that ask for none."""

    def item(self, code: str, /) -> Record | None:
        """Always None."""
        return None

    def link(self, kind: str, system: str, id: str, to_system: str, /) -> str | None:
        """Always None."""
        return None


@dataclass(frozen=True)
class Context:
    """The envelope around one record.

    `connector` is the name of the system's connector in the project (`crm`), `key` the order key, `subject` the
    record's own id, `version` the bus's clock, `destination` where it goes. `line` is the line a line mapping is
    applied to. What does not exist yet (the key, at a source) is empty.
    """

    connector: str
    key: str
    subject: str
    version: int
    destination: str
    references: References
    line: Record | None = None


class Run:
    """One application of a mapping to one record."""

    __slots__ = ("context", "root")

    def __init__(self, root: Fields, context: Context) -> None:
        self.root = root
        self.context = context


Maker = Callable[[Fields, Run], Value]
"""Makes one value from the record at hand (the whole one, or one of a list) and the run around it."""

Convert = Callable[[Value], Value]
"""Turns a value that is not missing into another form."""


def _text(name: str, read: Callable[[Context], str]) -> tuple[str, tuple[Shape, Maker]]:
    return f"${name}", (Shape(Kind.TEXT, nullable=False), lambda _, run: read(run.context))


CONTEXT: Mapping[str, tuple[Shape, Maker]] = dict(
    (
        _text("connector", lambda context: context.connector),
        _text("key", lambda context: context.key),
        _text("subject", lambda context: context.subject),
        _text("destination", lambda context: context.destination),
        ("$version", (Shape(Kind.INTEGER, nullable=False), lambda _, run: run.context.version)),
    )
)
"""The context values by the name that mappings use."""

AT_SOURCES = frozenset({"$connector", "$subject"})
"""Those that exist already where a far document is mapped; its key follows from what the mapping makes."""
