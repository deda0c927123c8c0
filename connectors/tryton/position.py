"""Where the reading of a company stands: small, bounded, and enough to lose nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from pydantic import TypeAdapter, ValidationError

from connectors.contract import Position
from connectors.errors import PositionRefused
from schemas.document import to_json


@dataclass(frozen=True)
class Look:
    """The running look for changes, and what the earlier ones made certain. Stamps: the server's, UTC microseconds.

    Whatever was stamped before `since_us` has been emitted. The running look began at `began_us` and goes through the
    models one by one, each by stamp and id: `model` is the one being read ("" before the first), `stamp_us` and `id`
    are those of the last record read in it. `backfilled` turns true when the first look has ended.
    """

    since_us: int = 0
    began_us: int = 0
    model: str = ""
    stamp_us: int = 0
    id: int = 0
    backfilled: bool = False

    @classmethod
    def parse(cls, position: Position | None) -> Look:
        """The look of a position; a first start has none. Raises PositionRefused on what is no position of ours."""
        if position is None:
            return cls()
        try:
            return _LOOK.validate_json(to_json(position), strict=True, extra="forbid")
        except ValidationError as error:
            raise PositionRefused(f"this is no position of a Tryton source: {to_json(position)[:200]}") from error

    def position(self) -> Position:
        """The look as JSON."""
        return asdict(self)

    def begun(self, model: str, now_us: int) -> Look:
        """The look at its first model. A clock that was set back moves nothing back."""
        return replace(self, began_us=max(now_us, self.began_us), model=model, stamp_us=0, id=0)

    def at(self, model: str, stamp_us: int = 0, id: int = 0) -> Look:
        """Behind that record of that model."""
        return replace(self, model=model, stamp_us=stamp_us, id=id)

    def ended(self, overlap_us: int) -> Look:
        """Between two looks. A change may be stamped with its transaction's start, so the last while stays open."""
        return Look(max(self.since_us, self.began_us - overlap_us), self.began_us, backfilled=True)


_LOOK = TypeAdapter(Look)
