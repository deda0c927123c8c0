"""Which parked records a command is about: by id, by stage, cause, destination, age and order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, cast

import typer

from deploy.exits import FOUND, Refused

if TYPE_CHECKING:
    from streams.bus import Bus
    from streams.parked import ParkedRecord

AGE = re.compile(r"(\d+)([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]…", help="The ids, as `parked list` shows them.")]
Stage = Annotated[str | None, typer.Option(help="Only what this stage has parked, e.g. pipeline or source.crm.")]
Cause = Annotated[str | None, typer.Option(help="Only what has this cause, e.g. unknown_reference.")]
Destination = Annotated[str | None, typer.Option(help="Only what is on its way into this system, e.g. plant-a.")]
Age = Annotated[
    str | None, typer.Option("--older-than", metavar="AGE", help="Only what was parked longer ago: 90s, 30m, 2h, 3d.")
]
Order = Annotated[str | None, typer.Option(help="Only what belongs to this order: its key, number or reference.")]


@dataclass(frozen=True)
class Filters:
    """What a record must be to be meant; None does not ask. Raises Refused for an age that is none."""

    stage: str | None = None
    cause: str | None = None
    destination: str | None = None
    older_than: str | None = None
    order: str | None = None

    def __post_init__(self) -> None:
        if self.older_than is not None:
            _age_us(self.older_than)

    def __bool__(self) -> bool:
        return any(getattr(self, each.name) is not None for each in fields(self))

    def chosen(self, bus: Bus) -> list[ParkedRecord]:
        """What is parked now and fits, oldest first. Raises Refused for a word that does not exist."""
        from streams.clock import now_us
        from streams.parked import parked_now
        from streams.trace import belongs_to

        self._check(bus)
        newest = None if self.older_than is None else now_us() - _age_us(self.older_than)
        return [
            each
            for each in parked_now(bus)
            if self.stage in (None, each.stage)
            and self.cause in (None, each.value["cause"])
            and self.destination in (None, each.destination)
            and (newest is None or cast("int", each.value["first_at"]) <= newest)
            and (self.order is None or belongs_to(each, self.order))
        ]

    def _check(self, bus: Bus) -> None:
        from mappings.problems import nearest
        from streams.outcome import OWNERS
        from streams.parked import stages

        known = {
            "--stage": (self.stage, stages(bus)),
            "--cause": (self.cause, [str(cause) for cause in OWNERS]),
            "--destination": (self.destination, bus.sinks),
        }
        for option, (word, words) in known.items():
            if word is not None and word not in words:
                raise Refused(f"{option} {word}: there is no such word.", nearest(word, words))


def _age_us(text: str) -> int:
    found = AGE.fullmatch(text)
    if found is None:
        raise Refused(
            f"--older-than {text}: this is no age.", "Write a whole number and s, m, h or d: 90s, 30m, 2h, 3d."
        )
    return int(found[1]) * SECONDS[found[2]] * 1_000_000


def named(parked: Sequence[ParkedRecord], ids: Sequence[str]) -> list[ParkedRecord]:
    """The records of these ids. Raises Refused (exit 1) where one is not parked, or not any more."""
    by_id = {each.parked_id: each for each in parked}
    missing = [each for each in ids if each not in by_id]
    if missing:
        problem = f"nothing is parked under {', '.join(map(repr, missing))}."
        raise Refused(problem, "It may have been resolved; `lineshaft parked list` shows what is parked now.", FOUND)
    return [by_id[each] for each in dict.fromkeys(ids)]
