"""A rule: one promise of a connector, why the bus needs it, and the function that finds out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import cleandoc
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from connectors.testing.conformance.desk import Desk

Side = Literal["connector", "source", "sink", "webhook"]
Check: TypeAlias = "Callable[[Desk], None]"


class Broken(Exception):
    """The rule is broken: one sentence that says what came, what had to come, and what to change."""


class DoesNotApply(Exception):
    """The rule has no object in this connector; the message is the reason."""


class NotYet(Exception):
    """The rule waits for the bench's maker; the message is what is to be done."""


@dataclass(frozen=True)
class Rule:
    """One promise.

    `what` is the promise, `why` what happens on the bus without it, `side` what a connector must have for it.
    A rule that is `alone` gets a far system of its own, empty at the start; a `long` one takes its time. Where the
    bench has not the ability that it `needs` (of `connectors.testing.abilities`), none is started to find that out.
    """

    name: str
    what: str
    why: str
    check: Check
    side: Side
    alone: bool = False
    long: bool = False
    needs: type | None = None

    def __str__(self) -> str:
        return self.name


def rule(
    side: Side, why: str, *, alone: bool = False, long: bool = False, needs: type | None = None
) -> Callable[[Check], Rule]:
    """Makes a rule of a function `(desk) -> None` that raises Broken or DoesNotApply; its docstring is `what`."""

    def made(check: Check) -> Rule:
        what = " ".join(cleandoc(check.__doc__ or "").split())
        return Rule(check.__name__.replace("_", "-"), what, why, check, side, alone, long, needs)

    return made
