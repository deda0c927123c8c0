"""What can be wrong with a definition, and with one record that a definition meets.

DefinitionError      a file is wrong: nothing is activated; every problem of every file, with its place
MappingFailed        one record cannot be mapped: it is parked with its cause, the others go on
└── cause            required_missing · bad_value · unknown_code · unknown_reference
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

SHOWN_NAMES = 30


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in one definition file. `line` and `column` count from 1; `field` may be empty."""

    file: str
    line: int
    column: int
    field: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        subject = f"{self.field} {self.message}" if self.field else self.message
        sentence = subject.rstrip(".")  # a message that lists names has its full stop already
        return f"{self.file}:{self.line}: {sentence}. {self.remedy}".rstrip()


class DefinitionError(Exception):
    """Definitions that cannot be used, with everything that is wrong with them in the order of the files."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda each: (each.file, each.line, each.column)))
        super().__init__("\n".join(str(each) for each in self.problems))


class Cause(StrEnum):
    """Why one record cannot be mapped; each has its own owner and its own way to be redriven."""

    REQUIRED_MISSING = "required_missing"
    BAD_VALUE = "bad_value"
    UNKNOWN_CODE = "unknown_code"
    UNKNOWN_REFERENCE = "unknown_reference"


class Refusal(Exception):
    """A value that an operation cannot take; the field that was being made is added on the way out."""

    def __init__(self, cause: Cause, message: str, waits_for: str | None = None) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message
        self.waits_for = waits_for


class MappingFailed(Exception):
    """One record cannot be mapped.

    `field` is the target's field, e.g. `lines[2].quantity`. `waits_for` names what would make it succeed: a
    reference (`items/ABC`, `links/unit|crm|Each|plant-a`) or a code table (`codes/priority`), else None.
    """

    def __init__(self, field: str, cause: Cause, message: str, waits_for: str | None = None) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.cause = cause
        self.message = message
        self.waits_for = waits_for

    def inside(self, outer: str) -> MappingFailed:
        """The same failure seen from the record around it."""
        return MappingFailed(f"{outer}.{self.field}", self.cause, self.message, self.waits_for)


def nearest(name: str, names: Iterable[str], where: str = "") -> str:
    """The remedy for a name that does not exist: the nearest that does, then all of them."""
    known = sorted(set(names))
    if not known:
        return f"There are none{where}."
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    near = f"Nearest: {close[0]}. " if close else ""
    shown = ", ".join(known[:SHOWN_NAMES]) + (", …" if len(known) > SHOWN_NAMES else "")
    return f"{near}There {'is' if len(known) == 1 else 'are'}{where}: {shown}."
