"""Where the reading of a database stands: for each feed its newest row, and the place of a run that is under way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pydantic import TypeAdapter

from connectors.contract import Position
from connectors.positions import parsed


@dataclass(frozen=True)
class Reached:
    """`since` is the newest time or number that was read, `after` the last row of the run, `done` after the first."""

    since: str | None = None
    after: list[str] | None = None
    done: bool = False


@dataclass(frozen=True)
class Progress:
    """What each feed has reached, by its name. A feed that is not there has not begun."""

    feeds: Mapping[str, Reached] = field(default_factory=dict)

    @classmethod
    def parse(cls, position: Position | None) -> Progress:
        """The progress of a position; a first start has none. Raises PositionRefused on any other."""
        return cls() if position is None else parsed(position, _PROGRESS, "SQL")

    def position(self) -> Position:
        """The progress as JSON."""
        return {"feeds": {name: vars(reached) for name, reached in self.feeds.items()}}

    def at(self, feed: str, reached: Reached) -> Progress:
        """The progress once that feed has reached something else."""
        return replace(self, feeds={**self.feeds, feed: reached})


_PROGRESS = TypeAdapter(Progress)
