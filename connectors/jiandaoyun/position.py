"""Where a sweep stands: small, bounded, and enough to lose nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from pydantic import TypeAdapter, ValidationError

from connectors.contract import Position
from connectors.errors import PositionRefused
from schemas.document import to_json


@dataclass(frozen=True)
class Sweep:
    """The running sweep and what the earlier ones made certain. Stamps are the vendor's, UTC microseconds.

    `cursor` is the last id that was read, "" at the start of a sweep. `done_us` is certain: whatever changed before
    it has been emitted. `start_us` was the newest stamp known when the running sweep began and `seen_us` is the
    newest known now; none of them lies beyond what both clocks have passed. `backfilled` turns true when the first
    sweep has ended. `witnesses`: see connectors.witnesses.
    """

    cursor: str = ""
    done_us: int = 0
    start_us: int = 0
    seen_us: int = 0
    backfilled: bool = False
    witnesses: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, position: Position | None) -> Sweep:
        """The sweep of a position; a first start has none. Raises PositionRefused on what is no position of ours."""
        if position is None:
            return cls()
        try:
            return _SWEEP.validate_json(to_json(position), strict=True, extra="forbid")
        except ValidationError as error:
            text = f"this is no position of a JianDaoYun source: {to_json(position)[:200]}"
            raise PositionRefused(text) from error

    def position(self) -> Position:
        """The sweep as JSON."""
        return asdict(self)

    def after_page(self, last_id: str, newest_us: int) -> Sweep:
        """The sweep behind a page that ended with `last_id`."""
        return replace(self, cursor=last_id, seen_us=max(self.seen_us, newest_us))

    def not_beyond(self, certain_us: int) -> Sweep:
        """The same where no stamp lies beyond a time that both clocks have passed.

        A clock that ran ahead would otherwise carry the position to where later changes are taken for known ones.
        """
        done, start, seen = (min(each, certain_us) for each in (self.done_us, self.start_us, self.seen_us))
        return replace(self, done_us=done, start_us=start, seen_us=seen)

    def ended(self) -> Sweep:
        """The start of the next sweep.

        What changed while this sweep ran may lie behind its cursor, but it is stamped no earlier than the newest
        stamp that was known when the sweep began: so that one becomes certain, not the newest seen.
        """
        return Sweep("", self.start_us, self.seen_us, self.seen_us, True, self.witnesses)


_SWEEP = TypeAdapter(Sweep)
