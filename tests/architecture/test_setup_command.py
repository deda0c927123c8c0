"""`make setup` on machines that are not as they should be, with a Python that only pretends."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT

# what it is asked decides its answer; "installs" is the list of what pip was asked to install
FAKE = """#!/bin/sh
case "$*" in
  *version_info*) exit {version} ;;
  *ensurepip*) exit {ensurepip} ;;
  "-m venv .venv") mkdir -p .venv/bin && [ {venv} = 0 ] && cp "$0" .venv/bin/python ;;
  *"pip install"*) echo install >> installs; exit {pip} ;;
  --version) echo "Python 3.9.2" ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def setup(project: Path, **fails: int) -> subprocess.CompletedProcess[str]:
    answers = {"version": 0, "ensurepip": 0, "venv": 0, "pip": 0, **fails}
    python = project / "fake-python"
    python.write_text(FAKE.format(**answers))
    python.chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run(
        ["make", f"PYTHON={python}", "setup"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def installs(project: Path) -> int:
    return len((project / "installs").read_text().splitlines())


@pytest.mark.parametrize("missing", ["ensurepip", "venv"])
def test_a_python_that_cannot_make_an_environment_is_named_with_the_remedy(project: Path, missing: str) -> None:
    done = setup(project, **{missing: 1})
    assert done.returncode != 0
    assert "apt-get install python3-venv" in done.stderr
    assert not (project / ".venv").exists()


def test_a_python_of_the_wrong_version_is_named(project: Path) -> None:
    done = setup(project, version=1)
    assert done.returncode != 0
    assert "needs Python 3.11 to 3.13; this is Python 3.9.2" in done.stderr


def test_no_python_at_all_is_named(project: Path) -> None:
    done = subprocess.run(
        ["make", "PYTHON=python-of-nowhere", "setup"], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "There is no python-of-nowhere on the PATH" in done.stderr


def test_a_second_setup_does_nothing(project: Path) -> None:
    assert setup(project).returncode == 0
    again = setup(project)
    assert (again.returncode, again.stdout, installs(project)) == (0, "", 1)


def test_a_changed_pin_installs_again(project: Path) -> None:
    setup(project)
    later = (project / ".venv" / ".installed").stat().st_mtime + 10
    os.utime(project / "constraints.txt", (later, later))
    setup(project)
    assert installs(project) == 2


def test_an_install_that_failed_is_tried_again(project: Path) -> None:
    failed = setup(project, pip=1)
    assert failed.returncode != 0
    assert "could not be installed" in failed.stderr
    (project / ".venv" / "bin" / "python").unlink()
    assert setup(project).returncode == 0
    assert installs(project) == 2


def test_a_broken_environment_is_made_anew(project: Path) -> None:
    setup(project)
    python = project / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("python-that-was-upgraded-away")
    done = setup(project)
    assert done.returncode == 0, done.stderr
    assert "broken or half made" in done.stdout
    assert installs(project) == 2
