"""`lineshaft kafka` as a person types it, through real processes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka import status, stop
from tests.raw_kafka import RawKafka

pytestmark = pytest.mark.kafka

COMMAND = [sys.executable, "-m", "deploy.main", "kafka"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    stop(tmp_path)


def test_detached_it_runs_on_until_it_is_stopped(folder: Path) -> None:
    started = run("start", "--detach", "--json", "--folder", str(folder))
    assert started.returncode == 0, started.stderr
    bootstrap = json.loads(started.stdout)["bootstrap"]
    assert RawKafka(bootstrap).topics() == set()

    again = run("start", "--folder", str(folder))
    assert (again.returncode, again.stderr) == (0, "kafka: already running\n")
    assert bootstrap in again.stdout
    assert run("status", "--folder", str(folder)).returncode == 0

    stopped = run("stop", "--folder", str(folder))
    assert (stopped.returncode, stopped.stderr) == (0, "kafka: stopped\n")
    assert run("status", "--folder", str(folder)).returncode == 1
    assert run("stop", "--folder", str(folder)).returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_the_foreground_it_ends_in_order_on_a_signal(folder: Path, number: signal.Signals) -> None:
    command = [*COMMAND, "start", "--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "Ctrl-C stops it" not in process.stderr.readline():
            pass
        process.send_signal(number)
        _, said = process.communicate()
    assert process.returncode == 0
    assert said == "kafka: stopping\n"
    assert status(folder).state == "stopped"


def test_in_the_foreground_it_says_so_when_somebody_else_stops_it(folder: Path) -> None:
    command = [*COMMAND, "start", "--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "Ctrl-C stops it" not in process.stderr.readline():
            pass
        stop(folder)
        _, said = process.communicate()
    assert (process.returncode, said) == (0, "kafka: stopped by another process\n")
