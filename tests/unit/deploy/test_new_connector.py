"""`lineshaft connector new`: a package of its own that runs, is clean, and overwrites nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from deploy.connector_skeleton import FILES, LONGEST_NAME, Names, checked, contents
from deploy.exits import Refused
from deploy.making_commands import new
from tests.architecture.source_tree import ROOT

TEMPLATE = ROOT / "deploy" / "connector_template"
SHORTEST, LONGEST = "x", "-".join(["works"] * 7)[:LONGEST_NAME]


def run(folder: Path, *command: str, path: Sequence[Path] = ()) -> str:
    """What a command says that must succeed in the folder."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", [SHORTEST, "acme-shop", LONGEST])
def test_the_package_is_clean_as_it_is_made_whatever_its_name(name: str, tmp_path: Path) -> None:
    new(name, tmp_path / "made")
    run(tmp_path / "made", sys.executable, "-m", "ruff", "check", "--no-cache", ".")
    run(tmp_path / "made", sys.executable, "-m", "ruff", "format", "--no-cache", "--check", ".")


def test_the_package_is_typed_strictly_as_it_is_made(tmp_path: Path) -> None:
    new("acme-shop", tmp_path / "made")
    run(tmp_path / "made", sys.executable, "-m", "mypy", path=[tmp_path / "made" / "src"])


def test_nothing_of_the_templates_own_name_is_left(tmp_path: Path) -> None:
    for path, text in contents(Names("our-crm")):
        assert "acme" not in f"{path}{text}".lower()
        assert "@LINESHAFT@" not in text


def test_every_file_of_the_template_has_its_place() -> None:
    assert {str(each.relative_to(TEMPLATE)) for each in TEMPLATE.rglob("*.*")} == set(FILES)


@pytest.mark.parametrize("name", ["", "Acme", "acme_shop", "acme--shop", "-acme", "acme-", "1c", "a" * 41, "../acme"])
def test_a_name_that_cannot_be_a_type_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="is no name for a connector"):
        checked(name)


def test_a_name_that_is_taken_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="a connector 'salesforce' is installed already"):
        checked("salesforce")
    (tmp_path / "lineshaft_acme_shop.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Refused, match="a package lineshaft_acme_shop is installed already"):
        checked("acme-shop")


def test_a_folder_that_is_not_empty_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("kept")
    with pytest.raises(Refused, match="the folder is not empty"):
        new("acme-shop", tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]


def test_without_a_folder_it_is_made_here_under_its_packages_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    new("acme-shop")
    assert (tmp_path / "lineshaft-acme-shop" / "pyproject.toml").is_file()
