"""The demo's comparison is independent: no part of the bus computes anything in it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[2] / "deploy" / "demo"
COMPARISON = {"deploy.demo.compare", "deploy.demo.login", "deploy.tryton_server.person"}
BOOKS = sorted(path.stem for path in DEMO.glob("*_books.py"))


def foreign(module: str) -> set[str]:
    """What a module of the demo imports that is not of the standard library."""
    return foreign_in(ast.parse((DEMO / f"{module}.py").read_text()))


def foreign_in(tree: ast.Module) -> set[str]:
    named = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    named += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name for name in named if name.split(".")[0] not in sys.stdlib_module_names}


@pytest.mark.parametrize("module", ["compare", "login"])
def test_the_comparison_imports_the_standard_library_only(module: str) -> None:
    assert foreign(module) == set()


def test_there_are_books_of_every_system() -> None:
    assert BOOKS == ["jiandaoyun_books", "salesforce_books", "tryton_books"]


@pytest.mark.parametrize("module", BOOKS)
def test_the_books_are_read_with_httpx_and_nothing_of_the_bus(module: str) -> None:
    assert foreign(module) - COMPARISON <= {"httpx"}


def test_tryton_s_books_are_asked_for_with_httpx_alone() -> None:
    tree = ast.parse((DEMO.parent / "tryton_server" / "person.py").read_text())
    assert foreign_in(tree) == {"httpx"}
