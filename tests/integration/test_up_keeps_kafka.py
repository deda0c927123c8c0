"""`lineshaft up` keeps its embedded broker: one that is killed comes back at its address, and the roles go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy import kafka
from deploy.kafka import StartFailed
from deploy.kafka_keeper import KafkaKeeper
from mappings import shipped
from tests.bus_on_kafka import until

pytestmark = pytest.mark.kafka


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("drop", "mappings", "codes", "routes"):
        (tmp_path / name).mkdir()
    own = next(each for each in shipped() if each.name == "files-item")
    (tmp_path / "mappings" / "item.yaml").write_text(own.text)
    table = "{document: Item, pattern: '*.csv', key: item, columns: [item, description, unit, site]}"
    (tmp_path / "lineshaft.yaml").write_text(
        "kafka: embedded\npartitions: 1\nhttp: {metrics: 0, views: 0, ingress: 0}\n"
        "mappings: mappings\ncodes: codes\nroutes: routes\n"
        f"connectors:\n  masterdata: {{type: files, folder: drop, tables: [{table}]}}\n"
    )
    return tmp_path


@pytest.fixture
def up(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "deploy.main", "--project", str(folder), "up", "--json"]
    with (folder / "up.log").open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    yield process
    process.terminate()
    process.communicate(timeout=60)


def roles_of(up: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """What `up` prints once everything runs."""
    assert up.stdout is not None
    text = ""
    for line in up.stdout:
        text += line
        if line.startswith("]"):
            return list(json.loads(text))
    raise AssertionError("up ended before everything ran")


def healthy(role: dict[str, Any]) -> bool:
    try:
        return httpx.get(f"{role['health']}/health", timeout=2.0).is_success
    except httpx.TransportError:
        return False


def test_up_starts_a_killed_broker_again_where_it_was(folder: Path, up: subprocess.Popen[str]) -> None:
    roles = roles_of(up)
    before = kafka.status(folder / ".lineshaft" / "kafka")
    assert before.pid is not None
    os.killpg(before.pid, signal.SIGKILL)

    def back() -> bool:
        now = kafka.status(folder / ".lineshaft" / "kafka")
        return now.state == "running" and now.pid != before.pid

    until(back, "the broker is back")
    assert kafka.status(folder / ".lineshaft" / "kafka").bootstrap == before.bootstrap
    until(lambda: all(healthy(each) for each in roles), "every role works")
    assert up.poll() is None


class Mortal:
    """A broker as the keeper sees it: dead when told, refusing to start as often as told."""

    def __init__(self) -> None:
        self.alive, self.bootstrap, self.refusals, self.starts = True, "here:1", 0, 0

    def start(self) -> None:
        self.starts += 1
        if self.refusals:
            self.refusals -= 1
            raise StartFailed("the disk is full.", "Free some space.")
        self.alive = True


def test_a_broker_that_cannot_start_is_tried_again_and_a_new_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    now, moved, broker = [0.0], list[str](), Mortal()
    monkeypatch.setattr("deploy.kafka_keeper.time.monotonic", lambda: now[0])
    keeper = KafkaKeeper(broker, lambda: moved.append(broker.bootstrap))  # type: ignore[arg-type]
    broker.alive, broker.refusals = False, 2
    for _ in range(40):
        now[0] += 0.25
        keeper.look()
    assert (broker.alive, broker.starts, moved) == (True, 3, [])
    broker.alive, broker.bootstrap = False, "here:2"
    for _ in range(80):
        now[0] += 0.25
        keeper.look()
    assert moved == ["here:2"]
