"""The schedule of a run: which kinds are drawn, in which order, from a seed alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos import kinds_definitions, kinds_far, kinds_kafka, kinds_links, kinds_roles
from tests.chaos.kind import Kind


@dataclass(frozen=True)
class Draw:
    """One fault of the schedule, with dice of its own."""

    number: int
    kind: Kind
    seed: str

    @property
    def dice(self) -> random.Random:
        """The same numbers at every call."""
        return random.Random(self.seed)


def kinds() -> list[Kind]:
    """Every kind there is."""
    modules = (kinds_roles, kinds_kafka, kinds_links, kinds_far, kinds_definitions)
    return [kind for module in modules for kind in module.kinds()]


def brokers_of(seed: int) -> int:
    """One broker or three, by the seed."""
    return 3 if seed % 2 else 1


def schedule(seed: int, faults: int, brokers: int, only: Sequence[str] = ()) -> list[Draw]:
    """`faults` draws: every kind once before any comes again. `only` keeps names that hold one of these texts."""
    known = [each for each in kinds() if brokers in each.worlds]
    known = [each for each in known if not only or any(text in each.name for text in only)]
    dice, drawn = random.Random(f"nemesis-{seed}"), list[Kind]()
    while len(drawn) < faults:
        drawn += dice.sample(known, len(known))
    return [Draw(number, kind, f"{seed}-{number}") for number, kind in enumerate(drawn[:faults], 1)]
