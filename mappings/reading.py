"""Reads a Tree into typed values and collects every problem on the way, so that one run names them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mappings.language import Path, Place
from mappings.problems import DefinitionError, Problem, nearest
from mappings.tree import Items, Scalar, Table, Tree


def place_of(node: Tree) -> Place:
    """Where a node begins."""
    return Place(node.line, node.column)


class Reader:
    """Reads one file. What cannot be read is noted and a harmless value is returned in its place."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._inside: list[str] = []

    @property
    def field(self) -> str:
        """The dotted name of the field that is being read."""
        return ".".join(self._inside)

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Problems noted in this block belong to the field `name`."""
        self._inside.append(name)
        yield
        self._inside.pop()

    def note(self, where: Place, message: str, remedy: str = "") -> None:
        """One problem at a place."""
        self.problems.append(Problem(self.file, where.line, where.column, self.field, message, remedy))

    def finish(self) -> None:
        """Raise DefinitionError when anything was noted."""
        if self.problems:
            raise DefinitionError(self.problems)

    def table(self, node: Tree, what: str) -> Table:
        """The table that `what` has to be."""
        if isinstance(node, Table):
            return node
        self.note(place_of(node), f"must be a table of names and values: {what}", "Write `name: value` lines.")
        return Table((), node.line, node.column)

    def entries(self, node: Tree, what: str, known: frozenset[str]) -> Mapping[str, Tree]:
        """The entries of a table whose names are all `known`."""
        found = self.table(node, what)
        for key, _ in found.entries:
            if key.text not in known:
                place = Place(key.line, key.column)
                self.note(place, f"has the entry {key.text!r}, which {what} does not know", nearest(key.text, known))
        return {key.text: value for key, value in found.entries if key.text in known}

    def items(self, node: Tree, what: str) -> tuple[Tree, ...]:
        """The items of the list that `what` has to be."""
        if isinstance(node, Items) and node.items:
            return node.items
        self.note(place_of(node), f"must be a list with at least one item: {what}", "Write `- …` lines or [a, b].")
        return ()

    def text(self, node: Tree, what: str) -> str:
        """A text that is not empty; numbers and booleans are read as they were written."""
        if isinstance(node, Scalar) and isinstance(node.value, str) and node.value:
            return node.value
        self.note(place_of(node), f"must be a text: {what}", "Write it in quotes if it looks like a number.")
        return "?"

    def path(self, node: Tree, what: str) -> Path:
        """A path with its place."""
        return Path(self.text(node, what), place_of(node))

    def scalar(self, node: Tree, what: str) -> Scalar:
        """One plain value."""
        if isinstance(node, Scalar):
            return node
        self.note(place_of(node), f"must be one plain value: {what}", "Write a text, a number, true or false.")
        return Scalar(None, node.line, node.column)

    def whole(self, node: Tree, what: str, low: int, high: int) -> int:
        """A whole number between two limits."""
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.note(place_of(node), f"must be a whole number from {low} to {high}: {what}", f"Write for example {low}.")
        return low

    def flag(self, node: Tree, what: str) -> bool:
        """true or false."""
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        self.note(place_of(node), f"must be true or false: {what}", "Write true or false; yes and on are texts here.")
        return False

    def choice(self, node: Tree, what: str, names: frozenset[str]) -> str | None:
        """One of a few words, None when it is another one."""
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, str) and value in names:
            return value
        self.note(place_of(node), f"{what} {value!r} is not known", nearest(str(value), names))
        return None
