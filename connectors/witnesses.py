"""Witnesses: the newest records a source has read, by which it notices that its far system went back in time.

A restore of an old backup leaves the system's identity as it was and may leave the place in the change feed good; the
newest records, though, are then older than they were, or gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from connectors.errors import PositionRefused
from connectors.far_clock import TOLERANCE_S, FarClock

KEPT = 5
GONE_TOGETHER = 3
"""So many newest records are not deleted by chance while nobody looks; fewer may be."""


def witnesses(
    known: Mapping[str, int], read: Mapping[str, int], gone: Iterable[str], clock: FarClock
) -> dict[str, int]:
    """The newest records (id → stamp, UTC microseconds) after some more were `read` and others are `gone`.

    A stamp that no clock has reached yet says nothing about what is newest.
    """
    believed = {name: stamp for name, stamp in read.items() if stamp <= clock.certain_us + TOLERANCE_S * 1e6}
    left = {**known, **believed}
    for name in gone:
        left.pop(name, None)
    newest = sorted(left, key=lambda name: (left[name], name), reverse=True)[:KEPT]
    return {name: left[name] for name in sorted(newest)}


def check_not_gone_back(known: Mapping[str, int], there: Mapping[str, int], clock: FarClock) -> None:
    """Compare witnesses with the stamps of the same records now; a record that is gone has none.

    Raises PositionRefused where none stands as it was and some are older or too many are gone. A clock that is behind
    the stamps explains them, so it refuses nothing.
    """
    if any(there.get(name, -1) >= stamp for name, stamp in known.items()):
        return
    older = [name for name, stamp in known.items() if name in there and clock.certain_us > stamp]
    gone = [name for name in known if name not in there]
    if not older and len(gone) < GONE_TOGETHER:
        return
    name = max(known, key=lambda each: known[each])
    now = f"of {_shown(there[name])}" if name in there else "gone"
    raise PositionRefused(
        f"the far system went back in time: of the newest records {len(older)} are older than they were and "
        f"{len(gone)} are gone (record {name} was of {_shown(known[name])} and is {now}). It was restored from an "
        "old backup, or its user no longer sees them. Nothing was cancelled. Give the user its rights back, or have "
        "everything read anew"
    )


def _shown(stamp_us: int) -> str:
    return datetime.fromtimestamp(stamp_us / 1e6, UTC).isoformat(timespec="seconds")
