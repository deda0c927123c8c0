"""The circuit breaker as a value."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.breaker import FIRST_COOL_DOWN_S, LONGEST_COOL_DOWN_S, OPENS_AFTER, Breaker, State


def failed(breaker: Breaker, times: int, now: float = 0.0) -> Breaker:
    for _ in range(times):
        breaker = breaker.failed(now, 0.0)
    return breaker


def test_it_opens_after_failures_in_a_row_and_not_before() -> None:
    nearly = failed(Breaker(), OPENS_AFTER - 1)
    assert nearly.state(0.0) is State.CLOSED
    assert nearly.failed(0.0, 0.0).state(0.0) is State.OPEN


def test_one_success_among_the_failures_begins_the_count_again() -> None:
    assert failed(failed(Breaker(), OPENS_AFTER - 1).succeeded(), OPENS_AFTER - 1).state(0.0) is State.CLOSED


def test_after_the_cool_down_it_is_half_open_and_one_success_closes_it() -> None:
    opened = failed(Breaker(), OPENS_AFTER, now=100.0)
    assert opened.state(100.0 + FIRST_COOL_DOWN_S - 0.1) is State.OPEN
    assert opened.state(100.0 + FIRST_COOL_DOWN_S) is State.HALF_OPEN
    assert opened.succeeded().state(100.0) is State.CLOSED


def test_a_probe_that_fails_opens_it_again_for_longer() -> None:
    opened = failed(Breaker(), OPENS_AFTER)
    again = opened.failed(opened.until, 0.0)
    assert again.state(opened.until) is State.OPEN
    assert again.until - opened.until == 2 * opened.until


@given(st.integers(0, 2_000), st.floats(0, 1))
def test_the_cool_down_never_grows_beyond_its_bound_and_chance_at_most_halves_it(more: int, chance: float) -> None:
    breaker = failed(Breaker(), OPENS_AFTER + more).failed(0.0, chance)
    assert FIRST_COOL_DOWN_S / 2 <= breaker.until <= LONGEST_COOL_DOWN_S
