"""What a build machine is promised: a missing tool fails, no test skips itself, and apt.txt names what is needed."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT

SUITE = """
import pytest

@pytest.mark.needs("a-tool-of-nowhere")
def test_with_the_tool(): pass

@pytest.mark.needs("sh")
def test_with_the_shell(): pass
"""


def run(folder: Path, text: str, **variables: str) -> tuple[int, str]:
    (folder / "test_it.py").write_text(text)
    environment = {key: value for key, value in os.environ.items() if key != "CI"} | variables
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.conftest",
            "-p",
            "no:cacheprovider",
            "-c",
            "pyproject.toml",
            folder,
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_missing_tool_is_a_skip_that_is_listed_at_the_end(tmp_path: Path) -> None:
    code, said = run(tmp_path, SUITE)
    assert code == 0, said
    assert "1 passed, 1 skipped" in said
    assert "needs a-tool-of-nowhere, which is not installed here" in said


def test_on_a_build_machine_a_missing_tool_fails(tmp_path: Path) -> None:
    code, said = run(tmp_path, SUITE, CI="true")
    assert code == 1, said
    assert "a-tool-of-nowhere: name its package in .ci/apt.txt" in said


@pytest.mark.parametrize(
    "text",
    [
        "import pytest\ndef test_it(): pytest.skip('not today')\n",
        "import pytest\n@pytest.mark.skip(reason='not today')\ndef test_it(): pass\n",
        "import pytest\npytest.skip('not today', allow_module_level=True)\n",
    ],
)
def test_a_test_that_skips_itself_fails(text: str, tmp_path: Path) -> None:
    code, said = run(tmp_path, text)
    assert code != 0, said
    assert "only the marker needs(tool) may skip" in said


def test_every_tool_that_a_marker_names_has_its_package_in_the_list() -> None:
    rows = [line.split() for line in (ROOT / ".ci" / "apt.txt").read_text().splitlines() if line[:1] not in ("", "#")]
    brought = {tool for _package, *tools in rows for tool in tools}
    named = {tool for path in (ROOT / "tests").rglob("test_*.py") for tool in tools_named(path)}
    assert named == brought, "a package that no marker uses, or a tool that no package brings"


def tools_named(path: Path) -> set[str]:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    needs = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "needs"]
    return {str(argument.value) for call in needs for argument in call.args if isinstance(argument, ast.Constant)}
