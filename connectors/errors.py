"""What can go wrong with a far system, in the words that decide what happens next.

FarError
├── ConfigError      refuse to start: a person changes the configuration
├── TransientError   try again after a while
│   └── Throttled    … not before `retry_after_s`
├── AuthError        renew the login once, then pause and tell
├── Conflict         somebody else changed the record: read again
├── DataError        this record can never succeed: park it
├── LostCursor       the position is too old or damaged: bounded resync
├── PositionRefused  the far system is not the one, or not as new, as the position says: only a person may go on
└── UnknownOutcome   it may have happened: look it up before sending again
"""

from __future__ import annotations

LONGEST_MESSAGE = 2_000


class FarError(Exception):
    """A far system could not do what was asked; the class says what that means.

    What a far system says is shown as far as a person reads it: an answer of megabytes must not fill logs and topics.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(brief(message))


class ConfigError(FarError):
    """The configuration is wrong. The message names the field; `remedy` says what to change."""

    def __init__(self, field: str, problem: str, remedy: str) -> None:
        self.problem = brief(problem, LONGEST_MESSAGE // 2)  # the remedy behind it is read as well
        super().__init__(f"{field}: {self.problem} {remedy}".strip())
        self.field = field
        self.remedy = remedy


class TransientError(FarError):
    """It will pass by itself. `retry_after_s` is the far system's own wish, None where it said nothing."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Throttled(TransientError):
    """The far system asked for fewer calls."""


class AuthError(FarError):
    """The login is refused, also after it was renewed once."""


class Conflict(FarError):
    """The far record changed since it was read."""


class DataError(FarError):
    """This one record can never succeed as it is. `code` is the far system's own error code."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class LostCursor(FarError):
    """The far system no longer knows the position; everything since must be read again."""


class PositionRefused(FarError):
    """The position does not fit the far system: restored from a backup, or another. A person drops the position."""


class UnknownOutcome(FarError):
    """A write timed out and nobody knows whether it happened."""


def brief(text: str, longest: int = LONGEST_MESSAGE) -> str:
    """The text as far as a person reads it, in characters that can be encoded: half a one is escaped."""
    shown = text[:longest].encode("utf-8", "backslashreplace").decode()
    return shown if len(text) <= longest else f"{shown} … ({len(text):,} characters)"
