"""The demo's comparison is independent: no part of the bus computes anything in it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

COMPARISON = Path(__file__).parents[2] / "deploy" / "demo" / "compare.py"


def test_the_comparison_imports_httpx_csv_and_the_standard_library_only() -> None:
    tree = ast.parse(COMPARISON.read_text())
    named = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    named += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    foreign = {name for name in named if name.split(".")[0] not in sys.stdlib_module_names}
    assert foreign == {"httpx"}
