"""What a fuzzed input is, how it may end, and what a surface promises.

accepted   the input was good after all, or good enough
parked     it is kept with a cause and an owner
refused    it is turned away with a sentence that somebody can act on

Everything else is a crash: an exception that is none of the surface's own, or a sentence that teaches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from random import Random

LONGEST_SENTENCE = 4_500  # what a parked record keeps of its reason, and the place in front of it

TEACHES_NOTHING = re.compile(
    r"""^'[^']*'$                        # a bare KeyError
    | Traceback | MemoryError | RecursionError | AssertionError | UnboundLocalError
    | object\ has\ no\ attribute | object\ is\ not\ | indices\ must\ be | unhashable
    | unsupported\ operand | takes\ \d+\ positional | maximum\ recursion | <class\ '
    """,
    re.VERBOSE,
)


class End(StrEnum):
    """How an input may end."""

    ACCEPTED = "accepted"
    PARKED = "parked"
    REFUSED = "refused"


@dataclass(frozen=True)
class Ending:
    """How one input ended, and the sentence that a person reads about it."""

    end: End
    told: str = ""


ACCEPTED = Ending(End.ACCEPTED)


class Unclear(Exception):
    """The input was turned away with a sentence that teaches nothing."""


@dataclass(frozen=True)
class Case:
    """One input as it is saved for a repeat, and what is done with it."""

    shown: bytes
    play: Callable[[], Ending]


Maker = Callable[[Random], Case]


@dataclass(frozen=True)
class Surface:
    """One place where foreign input comes in. `share` is its part of all inputs; `open` gives what makes a case.

    A case depends on the given randomness alone, so that one number repeats it.
    """

    name: str
    share: int
    open: Callable[[], AbstractContextManager[Maker]]


def refused(error: Exception | str) -> Ending:
    """Turned away by an error of the surface's own."""
    return Ending(End.REFUSED, str(error))


def check(ending: Ending) -> Ending:
    """The ending. Raises Unclear where its sentence teaches nothing."""
    told = ending.told
    if ending.end is End.ACCEPTED:
        return ending
    if not told.strip() or " " not in told.strip():
        raise Unclear(f"no sentence: {told!r}")
    if len(told) > LONGEST_SENTENCE:
        raise Unclear(f"{len(told)} characters: {told[:200]!r} …")
    if found := TEACHES_NOTHING.search(told):
        raise Unclear(f"{found.group()!r} teaches nothing: {told[:600]!r}")
    return ending
