"""Breaks one promise after the other in a copy of the project, and looks whether its tests notice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as Xml
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue

from tests.promises.promise import DoesNotApply, Promise, patched

COPIES = 2
LONGEST_S = 420
TEST_S = 120


class Outcome(StrEnum):
    """What became of a saboteur."""

    NOTICED = "noticed"
    SURVIVED = "survived"
    NO_PATCH = "does not apply"
    NO_TEST = "test did not run"


@dataclass(frozen=True)
class Verdict:
    """One promise's outcome, how long its tests took (seconds), and what they said last."""

    promise: Promise
    outcome: Outcome
    seconds: float
    words: str = ""


@dataclass(frozen=True)
class Run:
    """One run of pytest: its exit code, how many tests failed, and its last lines."""

    code: int
    failures: int
    words: str


@contextmanager
def copy_of(root: Path) -> Iterator[Path]:
    """A copy of every file that git knows or would take, as it is now."""
    with tempfile.TemporaryDirectory(prefix="lineshaft-promises-") as folder:
        listed = ["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "-z"]
        names = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split("\0")
        for name in filter(None, names):
            source, target = root / name, Path(folder) / name
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        yield Path(folder)


def run_tests(copy: Path, tests: Sequence[str]) -> Run:
    """Run these tests in a copy, with the copy's sources; stops at the first failure."""
    report = copy / "promises-report.xml"
    report.unlink(missing_ok=True)
    arguments = [
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        f"--timeout={TEST_S}",
        f"--junitxml={report}",
        *tests,
    ]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
        )
    except subprocess.TimeoutExpired:
        return Run(1, 1, f"not done within {LONGEST_S} s")
    return Run(done.returncode, _failures(report), "\n".join(done.stdout.splitlines()[-12:]))


def _failures(report: Path) -> int:
    if not report.exists():
        return 0
    return sum(int(suite.get("failures", "0")) for suite in Xml.parse(report).getroot().iter("testsuite"))


def verdict(copy: Path, promise: Promise) -> Verdict:
    """Break the promise in the copy, run its tests, and mend the copy again."""
    began = time.monotonic()
    try:
        files = patched(copy, promise)
    except DoesNotApply as error:
        return Verdict(promise, Outcome.NO_PATCH, 0.0, str(error))
    try:
        for each in files:
            (copy / each.file).write_text(each.after, "utf-8")
        run = run_tests(copy, promise.tests)
    finally:
        for each in files:
            (copy / each.file).write_text(each.before, "utf-8")
    return Verdict(promise, _outcome(run), time.monotonic() - began, run.words)


def _outcome(run: Run) -> Outcome:
    if run.failures:
        return Outcome.NOTICED
    return Outcome.SURVIVED if run.code == 0 else Outcome.NO_TEST


def verdicts(root: Path, promises: Sequence[Promise]) -> Iterator[Verdict]:
    """The verdicts as they come, two at a time."""
    free: SimpleQueue[Path] = SimpleQueue()

    def one(promise: Promise) -> Verdict:
        copy = free.get()
        try:
            return verdict(copy, promise)
        finally:
            free.put(copy)

    with copy_of(root) as first, copy_of(root) as second, ThreadPoolExecutor(COPIES) as pool:
        for copy in (first, second):
            free.put(copy)
        yield from pool.map(one, promises)


def tests_pass_unbroken(root: Path, promises: Sequence[Promise]) -> Run:
    """The same tests in an untouched copy: a test that always fails would notice every saboteur."""
    names = dict.fromkeys(test for promise in promises for test in promise.tests)
    with copy_of(root) as copy:
        return run_tests(copy, list(names))
