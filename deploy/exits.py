"""The one place that turns an error into what a person reads and the code that a script sees.

0 good · 1 found something · 2 wrong use or configuration · 3 a far side not reachable
"""

from __future__ import annotations

FOUND, WRONG, UNREACHABLE = 1, 2, 3


class Refused(Exception):
    """A command cannot do what was asked. The message says what is wrong and what to do; `code` is the exit code."""

    def __init__(self, problem: str, remedy: str, code: int = WRONG) -> None:
        super().__init__(f"{problem}\n    {remedy}")
        self.code = code


def _codes() -> tuple[tuple[type[Exception], int], ...]:
    """The first row that fits decides. Imported only where something went wrong: every command starts quicker."""
    from connectors.errors import AuthError, ConfigError, FarError, TransientError, UnknownOutcome
    from deploy.kafka import BrokerError, JarsUnreachable
    from deploy.project_problems import ProjectError
    from mappings.problems import DefinitionError
    from schemas.registry import RegistryError
    from streams.kafka.transaction import Aborted, Fenced, TooLarge, Unsettled
    from streams.stopping import MustStop

    return (
        (JarsUnreachable, UNREACHABLE),
        (BrokerError, WRONG),
        (ProjectError, WRONG),
        (DefinitionError, WRONG),
        (ConfigError, WRONG),
        (AuthError, WRONG),
        (TransientError, UNREACHABLE),
        (UnknownOutcome, UNREACHABLE),
        (FarError, FOUND),
        (MustStop, WRONG),
        (Fenced, FOUND),
        (TooLarge, WRONG),
        (Aborted, UNREACHABLE),
        (Unsettled, UNREACHABLE),
        (ConnectionError, UNREACHABLE),
        (RegistryError, WRONG),
        (OSError, WRONG),
    )


def code_of(error: Exception) -> int | None:
    """The exit code of an error that a person can do something about; None for a defect of ours."""
    if isinstance(error, Refused):
        return error.code
    return next((code for kind, code in _codes() if isinstance(error, kind)), None)
