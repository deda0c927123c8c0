"""YAML as plain values with their places, with limits, and without YAML 1.1's surprises.

Only `true`, `false`, `null`, whole numbers and decimal fractions are more than text: `yes`, `on`, `2026-05-01`,
`007` and `1_000` stay what was written. Tags are refused, a key may stand once, and an alias counts as often as it
is used, so that a small file cannot grow large.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from yaml.composer import Composer
from yaml.error import MarkedYAMLError, YAMLError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from mappings.problems import DefinitionError, Problem

MAX_CHARACTERS = 500_000
MAX_DEPTH = 24
MAX_NODES = 50_000
MAX_DIGITS = 40

Literal: TypeAlias = "str | int | Decimal | bool | None"


@dataclass(frozen=True)
class Scalar:
    """One value. `line` and `column` count from 1."""

    value: Literal
    line: int
    column: int


@dataclass(frozen=True)
class Key:
    """One name, always text as it was written."""

    text: str
    line: int
    column: int


@dataclass(frozen=True)
class Items:
    """A list."""

    items: tuple[Tree, ...]
    line: int
    column: int


@dataclass(frozen=True)
class Table:
    """Names with their values, in the order of the file; no name stands twice."""

    entries: tuple[tuple[Key, Tree], ...]
    line: int
    column: int

    def get(self, name: str) -> Tree | None:
        """The value of a name, or None."""
        return next((node for key, node in self.entries if key.text == name), None)


Tree: TypeAlias = "Scalar | Items | Table"

_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = frozenset({f"{_TAG}map", f"{_TAG}seq"})
_WHOLE = re.compile(r"^-?(?:0|[1-9][0-9]*)$")
_FRACTION = re.compile(r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$")


class _Loader(Reader, Scanner, Parser, Composer, BaseResolver):
    """PyYAML's composer with our few implicit types and a limit on depth."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)
        self.depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            mark = self.get_mark()
            raise MarkedYAMLError(problem=f"is nested deeper than {MAX_DEPTH} levels", problem_mark=mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


for _name, _pattern, _first in (
    ("bool", re.compile(r"^(?:true|false)$"), "tf"),
    ("null", re.compile(r"^(?:null|~|)$"), ("n", "~", "")),
    ("int", _WHOLE, "-0123456789"),
    ("decimal", _FRACTION, "-0123456789"),
):
    _Loader.add_implicit_resolver(_TAG + _name, _pattern, list(_first))


def parse(text: str, file: str) -> Tree:
    """The one YAML document in `text`. Raises DefinitionError naming the line of what cannot be read."""
    if len(text) > MAX_CHARACTERS:
        message = f"the file has {len(text)} characters; {MAX_CHARACTERS} are allowed"
        raise DefinitionError([Problem(file, 1, 1, "", message, "Split it into several files.")])
    try:
        root = _Loader(text).get_single_node()
    except MarkedYAMLError as error:
        raise DefinitionError([_unreadable(error, file)]) from error
    except YAMLError as error:
        remedy = "Save the file as UTF-8 text without control characters."
        raise DefinitionError([Problem(file, 1, 1, "", f"the file is no YAML: {error}", remedy)]) from error
    if root is None:
        raise DefinitionError([Problem(file, 1, 1, "", "the file is empty", "Write a mapping, codes or routes.")])
    return _Planter(file).plant(root)


def _unreadable(error: MarkedYAMLError, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    said = " ".join(part for part in (error.context, error.problem) if part)
    remedy = "Look for wrong indentation, a missing quote or bracket here or in the line before."
    if "'\\t'" in said:
        remedy = "Indent with spaces: YAML takes no tabs."
    return Problem(file, line, column, "", f"the YAML cannot be read: {said}", remedy)


class _Planter:
    """Turns composed nodes into a Tree, counting every node as often as it is used; aliases may not recurse."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.count = 0
        self.problems: list[Problem] = []

    def plant(self, root: Node) -> Tree:
        tree = self._node(root, 0)
        if self.problems:
            raise DefinitionError(self.problems)
        return tree

    def _node(self, node: Node, depth: int) -> Tree:
        self.count += 1
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        if self.count > MAX_NODES or depth > MAX_DEPTH:
            self._say(line, column, "the file grows too large through its aliases", "Write less, without aliases.")
            raise DefinitionError(self.problems)
        if not isinstance(node, ScalarNode) and node.tag not in _PLAIN_TAGS:
            self._say(line, column, f"the tag {node.tag} is not known here", "Write the value without a tag.")
        if isinstance(node, MappingNode):
            return Table(self._entries(node, depth), line, column)
        if isinstance(node, SequenceNode):
            return Items(tuple(self._node(each, depth + 1) for each in node.value), line, column)
        return Scalar(self._scalar(node, line, column), line, column)

    def _entries(self, node: MappingNode, depth: int) -> tuple[tuple[Key, Tree], ...]:
        first: dict[str, int] = {}
        entries: list[tuple[Key, Tree]] = []
        for key_node, value_node in node.value:
            key = Key(str(key_node.value), key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if not isinstance(key_node, ScalarNode):
                self._say(key.line, key.column, "a name must be plain text", "Write `name: value`.")
                continue
            name = key.text
            if name in first:
                message = f"{name!r} stands here a second time, first in line {first[name]}"
                self._say(key.line, key.column, message, "Keep one of the two.")
            first.setdefault(name, key.line)
            entries.append((key, self._node(value_node, depth + 1)))
        return tuple(entries)

    def _scalar(self, node: Node, line: int, column: int) -> Literal:
        if not isinstance(node, ScalarNode) or not node.tag.startswith(_TAG):
            self._say(line, column, f"the tag {node.tag} is not known here", "Write the value without a tag.")
            return None
        text: str = node.value
        match node.tag.removeprefix(_TAG):
            case "null":
                return None
            case "bool":
                return text == "true"
            case "int" if len(text) <= MAX_DIGITS and _WHOLE.match(text):
                return int(text)
            case "decimal" if len(text) <= MAX_DIGITS and _FRACTION.match(text):
                return Decimal(text)
            case "str" | "int" | "decimal":
                return text
            case tag:
                self._say(line, column, f"the tag !!{tag} is not known here", "Write the value without a tag.")
                return None

    def _say(self, line: int, column: int, message: str, remedy: str) -> None:
        self.problems.append(Problem(self.file, line, column, "", message, remedy))
