"""What a database's error means, by its SQLSTATE (PostgreSQL's appendix A; the classes are the standard's)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy.exc import DataError as BadValue
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
    StatementError,
)

from connectors.errors import AuthError, ConfigError, DataError, FarError, Throttled, TransientError, UnknownOutcome

ROLLED_BACK = ("40001", "40P01")
"""The database says itself that nothing of the transaction was kept."""


def error_of(error: SQLAlchemyError, committing: bool = False) -> FarError:
    """What an error means; while `committing`, one that says nothing about the commit leaves its outcome open."""
    state = sqlstate(error)
    said = f"{_said(error)} (SQLSTATE {state})" if state else _said(error)
    meaning = SQLSTATES.get(state) or SQLSTATES.get(state[:2]) or _by_phrase(said) or _by_class(error)
    found = meaning(said)
    if committing and isinstance(found, TransientError) and state not in ROLLED_BACK:
        return UnknownOutcome(f"nobody knows whether it was committed: {said}")
    return found


def sqlstate(error: SQLAlchemyError) -> str:
    """The five characters that a database gives its error; "" where its driver does not tell."""
    found = getattr(getattr(error, "orig", None), "sqlstate", None)
    return found if isinstance(found, str) else ""


def _said(error: SQLAlchemyError) -> str:
    """The first line: those behind it show the row, and its values are nobody's business in a log."""
    cause = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    lines = str(cause).strip().splitlines()
    return lines[0] if lines else type(cause).__name__


def _refused(said: str) -> FarError:
    return DataError(said, code="refused")


def _settings(said: str) -> FarError:
    return ConfigError("read and write", f"{said}.", "Compare the tables, columns and rights with the database's.")


def _login(said: str) -> FarError:
    return AuthError(f"{said}: compare url, password and the user's rights")


def _by_phrase(said: str) -> Callable[[str], FarError] | None:
    return next((meaning for phrase, meaning in PHRASES.items() if phrase in said), None)


def _by_class(error: SQLAlchemyError) -> Callable[[str], FarError]:
    if isinstance(error, IntegrityError | BadValue):
        return _refused
    if isinstance(error, ProgrammingError | NotSupportedError):
        return _settings
    if isinstance(error, StatementError) and not isinstance(error, DBAPIError):
        return _refused  # the driver was never asked: a value that cannot be sent
    return TransientError


SQLSTATES: Mapping[str, Callable[[str], FarError]] = {
    "08": TransientError,  # connection exceptions
    "0A": _settings,  # feature not supported
    "22": _refused,  # data exceptions: too long, out of range
    "23": _refused,  # not null, foreign key, unique, check, exclusion
    "25": TransientError,  # read-only after a failover, idle too long
    "28": _login,
    "3D000": _settings,  # no such database
    "3F": _settings,  # no such schema
    "40": TransientError,  # rolled back: serialization 40001, deadlock 40P01
    "42": _settings,  # undefined table or column, wrong type
    "42501": _login,  # insufficient privilege
    "44": _refused,  # WITH CHECK OPTION
    "53": TransientError,  # out of disk or memory
    "53300": Throttled,  # too many connections
    "54": _refused,  # a row too large
    "55P03": TransientError,  # lock not available in time
    "55": TransientError,
    "57": TransientError,  # canceled, shut down, starting up
    "58": TransientError,  # system error
    "P0001": _refused,  # a trigger's own refusal
    "XX": TransientError,
}

PHRASES: Mapping[str, Callable[[str], FarError]] = {
    "authentication failed": _login,
    "no password supplied": _login,
    "is not permitted to log in": _login,
    "no pg_hba.conf entry": _login,
    "too many clients": Throttled,
    "too many connections": Throttled,
    '" does not exist': _settings,
}
"""libpq tells no SQLSTATE while it connects. In another language than English its words fall to TransientError."""
