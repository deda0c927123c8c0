"""What every error means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import errors
from connectors.errors import (
    AuthError,
    ConfigError,
    Conflict,
    DataError,
    FarError,
    LostCursor,
    PositionRefused,
    Throttled,
    TransientError,
    UnknownOutcome,
)
from mappings import Cause, MappingFailed
from schemas.codec import CodecError
from streams.kafka.transaction import TooLarge
from streams.outcome import (
    LONGEST_PAUSE_S,
    OWNERS,
    Action,
    NoMapping,
    NoRoute,
    action_for,
    breaks,
    pause_s,
    reason_for,
)

EXPECTED: dict[type[FarError], Action] = {
    Throttled: Action.RETRY,
    TransientError: Action.RETRY,
    Conflict: Action.RETRY,
    UnknownOutcome: Action.RETRY,
    LostCursor: Action.RETRY,
    PositionRefused: Action.PAUSE,
    AuthError: Action.PAUSE,
    ConfigError: Action.PAUSE,
    DataError: Action.PARK,
}


def made(kind: type[FarError]) -> FarError:
    return ConfigError("field", "is wrong.", "Mend it.") if kind is ConfigError else kind("happened")


def test_every_error_of_the_contract_is_in_the_table() -> None:
    tree = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, FarError)}
    assert tree - {FarError} == set(EXPECTED)


@pytest.mark.parametrize(("kind", "action"), EXPECTED.items())
def test_an_error_has_its_action_and_so_have_those_a_connector_derives_from_it(
    kind: type[FarError], action: Action
) -> None:
    class Derived(kind):  # type: ignore[valid-type,misc]
        def __init__(self) -> None:
            FarError.__init__(self, "derived")

    assert action_for(made(kind)) is action
    assert action_for(Derived()) is action


def test_an_error_of_no_known_kind_pauses_and_tells() -> None:
    assert action_for(FarError("?")) is Action.PAUSE


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_pause_is_spread_below_a_bound_that_grows(attempt: int, chance: float) -> None:
    error = TransientError("busy")
    bound = pause_s(error, attempt, 1.0)
    assert 0 < bound <= pause_s(error, attempt + 1, 1.0) <= LONGEST_PAUSE_S
    assert pause_s(error, attempt, chance) == pytest.approx(bound * chance)


@given(st.floats(0, 3600), st.integers(1, 100), st.floats(0, 1))
def test_the_far_systems_own_wish_is_honoured_and_its_end_is_spread(wish: float, attempt: int, chance: float) -> None:
    assert wish <= pause_s(Throttled("slow down", wish), attempt, chance) <= wish * 1.1


def test_what_a_person_must_mend_is_not_hammered() -> None:
    assert pause_s(AuthError("refused"), 1, 0.0) == pause_s(AuthError("refused"), 99, 1.0) >= 30


@pytest.mark.parametrize(
    ("error", "opens"),
    [
        (TransientError("503"), True),
        (UnknownOutcome("timed out"), True),
        (LostCursor("gone"), True),
        (Throttled("slow down"), False),
        (AuthError("refused"), False),
        (ConfigError("field", "is wrong.", "Mend it."), False),
        (DataError("no such field"), False),
    ],
)
def test_only_an_error_that_every_call_would_meet_counts_towards_the_breaker(error: FarError, opens: bool) -> None:
    assert breaks(error) is opens


@pytest.mark.parametrize(
    ("error", "cause", "message"),
    [
        (
            MappingFailed("lines.item", Cause.UNKNOWN_REFERENCE, "no item 'X'", "items/X"),
            "unknown_reference",
            "lines",
        ),
        (MappingFailed("x", Cause.BAD_VALUE, "bad", None), "bad_value", "x: bad"),
        (NoRoute("no route matches"), "no_route", "no route"),
        (NoMapping("no live mapping reads crm.Invoice"), "no_mapping", "crm.Invoice"),
        (CodecError("no SalesOrder"), "undecodable", "no SalesOrder"),
        (TooLarge("1,200,000 bytes"), "too_large", "1,200,000"),
        (DataError("REQUIRED_FIELD_MISSING"), "refused", "REQUIRED"),
        (TransientError("no answer"), "busy", "no answer"),
        (KeyError("x"), "defect", "KeyError: 'x'"),
        (ValueError("half \ud83d"), "defect", "half \\ud83d"),
    ],
)
def test_a_parked_record_has_its_cause_its_sentence_and_its_owner(error: Exception, cause: str, message: str) -> None:
    reason = reason_for(error)
    assert (reason.cause, reason.owner) == (cause, OWNERS[cause])
    assert message in reason.message
    reason.message.encode()


def test_a_record_that_waits_says_for_what() -> None:
    assert reason_for(MappingFailed("f", Cause.UNKNOWN_REFERENCE, "m", "items/X")).waits_for == "items/X"


def test_what_is_busy_is_tried_again_by_itself_and_what_was_refused_is_not() -> None:
    assert reason_for(UnknownOutcome("no answer")).retry_after_s == 0.0
    assert reason_for(TransientError("locked", 90.0)).retry_after_s == 90.0
    assert reason_for(DataError("no such field")).retry_after_s is None


def test_every_cause_has_an_owner() -> None:
    assert set(OWNERS) >= {str(each) for each in Cause}
