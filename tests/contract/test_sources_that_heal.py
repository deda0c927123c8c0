"""Sources against far systems whose clocks are wrong, whose cursors get lost and whose backups come back."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.contract import Position, Source
from connectors.errors import PositionRefused, TransientError
from connectors.jiandaoyun.simulator import Simulator as JianDaoYun
from connectors.salesforce import orders
from connectors.salesforce.source import SalesforceSource
from schemas.document import Document, Value
from schemas.identity import revision_time_us
from tests.contract.salesforce_kit import Reader, Rig, reading, rig_in
from tests.unit.jiandaoyun.test_jiandaoyun_end_to_end import Plant

HOUR = 3600
ORDERS = "/data/OrderChangeEvent"


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    simulator = JianDaoYun(tmp_path / "far")
    stand_in = simulator.start()
    trust = ssl.create_default_context(cafile=str(stand_in.ca_file))
    with httpx.Client(verify=trust, timeout=60) as client:
        yield Plant(tmp_path, simulator, stand_in, client)
    simulator.stop()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with rig_in(tmp_path) as running:
        running.settings(keep_alive_s=0)
        yield running


class Sweeps:
    """One instance of the form's source after another, each from the position of the one before."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self.position: Position | None = None
        self.source: Source = plant.source()
        self.source.open(None)

    def restart(self) -> None:
        self.source.close()
        self.source = self._plant.source()
        self.source.open(self.position)

    def sweep(self, polls: int = 1) -> list[Document]:
        found: list[Document] = []
        for _ in range(polls):
            batch = self.source.poll(5)
            if batch is not None:
                self.position = batch.position
                found.extend(batch.documents)
        return found


@pytest.fixture
def sweeps(plant: Plant) -> Iterator[Sweeps]:
    made = Sweeps(plant)
    yield made
    made.source.close()


def made(plant: Plant, number: int = 1, **changes: Value) -> str:
    data: Value = {"job_order_id": f"crm:1/{number}", "item": "P-1", "quantity": 1, "state": "released", **changes}
    return str(plant.control("person/create", {"data": data})["data"]["_id"])


def edit(plant: Plant, data_id: str, **changes: Value) -> None:
    plant.control("person/update", {"data_id": data_id, "data": changes})


def states(documents: list[Document]) -> list[Value]:
    return [document.fields["state"] for document in documents]


def shift(target: Plant | Rig, offset_s: int) -> None:
    answer = target.http.post(f"{target.stand_in.control}/clock", json={"offset_s": offset_s})
    assert answer.status_code == 200, answer.text


def _opened(rig: Rig, position: Position) -> None:
    with closing(SalesforceSource(rig.config())) as source:
        source.open(position)


def backup(target: Plant | Rig, what: str) -> None:
    answer = target.http.post(f"{target.stand_in.control}/{what}/old")
    assert answer.status_code == 200, answer.text


# ── clock skew ──


@pytest.mark.parametrize("offset_s", [HOUR, -HOUR])
def test_a_change_after_the_form_s_clock_was_wrong_is_told_also_over_a_restart(
    plant: Plant, sweeps: Sweeps, offset_s: int
) -> None:
    record = made(plant)
    other = made(plant, 2)
    sweeps.sweep(2)
    shift(plant, offset_s)
    edit(plant, other, state="running")
    assert "running" in states(sweeps.sweep(2))
    sweeps.restart()
    edit(plant, record, state="held")
    assert "held" in states(sweeps.sweep(3))
    shift(plant, 0)
    sweeps.sweep(2)
    sweeps.restart()
    edit(plant, record, state="completed")
    assert "completed" in states(sweeps.sweep(3))


def test_the_form_s_position_never_lies_in_the_future_of_either_clock(plant: Plant, sweeps: Sweeps) -> None:
    shift(plant, HOUR)
    made(plant)
    sweeps.sweep(4)
    shift(plant, 0)
    right = made(plant, 2)
    (stamp,) = [int(each.revision[:17]) for each in sweeps.sweep() if each.id == right]
    assert sweeps.position is not None
    assert all(int(str(sweeps.position[name])) <= stamp for name in ("done_us", "start_us", "seen_us"))


def test_records_are_told_once_more_after_a_sweep_whose_stamps_could_not_be_believed(
    plant: Plant, sweeps: Sweeps
) -> None:
    made(plant)
    first = sweeps.sweep()
    assert sweeps.sweep() == []
    shift(plant, HOUR)
    assert sweeps.sweep() == []
    shift(plant, 0)
    assert sweeps.sweep() == first  # the very same documents: a repeat has the same id
    assert sweeps.sweep() == []


def test_a_change_after_the_orgs_clock_ran_ahead_is_read_though_the_cursor_is_lost(rig: Rig) -> None:
    order = rig.known["order"]
    with reading(rig.config()) as reader:
        shift(rig, HOUR)
        rig.person("POST", f"Order/{order}", {"Priority__c": "Low"})
        assert reader.next_about(order).fields["Priority__c"] == "Low"
        shift(rig, 0)
        position = reader.position
    rig.settings(retention_s=0)
    rig.person("POST", f"Order/{order}", {"Priority__c": "High"})
    rig.order()
    rig.settings(retention_s=72 * HOUR)
    with reading(rig.config(), position) as again:
        again.until(lambda each: each.caught_up)
    assert [each.fields["Priority__c"] for each in again.documents if each.id == order][-1] == "High"


