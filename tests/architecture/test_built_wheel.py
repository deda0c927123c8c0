"""What a user installs: exactly the five packages with their data, and ours wherever the interpreter is started."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.source_tree import PACKAGES, ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the working tree, unpacked: on PYTHONPATH it goes before the development install."""
    built, unpacked = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("unpacked")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(built), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (archive,) = built.iterdir()
    with zipfile.ZipFile(archive) as file:
        file.extractall(unpacked)
    return unpacked


def run(program: str, wheel: Path, folder: Path) -> list[str]:
    """The lines that `program` prints, run in `folder` by an interpreter that has the wheel."""
    environment = {**os.environ, "PYTHONPATH": str(wheel)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_wheel_holds_the_five_packages_and_nothing_else(wheel: Path) -> None:
    found = sorted(path.name for path in wheel.iterdir() if not path.name.endswith(".dist-info"))
    assert found == sorted(PACKAGES)


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    for package in PACKAGES:
        here = {path.relative_to(ROOT) for path in (ROOT / package).rglob("*") if path.is_file()}
        expected = {path for path in here if "__pycache__" not in path.parts}
        assert {path.relative_to(wheel) for path in (wheel / package).rglob("*") if path.is_file()} == expected


IMPORT_ALL = f"""
import importlib
for name in {PACKAGES!r}:
    print(importlib.import_module(name).__file__)
"""


def test_the_packages_are_ours_from_an_unrelated_folder_and_from_a_project(wheel: Path, tmp_path: Path) -> None:
    ours = [str(wheel / package / "__init__.py") for package in PACKAGES]
    assert run(IMPORT_ALL, wheel, tmp_path) == ours
    for folder in PACKAGES:  # a project has folders of the same names, with an administrator's YAML in them
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "own.yaml").touch()
    assert run(IMPORT_ALL, wheel, tmp_path) == ours


def test_data_files_and_connectors_are_found_in_the_wheel(wheel: Path, tmp_path: Path) -> None:
    program = """
from connectors.registry import names
from deploy.kafka import artifacts
print(artifacts.__file__)
print(len(artifacts.pinned()))
print(*names())
"""
    file, jars, names = run(program, wheel, tmp_path)
    assert (file, jars) == (str(wheel / "deploy" / "kafka" / "artifacts.py"), "46")
    assert {"files", "jiandaoyun", "salesforce"} <= set(names.split())
