"""The project's own modules as the architecture tests see them: read, never imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "mappings", "connectors", "streams", "deploy")
GENERATED = ("_pb2.py", "_pb2_grpc.py")


@dataclass(frozen=True)
class Module:
    """One source file of one of the five packages."""

    path: Path

    @cached_property
    def name(self) -> str:
        """Its dotted name; a package has the name of its folder."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax."""
        return ast.parse(self.path.read_text(encoding="utf-8"), str(self.path))

    @cached_property
    def is_package(self) -> bool:
        """Whether it is a package's `__init__`."""
        return self.path.name == "__init__.py"

    def imports(self) -> Iterator[tuple[str, int]]:
        """Every module it imports, anywhere in the file, with the line; `from a import b` counts as `a.b`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        up = node.level - 1 if self.is_package else node.level
        return ".".join(part for part in (*parts[: len(parts) - up], node.module) if part)


def modules() -> list[Module]:
    """Every module written by a person, in a fixed order."""
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return [Module(path) for path in sorted(found) if not path.name.endswith(GENERATED)]


def is_inside(name: str, package: str) -> bool:
    """Whether `name` is `package` or something in it."""
    return name == package or name.startswith(f"{package}.")
