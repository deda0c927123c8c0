"""Where the source stands: replay ids by topic, and what is still to be read in keyset order.

{"replay": {topic: base64}, "seen": {topic: stamp}, "walks": [{"object", "reason", "since", "after", "deleted"}],
 "witnesses": {id: UTC microseconds}}
"""

from __future__ import annotations

import base64
import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import AfterValidator, TypeAdapter
from typing_extensions import TypedDict

from connectors.contract import Position
from connectors.positions import parsed
from connectors.salesforce.changes import LINE, ORDER
from schemas.document import Value

BACKFILL, RESYNC, RECONCILE = "backfill", "resync", "reconcile"

OVERLAP = datetime.timedelta(hours=2)
"""Read again before the last known stamp: a long transaction shows its records late (contract section 2), and its
clock may have gone back by so much while nobody looked."""


@dataclass(frozen=True)
class Walk:
    """One reading of an object ordered by (SystemModstamp, Id), resumable behind `after`.

    `since` is the stamp it begins at, None for the beginning of time. `deleted` walks see the recycle bin too.
    """

    object: str
    reason: str
    since: str | None = None
    after: tuple[str, str] | None = None
    deleted: bool = True


@dataclass(frozen=True)
class Standing:
    """The position as values.

    `seen` is the commit time of the newest event that was read from a topic, or when it was first subscribed; never
    beyond what both clocks have passed. `witnesses`: see connectors.witnesses.
    """

    replay: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    walks: tuple[Walk, ...] = ()
    witnesses: Mapping[str, int] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether the backfill of the first start is done."""
        return not any(walk.reason == BACKFILL for walk in self.walks)

    def begun(self, topics: Iterable[str], certain_us: int) -> Standing:
        """A first start: what changes from now on is told by events, what was before is walked."""
        return replace(self, seen=dict.fromkeys(topics, stamp_of(certain_us)))

    def advanced(self, topic: str, replay: str, commit_us: int = 0) -> Standing:
        """After some events, or a keep-alive, of a topic."""
        seen = dict(self.seen)
        if commit_us:
            seen[topic] = max(seen.get(topic, ""), stamp_of(commit_us))
        return replace(self, replay={**self.replay, topic: replay}, seen=seen)

    def not_beyond(self, certain_us: int) -> Standing:
        """The same where no stamp lies beyond a time that both clocks have passed.

        A clock that ran ahead would otherwise carry a resync past what is changed after it was set right.
        """
        most = stamp_of(certain_us)
        return replace(self, seen={topic: min(stamp, most) for topic, stamp in self.seen.items()})

    def forgotten(self, topic: str) -> Standing:
        """After the topic's replay id was refused: it is never used again, and what it would have told is read."""
        replay = {name: value for name, value in self.replay.items() if name != topic}
        seen = self.seen.get(topic)
        since = None if seen is None else before(seen)
        walks = tuple(walk for walk in self.walks if walk.reason != RECONCILE or earlier(walk.since, since))
        for name in (ORDER, LINE):
            walks = _with(walks, Walk(name, RECONCILE, since))
        return replace(self, replay=replay, walks=walks)

    def resyncing(self) -> Standing:
        """With every order to be read again. A resync that is under way goes on, so that it ends however often."""
        return replace(self, walks=_with(self.walks, Walk(ORDER, RESYNC)))

    def resyncing_recent(self, topic: str) -> Standing:
        """With what changed since the topic's last event to be read again."""
        since = self.seen.get(topic)
        walks = self.walks
        for name in (ORDER, LINE):
            walks = _with(walks, Walk(name, RESYNC, None if since is None else before(since)))
        return replace(self, walks=walks)

    def walked(self, after: tuple[str, str] | None) -> Standing:
        """After a page of the first walk; None ends it."""
        rest = self.walks[1:]
        return replace(self, walks=rest if after is None else (replace(self.walks[0], after=after), *rest))

    def to_position(self) -> Position:
        """As JSON."""
        walks: list[Value] = [
            {
                "object": walk.object,
                "reason": walk.reason,
                "since": walk.since,
                "after": None if walk.after is None else list(walk.after),
                "deleted": walk.deleted,
            }
            for walk in self.walks
        ]
        return {
            "replay": dict(self.replay),
            "seen": dict(self.seen),
            "walks": walks,
            "witnesses": dict(self.witnesses),
        }


FIRST_START = Standing(walks=(Walk(ORDER, BACKFILL, deleted=False),))


def standing_of(position: Position) -> Standing:
    """The standing in a stored position. Raises PositionRefused for a position that is not one of ours."""
    found = parsed(position, _STORED, "Salesforce")
    walks = tuple(Walk(**walk) for walk in found["walks"])
    return Standing(found["replay"], found["seen"], walks, found["witnesses"])


def _is_replay_id(text: str) -> str:
    base64.b64decode(text, validate=True)
    return text


def _is_stamp(text: str) -> str:
    try:
        stamp_of(time_us_of(text))
    except OverflowError as error:
        raise ValueError("a time in the years 1970 to 9999 is expected") from error
    return text


def _is_plain(text: str) -> str:
    if not text.isalnum():
        raise ValueError("an id has letters and digits only")
    return text


Replay = Annotated[str, AfterValidator(_is_replay_id)]
Stamp = Annotated[str, AfterValidator(_is_stamp)]
Id = Annotated[str, AfterValidator(_is_plain)]


class _StoredWalk(TypedDict):
    object: Literal["Order", "OrderItem"]
    reason: Literal["backfill", "resync", "reconcile"]
    since: Stamp | None
    after: tuple[Stamp, Id] | None
    deleted: bool


class _Stored(TypedDict):
    replay: dict[str, Replay]
    seen: dict[str, Stamp]
    walks: list[_StoredWalk]
    witnesses: dict[str, int]


_STORED = TypeAdapter(_Stored)


def _with(walks: tuple[Walk, ...], wanted: Walk) -> tuple[Walk, ...]:
    """The walks, and the wanted one where none of them reads all of it."""
    return walks if any(_covers(walk, wanted) for walk in walks) else (*walks, wanted)


def _covers(walk: Walk, wanted: Walk) -> bool:
    """Whether a walk still reads all that is wanted: what changes while it runs moves to its end."""
    same = walk.object == wanted.object and walk.deleted
    unread = walk.after is None or (
        wanted.since is not None and time_us_of(walk.after[0]) <= time_us_of(wanted.since)
    )
    return same and unread and earlier(walk.since, wanted.since)


def earlier(one: str | None, other: str | None) -> bool:
    """Whether a walk since `one` reads at least as much as one since `other`; None is the beginning of time."""
    return one is None or (other is not None and one <= other)


def stamp_of(time_us: int) -> str:
    """UTC microseconds as a SOQL datetime."""
    moment = datetime.datetime.fromtimestamp(time_us / 1e6, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def time_us_of(stamp: str) -> int:
    """A REST datetime (2026-05-01T08:00:00.000+0000) as UTC microseconds."""
    moment = datetime.datetime.fromisoformat(stamp)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def before(stamp: str) -> str:
    """The stamp less the overlap."""
    return stamp_of(time_us_of(stamp) - int(OVERLAP.total_seconds()) * 1_000_000)
