"""The watchdog's judgement, by a clock and a probe of its own."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from streams.views.store import Place
from streams.views.watch import PATIENCE_S, Offsets, StandsStill, Watch

PLACE = ("crm.orders", 0)


@dataclass
class Surroundings:
    """The time, which places hold records, and how often that was asked."""

    now: float = 0.0
    records: set[Place] = field(default_factory=set)
    probes: int = 0

    def clock(self) -> float:
        return self.now

    def probe(self, offsets: Offsets) -> set[Place]:
        self.probes += 1
        return self.records & set(offsets)


@pytest.fixture
def around() -> Surroundings:
    return Surroundings()


@pytest.fixture
def watch(around: Surroundings) -> Watch:
    return Watch(around.probe, around.clock)


def test_a_view_that_has_read_to_the_ends_has_caught_up(watch: Watch) -> None:
    watch.look(7, {PLACE: 7}, {PLACE: 7})
    assert watch.caught_up


def test_a_view_that_reads_nothing_though_there_is_something_stands_still(watch: Watch, around: Surroundings) -> None:
    around.records = {PLACE}
    watch.look(3, {PLACE: 3}, {PLACE: 9})
    around.now = PATIENCE_S - 1
    watch.look(3, {PLACE: 3}, {PLACE: 9})
    assert not watch.caught_up
    around.now = PATIENCE_S
    with pytest.raises(StandsStill, match=r"crm.orders\[0\] from offset 3"):
        watch.look(3, {PLACE: 3}, {PLACE: 9})


def test_a_view_that_reads_slowly_does_not_stand_still(watch: Watch, around: Surroundings) -> None:
    around.records = {PLACE}
    for read in range(20):
        around.now = read * (PATIENCE_S - 1)
        watch.look(read, {PLACE: read}, {PLACE: 99})
    assert not watch.caught_up


def test_markers_and_aborted_records_are_nothing_to_read(watch: Watch, around: Surroundings) -> None:
    for moment in range(10):
        around.now = moment * PATIENCE_S
        watch.look(3, {PLACE: 3}, {PLACE: 9})
    assert watch.caught_up
    assert around.probes == 1


def test_a_record_after_markers_is_noticed_again(watch: Watch, around: Surroundings) -> None:
    around.now = 2
    watch.look(3, {PLACE: 3}, {PLACE: 9})
    around.now = 4
    watch.look(3, {PLACE: 3}, {PLACE: 9})
    assert watch.caught_up
    around.records = {PLACE}
    around.now = 6
    watch.look(3, {PLACE: 3}, {PLACE: 10})
    assert not watch.caught_up
    around.now = 4 + PATIENCE_S
    with pytest.raises(StandsStill):
        watch.look(3, {PLACE: 3}, {PLACE: 10})


def test_the_time_in_which_kafka_did_not_answer_is_not_held_against_the_view(
    watch: Watch, around: Surroundings
) -> None:
    around.records = {PLACE}
    watch.look(3, {PLACE: 3}, {PLACE: 9})
    around.now = 10 * PATIENCE_S
    watch.blind()
    watch.look(3, {PLACE: 3}, {PLACE: 9})
    assert not watch.caught_up
