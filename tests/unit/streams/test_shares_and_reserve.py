"""Who may use how much of a far system: shares of its rate limits, and the reserve of its call budget."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from connectors.config import ConnectorConfig
from connectors.contract import ApiBudget, Connector
from connectors.errors import TransientError
from connectors.pace import WINDOW_S, Pace
from schemas.document import Document
from streams.bus import Attached
from streams.far_gate import Gate
from streams.far_writer import FarWriter
from streams.outlook import LOOK_S, Outlook
from streams.reserve import LOOK_AGAIN_S, Reserve
from streams.shares import BULK_PART, PARTS, sink_share
from tests.unit.streams.test_far_writer import Far


@dataclass
class Time:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def calls_in(seconds: float, share: float, account: int = 50, endpoint: int = 20) -> int:
    """How many calls one instance with this share makes in so long, calling as fast as it may."""
    time = Time()
    pace = Pace(account, {"write": endpoint}, time, time.sleep)
    pace.take_share(share)
    count = 0
    while True:
        pace.wait("write")
        if time.now >= seconds:
            return count
        count += 1


@settings(max_examples=30)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=12))
def test_the_sink_tasks_together_stay_within_their_part_however_the_partitions_are_divided(owned: list[int]) -> None:
    partitions = max(1, sum(owned))
    shares = [sink_share(each, partitions, bulk=False) for each in owned if each]
    seconds = 200 * WINDOW_S
    made = sum(calls_in(seconds, share) for share in shares)
    assert made <= PARTS["sink"] * 20 * seconds + 20  # what may be made at once at the beginning


def test_all_parts_are_the_whole_and_the_bulk_lane_leaves_some_of_its_sinks() -> None:
    assert sum(PARTS.values()) == pytest.approx(1.0)
    assert sink_share(3, 12, bulk=True) == pytest.approx(BULK_PART * sink_share(3, 12, bulk=False))


def test_a_share_of_less_than_one_call_a_second_makes_the_window_longer_and_not_the_call_impossible() -> None:
    assert calls_in(100 * WINDOW_S, 0.01) in (20, 21)  # 20 a second, one hundredth of it


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1])
def test_a_share_that_is_no_part_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="a part of 1"):
        Pace(50, {"write": 20}).take_share(share)


@dataclass
class PacedFar(Far):
    told: list[float] = field(default_factory=list)
    api_budget: ApiBudget | None = None

    def take_share(self, share: float) -> None:
        self.told.append(share)


def paced(far: PacedFar, stage: str) -> FarWriter:
    connector = Connector("far", ConnectorConfig, lambda _: (), sink=lambda _: far)
    return FarWriter(stage, Attached("paced", connector, ConnectorConfig()), Gate(stage, (), far.clock))


def documents(count: int) -> list[Document]:
    return [Document("Status", str(number), "1", {}) for number in range(count)]


def test_a_new_instance_after_a_failure_is_told_the_share_as_well_and_the_bulk_lane_less() -> None:
    far = PacedFar()
    answers = [TransientError("once"), None]
    far.fails = lambda _: answers.pop(0)
    writer = paced(far, "sink.paced")
    writer.owns(6, 12)
    writer.write(documents(1), far)
    assert set(far.told) == {sink_share(6, 12, bulk=False)}
    assert len(far.told) == 4  # at each opening, before its own calls, and before each write
    far.fails = lambda _: None
    writer.write(documents(1), far, bulk=True)
    assert far.told[-1] == sink_share(6, 12, bulk=True)


def test_with_a_small_share_fewer_documents_are_written_between_two_looks_at_the_lease() -> None:
    far = PacedFar()
    writer = paced(far, "sink.portions")
    writer.owns(1, 12)
    writer.write(documents(1), far)
    far.calls.clear()
    writer.write(documents(50), far)
    assert max(len(each) for each in far.calls) <= 4
    assert [each for call in far.calls for each in call] == [str(number) for number in range(50)]


@dataclass
class Counting:
    api_budget: ApiBudget | None


def test_near_the_end_of_the_budget_what_can_wait_waits_and_looks_again_from_time_to_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    time = Time()
    reserve = Reserve("source.near", time)
    assert reserve.spares()
    with caplog.at_level(logging.WARNING):
        for used in (899, 900, 950):
            reserve.look(Counting(ApiBudget(used, 1000)))
    assert not reserve.spares()
    assert REGISTRY.get_sample_value("lineshaft_reserve_in_use", {"stage": "source.near"}) == 1
    assert [each.message for each in caplog.records] == [
        "source.near: 900 of 1000 calls of the far system's budget are used: "
        "only status write-back and urgent orders go on"
    ]
    time.now += LOOK_AGAIN_S
    assert reserve.spares()
    reserve.look(Counting(ApiBudget(300, 1000)))
    assert reserve.spares()
    assert REGISTRY.get_sample_value("lineshaft_reserve_in_use", {"stage": "source.near"}) == 0


def test_a_sink_near_the_end_of_its_budget_writes_on_and_spares_the_bulk_lane() -> None:
    far = PacedFar(api_budget=ApiBudget(95, 100))
    writer = paced(far, "sink.near")
    assert writer.spares_bulk()
    assert writer.write(documents(2), far) == []
    assert not writer.spares_bulk()
    assert writer.write(documents(2), far) == []


def test_a_far_system_that_counts_nothing_has_no_reserve() -> None:
    reserve = Reserve("sink.free")
    reserve.look(object())
    assert reserve.spares()


def test_the_catch_up_time_follows_from_the_backlog_and_the_recent_rate() -> None:
    backlog, time = [500], Time()
    outlook = Outlook("sink.behind", lambda: backlog[0], time)
    assert math.isnan(outlook.seconds(500))
    assert outlook.in_words() == "500 records wait"
    for _ in range(50):
        outlook.wrote(50, 5.0)
    assert outlook.seconds(500) == pytest.approx(50)
    assert outlook.in_words() == "500 records wait, caught up in about 50 s"
    outlook.show()
    backlog[0] = 0
    outlook.show()  # not asked again so soon
    assert REGISTRY.get_sample_value("lineshaft_catch_up_seconds", {"stage": "sink.behind"}) == pytest.approx(50)
    time.now += LOOK_S
    outlook.show()
    assert REGISTRY.get_sample_value("lineshaft_catch_up_seconds", {"stage": "sink.behind"}) == 0
