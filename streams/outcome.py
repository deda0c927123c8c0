"""What an error means for the record, the batch and the task. Nothing else on the bus decides this.

retry   the batch again, after a pause that grows
pause   the task, and tell: only a person or time can mend it
park    this one record, with a cause; the others go on
stop    the process: going on could break a promise
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

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
    brief,
)
from mappings import Cause, MappingFailed
from schemas.codec import CodecError
from schemas.registry import RegistryError
from streams.kafka.transaction import TooLarge

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
PERSON_PAUSE_S = 30.0
WISH_SPREAD = 0.1
"""How much later than the far system wished several tasks spread their next calls, as a share of the wait."""


class Action(StrEnum):
    """What happens next."""

    RETRY = "retry"
    PAUSE = "pause"
    PARK = "park"


@dataclass(frozen=True)
class Reason:
    """Why a record is parked: one word of a fixed list, one sentence, who can resolve it, what it waits for.

    `retry_after_s` is set where it is worth another try by itself, not before that time (`schedule.planned`).
    """

    cause: str
    message: str
    owner: str
    waits_for: str | None = None
    retry_after_s: float | None = None


OWNERS: Mapping[str, str] = {
    Cause.REQUIRED_MISSING: "sales or production: complete the record in the far system",
    Cause.BAD_VALUE: "sales or production: correct the record in the far system",
    Cause.UNKNOWN_CODE: "administrator: add the code to its table",
    Cause.UNKNOWN_REFERENCE: "administrator: add the reference; it is redriven when it arrives",
    "no_route": "administrator: add a route for it",
    "no_mapping": "administrator: write the mapping that is missing",
    "undecodable": "IT: find out who wrote this to the topic",
    "refused": "administrator: see the far system's reason",
    "too_large": "administrator: make the record smaller in the far system, or split it",
    "gone": "administrator: have the far system send the record again, then this one is superseded",
    "busy": "nobody: it is tried again by itself, and a person is asked when it has failed eight times",
    "keeps_failing": "IT: find out why the far system never takes this record, then redrive it",
    "in_turn": "nobody: it follows by itself when the record before it is resolved",
    "kills": "IT: the worker dies of this record; report it, then discard it or redrive it with a mended release",
    "defect": "IT: report it to the makers of Lineshaft with this text",
}

MENDED_BY_DEFINITIONS = frozenset(
    {
        Cause.REQUIRED_MISSING,
        Cause.BAD_VALUE,
        Cause.UNKNOWN_CODE,
        Cause.UNKNOWN_REFERENCE,
        "no_route",
        "no_mapping",
        "defect",
    }
)
"""The causes that another mapping, code table or route may mend: an activation has them tried again."""

ACTIONS: Mapping[type[FarError], Action] = {
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


def action_for(error: FarError) -> Action:
    """What a far system's error means for the task."""
    for kind in type(error).__mro__:
        if kind in ACTIONS:
            return ACTIONS[kind]
    return Action.PAUSE


def breaks(error: FarError) -> bool:
    """Whether an error says that the far system does not work at all, so that in a row they open the breaker.

    A far system that throttles works, and what a person has to mend is not mended by a cool-down.
    """
    return action_for(error) is Action.RETRY and not isinstance(error, Throttled)


def pause_s(error: FarError, attempt: int, chance: float) -> float:
    """How long to wait before the next attempt (1 is the first repeat), seconds.

    Full jitter: anything up to a bound that doubles, by `chance` (0 to 1), so that many tasks do not come back in
    one moment. Never before the far system's own wish.
    """
    if action_for(error) is Action.PAUSE:
        return PERSON_PAUSE_S
    wished = error.retry_after_s if isinstance(error, TransientError) else None
    if wished is not None:
        return wished * (1 + WISH_SPREAD * chance)
    return chance * min(FIRST_PAUSE_S * 2.0 ** min(attempt, 10), LONGEST_PAUSE_S)


class Gone(Exception):
    """A record that was held by reference only is no longer where it came from."""


class InTurn(Exception):
    """A record that does not supersede stands behind a parked one of its subject."""


class Kills(Exception):
    """The worker died by force whenever it began this record."""


class NoRoute(Exception):
    """No route says where an order line is made."""


class NoMapping(Exception):
    """No live mapping makes of a record what is asked for here."""


def reason_for(error: Exception) -> Reason:
    """Why a record that met this error is parked.

    Raises the error itself where it says nothing about the record: every other one would meet it as well, so the
    process stops, and the batch is done again when it is back.
    """
    if isinstance(error, RegistryError):
        raise error
    if isinstance(error, MappingFailed):
        message = brief(f"{error.field}: {error.message}")
        return Reason(error.cause, message, OWNERS[error.cause], error.waits_for)
    cause = _cause(error)
    message = str(error) if cause != "defect" else f"{type(error).__name__}: {error}"
    wished = error.retry_after_s if isinstance(error, TransientError) else None
    retry_after_s = (wished or 0.0) if cause == "busy" else None
    return Reason(cause, brief(message), OWNERS[cause], retry_after_s=retry_after_s)


def _cause(error: Exception) -> str:
    match error:
        case NoRoute():
            return "no_route"
        case NoMapping():
            return "no_mapping"
        case TooLarge():
            return "too_large"
        case Gone():
            return "gone"
        case InTurn():
            return "in_turn"
        case Kills():
            return "kills"
        case CodecError():
            return "undecodable"
        case FarError():
            return "busy" if action_for(error) is Action.RETRY else "refused"
        case _:
            return "defect"
