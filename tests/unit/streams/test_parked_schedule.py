"""When a record that is busy is tried again by itself, and when a person is asked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.outcome import OWNERS, Reason
from streams.schedule import PAUSES_S, SPREAD, TRIES, planned

ONE = 1_000_000
BUSY = Reason("busy", "locked", OWNERS["busy"], retry_after_s=0.0)


def test_the_pauses_grow_to_an_hour_and_then_a_person_is_asked() -> None:
    waits = [planned(BUSY, attempts, 0, 0.0) for attempts in range(1, TRIES)]
    assert [at for _, at in waits] == [30 * ONE, 120 * ONE, 600 * ONE, *[3600 * ONE] * 4]
    reason, at = planned(BUSY, TRIES, 0, 0.0)
    assert (reason.cause, reason.owner, at) == ("keeps_failing", OWNERS["keeps_failing"], None)
    assert reason.message == "locked (tried 8 times)"


@given(st.integers(1, TRIES - 1), st.floats(0, 10_000), st.floats(0, 1))
def test_no_try_comes_before_the_far_systems_own_wish_and_jitter_is_bounded(
    attempts: int, wish: float, chance: float
) -> None:
    _, at = planned(Reason("busy", "locked", "nobody", retry_after_s=wish), attempts, 0, chance)
    assert at is not None
    least = max(wish, PAUSES_S[min(attempts, 4) - 1]) * ONE
    assert least - 1 <= at <= least * (1 + SPREAD) + 1


def test_what_a_person_has_to_mend_is_never_planned() -> None:
    refused = Reason("refused", "no", OWNERS["refused"])
    assert planned(refused, 1, 0, 0.5) == (refused, None)
