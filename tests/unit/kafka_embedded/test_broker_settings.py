"""What the embedded broker is told, and the list of its jars."""

from __future__ import annotations

import re
import socket
import uuid
from pathlib import Path

import pytest

from deploy.kafka import artifacts, machine, settings
from deploy.kafka.layout import Layout, Record, read_record
from deploy.kafka.settings import Ports


def test_the_list_pins_every_jar_by_a_sha256_and_in_a_fixed_order() -> None:
    pinned = artifacts.pinned()
    assert len(pinned) == 46
    assert all(re.fullmatch(r"[0-9a-f]{64}", artifact.sha256) for artifact in pinned)
    assert [a.coordinates for a in pinned] == sorted({a.coordinates for a in pinned})
    assert f"org.apache.kafka:kafka_2.13:{artifacts.KAFKA_VERSION}" in {a.coordinates for a in pinned}


def test_the_key_of_the_list_changes_with_any_jar() -> None:
    pinned = list(artifacts.pinned())
    assert artifacts.fingerprint(pinned) != artifacts.fingerprint(pinned[1:])


def test_the_settings_that_the_delivery_rules_stand_on_are_there() -> None:
    text = settings.properties(Ports(1, 2), Path("/data"))
    for line in (
        "auto.create.topics.enable=false",
        "group.initial.rebalance.delay.ms=0",
        "transaction.abort.timed.out.transaction.cleanup.interval.ms=1000",
        "listeners=CLIENT://127.0.0.1:1,CONTROLLER://127.0.0.1:2",
        "log.dirs=/data",
    ):
        assert line in text.splitlines()
    kept_minutes = int(settings.SETTINGS["offsets.retention.minutes"])
    assert kept_minutes > 30 * 24 * 60, "offsets must outlive the records of delivery topics"


def test_known_ports_are_taken_again_only_while_both_are_free() -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        taken = squatter.getsockname()[1]
        free = settings.free_ports(None)
        assert settings.free_ports(free) == free
        assert settings.free_ports(Ports(taken, free.controller)).client != taken
        assert settings.free_ports(Ports(free.client, taken)).controller != taken


def test_a_small_heap_never_starts_larger_than_it_may_grow() -> None:
    assert settings.java_flags(48, Path("/x"))[:2] == ("-Xms48m", "-Xmx48m")


def test_a_damaged_record_of_the_last_broker_counts_as_none(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    written = Record("running", 1, None, 2, 3)
    written.write(layout)
    assert read_record(layout) == written
    for damage in ("", "{", "[]", '{"state": "running"}'):
        layout.record.write_text(damage)
        assert read_record(layout) is None


def test_a_cluster_id_is_never_taken_for_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([uuid.UUID(bytes=b"\xf8" + bytes(15)), uuid.UUID(int=1)])
    monkeypatch.setattr(uuid, "uuid4", lambda: next(drawn))
    assert machine.cluster_id() == "AAAAAAAAAAAAAAAAAAAAAQ"
