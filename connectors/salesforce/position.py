"""Where the source stands: replay ids by topic, and what is still to be read in keyset order.

{"replay": {topic: base64}, "seen": {topic: stamp}, "walks": [{"object", "reason", "since", "after", "deleted"}]}
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from connectors.contract import Position
from connectors.errors import ConfigError
from connectors.salesforce.changes import LINE, ORDER
from schemas.document import Value

BACKFILL, RESYNC, RECONCILE = "backfill", "resync", "reconcile"

OVERLAP = datetime.timedelta(minutes=5)
"""Read again before the last known stamp: a long transaction shows its records late (contract section 2)."""


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
    """The position as values; `seen` is the commit time of the newest event that was read from a topic."""

    replay: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    walks: tuple[Walk, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether the backfill of the first start is done."""
        return not any(walk.reason == BACKFILL for walk in self.walks)

    def advanced(self, topic: str, replay: str, commit_us: int = 0) -> Standing:
        """After some events, or a keep-alive, of a topic."""
        seen = dict(self.seen)
        if commit_us:
            seen[topic] = max(seen.get(topic, ""), stamp_of(commit_us))
        return replace(self, replay={**self.replay, topic: replay}, seen=seen)

    def forgotten(self, topic: str) -> Standing:
        """After the topic's replay id was refused: it is never used again, and what it would have told is read."""
        replay = {name: value for name, value in self.replay.items() if name != topic}
        seen = self.seen.get(topic)
        since = None if seen is None else before(seen)
        walks = tuple(walk for walk in self.walks if walk.reason != RECONCILE or earlier(walk.since, since))
        wanted = tuple(Walk(name, RECONCILE, since) for name in (ORDER, LINE))
        missing = tuple(walk for walk in wanted if not any(_covers(other, walk) for other in walks))
        return replace(self, replay=replay, walks=walks + missing)

    def resyncing(self) -> Standing:
        """With everything to be read again from the start."""
        others = tuple(walk for walk in self.walks if walk.reason != RESYNC)
        return replace(self, walks=(*others, Walk(ORDER, RESYNC)))

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
        return {"replay": dict(self.replay), "seen": dict(self.seen), "walks": walks}


FIRST_START = Standing(walks=(Walk(ORDER, BACKFILL, deleted=False),))


def standing_of(position: Position) -> Standing:
    """The standing in a stored position. Raises ConfigError for a position that is not one of ours."""
    try:
        walks = tuple(_walk(item) for item in cast("list[Mapping[str, Value]]", position["walks"]))
        replay = cast("Mapping[str, str]", position["replay"])
        return Standing(dict(replay), dict(cast("Mapping[str, str]", position["seen"])), walks)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            "position", f"is none of the Salesforce source ({error!r}).", "Reset the source's position to start anew."
        ) from error


def _walk(item: Mapping[str, Value]) -> Walk:
    after, since = item["after"], item["since"]
    pair = None if after is None else cast("tuple[str, str]", tuple(cast("list[str]", after)))
    return Walk(str(item["object"]), str(item["reason"]), cast("str | None", since), pair, bool(item["deleted"]))


def _covers(walk: Walk, wanted: Walk) -> bool:
    """Whether a walk that has not begun reads all that is wanted."""
    same = walk.object == wanted.object and walk.after is None and walk.deleted
    return same and earlier(walk.since, wanted.since)


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
