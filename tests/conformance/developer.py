"""The developer of docs/connectors.md: does what each block says, and compares what the commands answer."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.third_party import Elsewhere

PAGE = Path(__file__).parents[2] / "docs" / "connectors.md"
BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
FILE = re.compile(r"^# (?P<path>\S+)\n")
LEFT_OUT = "…"
FUTURE = "from __future__ import annotations"


@dataclass(frozen=True)
class Block:
    """One block of the page and the line it begins on."""

    line: int
    kind: str
    text: str


def blocks(page: str) -> list[Block]:
    """Every block, in the order of the page."""
    return [
        Block(page.count("\n", 0, found.start()) + 1, found["kind"], found["text"]) for found in BLOCK.finditer(page)
    ]


class Developer:
    """Works in an environment of one's own, from block to block."""

    def __init__(self, there: Elsewhere) -> None:
        self._there = there
        self._folder = there.folder
        self._exported = ""

    def do(self, block: Block) -> None:
        """Follow one block. Raises AssertionError with its line where the page is wrong."""
        if block.kind == "console":
            for command, expected in commands(block.text):
                self._run(block, command, expected)
            return
        named = FILE.match(block.text)
        assert named is not None, f"line {block.line}: the block does not say which file it is"
        text = block.text[named.end() :]
        if block.kind == "python":
            file = self._there.folder / "lineshaft-beta-desk" / named["path"]
            before = file.read_text()
            if not set(text.splitlines()) <= set(before.splitlines()):  # else it shows what is there
                file.write_text(replaced(before, text))
        else:
            file = self._there.folder / named["path"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def _run(self, block: Block, command: str, expected: list[str]) -> None:
        if command.startswith("cd "):
            self._folder = self._folder / command.removeprefix("cd ")
            return
        if command.startswith("export "):
            self._exported = f"{command}; "
            return
        done = self._there.run(self._exported + command, self._folder)
        said = [squeezed(line) for line in (done.stdout + done.stderr).splitlines()]
        whole = f"line {block.line}: {command}\n{done.stdout}{done.stderr}"
        assert done.returncode == (1 if any(" failed" in line for line in expected) else 0), whole
        for line in expected:
            assert any(shown(line, each) for each in said), f"nothing says {line!r} after {whole}"


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of a console block with the lines that must be among its answer."""
    for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
        command, *expected = part.rstrip("\n").split("\n")
        yield command, [line for line in expected if line.strip() not in ("", LEFT_OUT)]


def squeezed(line: str) -> str:
    """A line in which columns are as wide as on any other screen."""
    return re.sub(r"\s+", " ", line).strip()


def shown(line: str, said: str) -> bool:
    """Whether a line of the page is that one; `…` stands for what is left out."""
    parts = [re.escape(each.strip()) for each in squeezed(line).split(LEFT_OUT)]
    return re.fullmatch(" ?.* ?".join(parts), said) is not None


def replaced(file: str, block: str) -> str:
    """The file with the block's definitions in the place of those with the same names, new ones before the next."""
    lines, new = file.splitlines(), block.splitlines()
    places = dict(definitions(file))
    waiting: list[str] = []
    changes: list[tuple[int, int, list[str]]] = []
    for name, (first, last) in definitions(block):
        own = new[first - 1 : last]
        if name in places:
            start, end = places[name]
            changes.append((start, end, [*waiting, *own]))
            waiting = []
        else:
            waiting += [*own, "", ""]
    for start, end, text in sorted(changes, reverse=True):
        lines[start - 1 : end] = text
    added = [ast.unparse(node) for node in ast.parse(block).body if isinstance(node, ast.Import | ast.ImportFrom)]
    top = lines.index(FUTURE) + 1
    return "\n".join([*lines[:top], *added, *lines[top:], "", "", *waiting]).rstrip() + "\n"


def definitions(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Every name that is defined at the top level, with its first and last line."""
    for node in ast.parse(text).body:
        name = name_of(node)
        if name is not None and node.end_lineno is not None:
            decorated = getattr(node, "decorator_list", [])
            yield name, (min([node.lineno, *(each.lineno for each in decorated)]), node.end_lineno)


def name_of(node: ast.stmt) -> str | None:
    """The first name that a statement defines."""
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
            return name
        case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(id=name), *_])]):
            return name
    return None
