"""The far system's clock is read from what answers say, wherever the bus runs."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from connectors.far_clock import FarClock

NOW = 1_795_356_877.0
NAMED = "Sun, 22 Nov 2026 14:14:37 GMT"


@pytest.fixture(params=["UTC", "Asia/Shanghai", "America/New_York"])
def _zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_zone")
@pytest.mark.parametrize("date", [NAMED, f"{NAMED}, {NAMED}", NAMED.replace("GMT", "-0000")])
def test_a_date_is_one_of_greenwich_also_where_a_proxy_has_doubled_it(date: str) -> None:
    clock = FarClock("https://far.example", now=lambda: NOW)
    clock.heard(date)
    assert (clock.ahead_s, clock.wrong) == (0.0, False)
