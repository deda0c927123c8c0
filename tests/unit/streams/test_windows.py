"""Planned downtimes: when they are on, over midnight and over the change of the clocks, and what rests meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Event as Flag
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from pydantic import ValidationError

from connectors.config import ConnectorConfig
from connectors.contract import Connector
from connectors.windows import Window, open_until
from schemas.document import Document
from streams.bus import Attached
from streams.far_gate import Gate
from streams.far_reader import FarReader
from streams.far_writer import FarAway, FarWriter
from tests.unit.streams.test_far_writer import Far

STAGE = "sink.resting"


def window(**changes: Any) -> Window:
    values = {"days": ["sat"], "from": "22:00", "to": "02:00", "timezone": "Europe/Berlin", **changes}
    return Window.model_validate(values)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-07-04T19:59:59", None),  # Saturday, a second before 22:00 in Berlin
        ("2026-07-04T20:00:00", "2026-07-05T00:00:00"),
        ("2026-07-04T23:59:59", "2026-07-05T00:00:00"),  # already Sunday in Berlin
        ("2026-07-05T00:00:00", None),
        ("2026-07-05T20:30:00", None),  # Sunday evening is none of Saturday's
        ("2026-01-03T21:00:00", "2026-01-04T01:00:00"),  # winter: one hour later by UTC
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_it_begins_on_by_the_far_systems_clock(
    now: str, end: str | None
) -> None:
    assert window().until(at(now)) == (None if end is None else at(end))


@pytest.mark.parametrize(
    ("hours", "now", "end"),
    [
        (("01:00", "04:00"), "2026-03-29T00:30:00", "2026-03-29T02:00:00"),  # clocks go on from 2 to 3: two hours
        (("01:00", "04:00"), "2026-10-25T00:30:00", "2026-10-25T03:00:00"),  # and back from 3 to 2: four hours
        (("02:15", "02:45"), "2026-10-25T01:30:00", "2026-10-25T01:45:00"),  # the hour that comes twice counts twice
        (("02:30", "05:00"), "2026-03-29T01:30:00", "2026-03-29T03:00:00"),  # an hour that never was
    ],
)
def test_a_change_of_the_clocks_moves_the_ends_and_loses_no_window(
    hours: tuple[str, str], now: str, end: str
) -> None:
    found = window(days=["sun"], **{"from": hours[0], "to": hours[1]})
    assert found.until(at(now)) == at(end)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)))
def test_the_end_is_ahead_and_nothing_is_open_behind_it(now: datetime) -> None:
    end = window(days=["mon", "thu"]).until(now)
    assert end is None or (now < end <= now + timedelta(hours=5) and window(days=["mon", "thu"]).until(end) is None)


def test_of_several_windows_the_latest_end_counts() -> None:
    both = [window(), window(**{"from": "23:00", "to": "05:00"})]
    assert open_until(both, at("2026-07-04T21:30:00")) == at("2026-07-05T03:00:00")
    assert open_until([], at("2026-07-04T21:30:00")) is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"from": 1320}, 'write it in quotes with two digits each, like "22:00"'),
        ({"from": "9:00"}, 'like "22:00"'),
        ({"to": "25:00"}, "is no time of day"),
        ({"timezone": "Berlin"}, "write one like Europe/Berlin"),
        ({"to": "22:00"}, "from and to are the same"),
        ({"days": []}, "at least 1 item"),
        ({"days": ["saturday"]}, "'mon', 'tue'"),
        ({"until": "02:00"}, "Extra inputs"),
    ],
)
def test_a_window_that_cannot_be_meant_is_refused_with_what_to_write(changes: Any, problem: str) -> None:
    with pytest.raises(ValidationError) as refused:
        window(**changes)
    assert problem in str(refused.value)


class Clock:
    """Saturday evening in Berlin, inside the window, until it is moved on."""

    def __init__(self) -> None:
        self.now = at("2026-07-04T20:00:00")

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def far() -> Far:
    return Far()


@pytest.fixture
def gate(far: Far, clock: Clock) -> Gate:
    return Gate(STAGE, [window()], far.clock, lambda: 0.5, clock)


def attached(far: Far) -> Attached:
    connector = Connector("far", ConnectorConfig, lambda _: (), sink=lambda _: far, source=lambda _: far)  # type: ignore[arg-type,return-value]
    return Attached("resting", connector, ConnectorConfig())


def shown(name: str) -> float | None:
    return REGISTRY.get_sample_value(f"lineshaft_{name}", {"stage": STAGE})


def test_in_a_window_no_far_call_is_made_and_no_alarm_is_raised_and_behind_it_all_goes_on(
    far: Far, gate: Gate, clock: Clock
) -> None:
    writer = FarWriter(STAGE, attached(far), gate)
    with pytest.raises(FarAway, match="planned downtime") as away:
        writer.write([Document("Status", "a", "1", {})], far)
    assert away.value.wait_s == timedelta(hours=4).total_seconds()
    assert far.calls == []
    assert (shown("window_open"), shown("breaker_state")) == (1, 0)
    assert gate.says() == "planned downtime"
    clock.now += timedelta(hours=4)
    assert writer.write([Document("Status", "a", "1", {})], far) == []
    assert far.calls == [["a"]]
    assert (shown("window_open"), gate.says()) == (0, "closed")


def test_a_source_is_let_go_of_in_a_window_and_not_polled(far: Far, gate: Gate, clock: Clock) -> None:
    stop = Flag()
    stop.set()  # so that no moment is waited
    reader = FarReader(STAGE, attached(far), gate)
    assert reader.rests(stop)
    clock.now += timedelta(hours=4)
    assert not reader.rests(stop)