def test_a_change_while_the_orgs_clock_is_behind_is_read(rig: Rig) -> None:
    order = rig.known["order"]
    with reading(rig.config()) as reader:
        shift(rig, -HOUR)
        rig.fault("dropped_stream", times=2)
        rig.person("POST", f"Order/{order}", {"Priority__c": "Low"})
        before = [each for each in reader.documents if each.id == order][-1]
        after = reader.next_about(order)
    assert after.fields["Priority__c"] == "Low"
    assert revision_time_us(after.revision) <= revision_time_us(before.revision)  # only its later read makes it newer


# ── restored from an old backup ──


def test_a_restored_form_is_refused_at_the_start_and_nothing_is_told_as_deleted(plant: Plant, sweeps: Sweeps) -> None:
    old = made(plant)
    backup(plant, "backup")
    edit(plant, old, state="running")
    for number in range(2, 8):
        made(plant, number)
    sweeps.sweep(2)
    backup(plant, "restore")
    sweeps.restart()
    with pytest.raises(PositionRefused, match=r"went back in time.*restored from an old backup"):
        sweeps.sweep()


def test_a_form_restored_under_a_running_source_is_refused_before_anything_is_told(
    plant: Plant, sweeps: Sweeps
) -> None:
    for number in range(1, 4):
        made(plant, number)
    backup(plant, "backup")
    for number in range(4, 9):
        made(plant, number)
    sweeps.sweep(2)
    backup(plant, "restore")
    told: list[Document] = []
    with pytest.raises(PositionRefused):
        for _ in range(9):
            told += sweeps.sweep()
    assert told == []


def test_a_few_deletions_while_nobody_looks_are_no_restore(plant: Plant, sweeps: Sweeps) -> None:
    records = [made(plant, number) for number in range(1, 3)]
    sweeps.sweep(2)
    for record in records:
        plant.control("person/delete", {"data_id": record})
    sweeps.restart()
    assert sweeps.sweep(2) == []


def test_a_restored_org_is_refused_at_the_start(rig: Rig) -> None:
    backup(rig, "backup")
    rig.person("POST", f"Order/{rig.known['order']}", {"Priority__c": "High"})
    for _ in range(5):
        rig.order()
    with reading(rig.config()) as reader:
        position = reader.position
    backup(rig, "restore")
    with pytest.raises(PositionRefused, match=r"are gone .*have everything read anew"):
        _opened(rig, position)
    with reading(rig.config()) as anew:  # what a person who drops the position gets
        assert [document.id for document in anew.documents] == [rig.known["order"]]
        assert not any(document.deleted for document in anew.documents)


def test_an_org_restored_under_a_running_source_is_refused_and_no_order_is_cancelled(rig: Rig) -> None:
    backup(rig, "backup")
    for _ in range(5):
        rig.order()
    with reading(rig.config()) as reader:
        begun = len(reader.documents)
        backup(rig, "restore")
        with pytest.raises(PositionRefused):
            reader.until(lambda each: False)
        assert not any(document.deleted for document in reader.documents[begun:])


# ── lost cursors ──


def test_a_cursor_lost_at_every_start_still_ends_in_one_whole_resync(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each instance lives for one page of the resync; none begins it anew."""
    monkeypatch.setattr(orders, "ROWS_PER_PAGE", 2)
    wanted = {rig.known["order"], *(rig.order() for _ in range(9))}
    with reading(rig.config()) as reader:
        position = {**reader.position}
    seen: list[str] = []
    while set(seen) < wanted:
        rig.fault("lost_cursor", times=2)
        again = Reader(rig.config(), position)
        again.until(lambda each: each.documents)
        rig.http.delete(f"{rig.stand_in.control}/faults")
        seen += [document.id for document in again.documents]
        position = {**again.position}
        again.source.close()
        assert len(seen) <= 3 * len(wanted), "it begins from zero each time"


def test_a_stream_that_breaks_again_and_again_is_left_to_the_bus_s_pace(rig: Rig) -> None:
    """Each stream answers before it breaks, so that nothing but their number says that something is wrong."""
    order = rig.known["order"]
    with reading(rig.config()) as reader:
        with pytest.raises(TransientError, match="ended 7 times within 60 s") as caught:
            for number in range(20):
                rig.fault("dropped_stream", match={"topic": ORDERS})
                reader.until(lambda _: not rig.faults()["pending"])
                rig.person("POST", f"Order/{order}", {"Description": f"change {number}"})
                reader.next_about(order)
        subscribed = [each for each in rig.ledger("rpc") if each["name"] == "Subscribe" and each["topic"] == ORDERS]
    assert len(subscribed) == 7
    error: Any = caught.value
    assert error.retry_after_s == 30


def test_a_cursor_that_is_lost_at_every_try_is_left_to_the_bus_s_pace(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        position = reader.position
    rig.fault("lost_cursor", times=1_000)
    rig.fault("dropped_stream", times=1_000)
    before = len(rig.ledger("request"))
    again = Reader(rig.config(), position)
    with pytest.raises(TransientError):
        again.until(lambda each: False)
    again.source.close()
    assert len([each for each in rig.ledger("rpc") if each["name"] == "Subscribe"]) <= 6
    assert len(rig.ledger("request")) - before <= 20
