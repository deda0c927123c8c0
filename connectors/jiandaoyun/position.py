"""Where a sweep stands: small, bounded, and enough to lose nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from pydantic import TypeAdapter

from connectors.contract import Position
from connectors.positions import parsed


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
        return cls() if position is None else parsed(position, _SWEEP, "JianDaoYun")

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
