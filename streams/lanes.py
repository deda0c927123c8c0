"""Which lane of a sink a record takes: urgent and new before bulk.

A sink has two topics. The fast lane is for what somebody waits for; bursts (a data loader, a mass edit, a resync) and
backfills take the bulk lane, which is read only while the fast one is empty. A record is full state and carries its
version, so the two lanes may overtake each other; the one exception is `lanes_of_cancel`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum, IntEnum

from schemas.catalog import bulk_topic, sink_topic
from schemas.event import Record

BURST = 50
"""More records of one kind than this within WINDOW_US to one destination are a burst."""

WINDOW_US = 10_000_000


class Lane(Enum):
    """Where a record waits for its sink."""

    FAST = "fast"
    BULK = "bulk"


class Urgency(IntEnum):
    """How long a record may wait, the most urgent first."""

    URGENT = 0
    NEW = 1
    CHANGE = 2


def is_urgent(record: Record) -> bool:
    """Whether an order, or a job order of one, is to be written before all others."""
    return record.get("priority") == "urgent"


TOPIC: Mapping[Lane, Callable[[str], str]] = {Lane.FAST: sink_topic, Lane.BULK: bulk_topic}


class Lanes:
    """Counts what goes to each destination, creations apart from changes, in one member of the pipeline.

    The state is the times of the last records: a restart forgets a burst that is under way and finds it again
    within BURST records. A batch that is done again is counted twice, which only makes it bulk sooner.
    """

    def __init__(self) -> None:
        self._sent: dict[tuple[str, Urgency], deque[int]] = {}

    def choose(self, destination: str, urgency: Urgency, now_us: int, backfill: bool = False) -> Lane:
        """The lane of one record for a destination, which is counted."""
        if urgency is Urgency.URGENT:
            return Lane.FAST
        sent = self._sent.setdefault((destination, urgency), deque(maxlen=BURST))
        burst = len(sent) == BURST and now_us - sent[0] < WINDOW_US
        sent.append(now_us)
        return Lane.BULK if burst or backfill else Lane.FAST


def lanes_of_cancel(overtakes: bool) -> tuple[Lane, ...]:
    """The lanes of a cancellation of what may not have been made yet.

    Where nothing was made there is nothing that could hold the cancellation's version, and an older record that comes
    after it would make what nobody wants any more. So it goes behind every such record: always in the fast lane,
    which may stand still while the bulk lane flows, and also in the bulk lane where one may wait (`overtakes`).
    """
    return (Lane.FAST, Lane.BULK) if overtakes else (Lane.FAST,)
