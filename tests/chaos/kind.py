"""What a kind of fault is: how it strikes, what shows that it was felt, and how it is mended."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from tests.chaos.world import World

Felt: TypeAlias = Callable[[], str]
"""The evidence in a few words; empty while nothing is felt."""


def nothing() -> None:
    """Nothing has to be mended."""


@dataclass(frozen=True)
class Strike:
    """One fault under way. `mended` is asked after `heal` until it is true; the next of its group waits for it.

    A `lasting` one is held until enough is in flight; any other has to be felt at a moment when enough is.
    """

    target: str
    felt: Felt
    heal: Callable[[], None] = nothing
    mended: Callable[[], bool] = lambda: True
    hold_s: float = 0.0
    lasting: bool = False
    patience_s: float = 40.0


@dataclass(frozen=True)
class Kind:
    """One kind of fault. Two faults that share a group never overlap; `brokers` says in which cluster it exists.

    `worlds` are the numbers of brokers where it can happen, `explains` texts of parked records that follow from it.
    """

    name: str
    groups: Sequence[str]
    strike: Callable[[World, random.Random], Strike]
    worlds: Sequence[int] = (1, 3)
    explains: Sequence[str] = field(default_factory=tuple)


def until(condition: Callable[[], bool], seconds: float, every_s: float = 0.1) -> bool:
    """Whether it came true within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True
