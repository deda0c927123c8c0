"""Versions never go back, and a clock that is wrong stops the task."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.clock import ClockApart, check_against_broker, next_version, now_us


@given(st.integers(0, 2**62), st.integers(0, 2**62))
def test_a_version_is_greater_than_the_last_and_never_behind_the_clock(previous: int, now: int) -> None:
    assert next_version(previous, now) > previous
    assert next_version(previous, now) >= now


@pytest.mark.parametrize("apart_ms", [-5_000, 0, 5_000])
def test_a_clock_within_five_seconds_of_the_brokers_is_good(apart_ms: int) -> None:
    check_against_broker(1_000_000 + apart_ms, 1_000_000_000, 1_000_000_000)


@pytest.mark.parametrize("apart_ms", [-5_001, 5_001, 3_600_000])
def test_a_clock_further_away_stops_the_task(apart_ms: int) -> None:
    with pytest.raises(ClockApart, match="NTP"):
        check_against_broker(1_000_000 + apart_ms, 1_000_000_000, 1_000_000_000)


def test_a_slow_commit_is_no_wrong_clock() -> None:
    began, answered, broker = now_us(), now_us() + 14_000_000, now_us() // 1000 + 1_000
    check_against_broker(broker, began, answered)
