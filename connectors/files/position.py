"""Where the reading of a drop folder stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from pydantic import TypeAdapter

from connectors.contract import Position
from connectors.positions import parsed


@dataclass(frozen=True)
class Progress:
    """The file that is being read, and the finished ones that still lie in the folder.

    `file` is its name ("" between files), `content` its hash and `line` the last line that was emitted. `finished`
    maps names to hashes; it stays small, for a finished file is moved away. `backfilled` turns true when the folder
    was first seen with nothing left to read. `replay` is the last file of done/ that a first start has read again, ""
    before the first of them, None once that is over.
    """

    file: str = ""
    content: str = ""
    line: int = 0
    finished: Mapping[str, str] = field(default_factory=dict)
    backfilled: bool = False
    replay: str | None = None

    @classmethod
    def parse(cls, position: Position | None) -> Progress:
        """The progress of a position; a first start has none. Raises PositionRefused on any other."""
        return cls(replay="") if position is None else parsed(position, _PROGRESS, "files")

    def position(self) -> Position:
        """The progress as JSON."""
        return {**asdict(self), "finished": dict(self.finished)}

    def at(self, file: str, content: str, line: int) -> Progress:
        """Behind that line of that file."""
        return replace(self, file=file, content=content, line=line)

    def after_file(self) -> Progress:
        """Behind the last line of the file."""
        if self.replay is not None:
            return replace(self, file="", content="", line=0, replay=self.file)
        finished = {**self.finished, self.file: self.content}
        return replace(self, file="", content="", line=0, finished=finished)


_PROGRESS = TypeAdapter(Progress)
