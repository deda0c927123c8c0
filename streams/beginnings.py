"""How often a batch was begun and killed its worker: counted in the group's offsets, which outlive the process.

Before the first batch after a take-over the worker commits the offset where it stands once more, with a count of
beginnings and the batch's end in the commit's metadata; the commit of the finished batch leaves them out. Who takes
over a count of CAREFUL_FROM works record by record through what all those batches had in common; a record that was
the one to be begun when the count came to PARK_AT is not begun again.
Only the end of the process by force counts: an error, a stop, a revoke and a wait for the far system take it back.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from schemas.document import from_json, to_json
from streams.kafka.client import Consumer, KafkaException, Message, TopicPartition
from streams.kafka.consuming import first_offsets, next_offsets, place, seek_back
from streams.lease import Lease

log = logging.getLogger(__name__)

CAREFUL_FROM, PARK_AT = 2, 3
IDLE_TURNS = 25
"""So many turns in a row with nothing to read: what killed is not there any more."""

Where: TypeAlias = tuple[str, int]


@dataclass(frozen=True)
class Count:
    """Beginnings without an end at one offset, and the offset up to which all the batches begun there reached."""

    tries: int = 0
    common_to: int = 0

    @property
    def careful(self) -> bool:
        """Whether to go on record by record."""
        return self.tries >= CAREFUL_FROM

    def more(self, end: int) -> Count:
        """After one more beginning, of a batch up to the offset `end`; a batch of one says nothing of the others."""
        common = self.common_to if self.careful else min(self.common_to or end, end)
        return Count(self.tries + 1, common)

    @property
    def metadata(self) -> str:
        """As it stands in the commit; empty where there is nothing to say."""
        return to_json({"tries": self.tries, "common_to": self.common_to}) if self != Count() else ""


def count_in(metadata: str | None) -> Count:
    """The count in a commit's metadata; none in what somebody else wrote there."""
    try:
        found = from_json(metadata or "{}")
    except ValueError:
        return Count()
    if not isinstance(found, Mapping):
        return Count()
    tries, common_to = found.get("tries", 0), found.get("common_to", 0)
    return Count(tries, common_to) if isinstance(tries, int) and isinstance(common_to, int) else Count()


class Beginnings:
    """The counts of the partitions that one group member owns, by topic on the cluster and partition."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._counts: dict[Where, Count] = {}
        self._fresh: set[Where] = set()
        self._begun: dict[Where, TopicPartition] = {}
        self._idle = 0

    def taken_over(self, committed: Sequence[TopicPartition]) -> None:
        """These partitions are owned now, from these offsets on."""
        self._begun = {}
        self._counts = {(each.topic, each.partition): count_in(each.metadata) for each in committed}
        self._fresh = set(self._counts)

    def given_away(self) -> None:
        """Nothing is owned now."""
        self.lived()
        self._counts, self._fresh = {}, set()

    @property
    def careful(self) -> bool:
        """Whether to consume one record at a time, and to try nothing again by itself meanwhile."""
        return any(count.careful for count in self._counts.values())

    def kills(self, message: Message) -> bool:
        """Whether the worker died PARK_AT times over this very record."""
        where = place(message)
        return where in self._fresh and self._counts[where].tries >= PARK_AT

    def narrowed(self, messages: Sequence[Message], consumer: Consumer) -> list[Message]:
        """The batch, of which only the first record is left while careful; `consumer` reads the others again.

        The very consume that hands over an assignment may hand over its records too, before anybody was careful.
        """
        if not self.careful or len(messages) < 2:
            return list(messages)
        seek_back(consumer, messages[1:])
        return [messages[0]]

    def idle(self) -> None:
        """A turn had nothing to do; after IDLE_TURNS of them there is nothing left that could kill."""
        self._idle += 1
        if self._idle >= IDLE_TURNS:
            self._counts = dict.fromkeys(self._counts, Count())

    @contextmanager
    def counted(self, messages: Sequence[Message]) -> Iterator[None]:
        """Begin these records. An error is no kill: it takes the count back, and goes on."""
        self._idle = 0
        self._begin(messages)
        try:
            yield
        except BaseException:
            self.lived()
            raise

    def _begin(self, messages: Sequence[Message]) -> None:
        ends = {(each.topic, each.partition): each.offset for each in next_offsets(messages)}
        for first in first_offsets(messages):
            where = (first.topic, first.partition)
            count = self._counts.get(where, Count())
            if where in self._fresh or count.careful:
                metadata = count.more(ends[where]).metadata
                self._begun[where] = TopicPartition(*where, first.offset, metadata=metadata)
        self._write(list(self._begun.values()))

    def _write(self, counts: list[TopicPartition]) -> None:
        """Commit the counts. Where that is refused, as in a rebalance, the batch is no better counted than before."""
        if not counts:
            return
        try:
            self._consumer.commit(offsets=counts, asynchronous=False)
        except KafkaException as error:
            log.warning("beginnings could not be counted: %s", error)

    def lived(self) -> None:
        """What was begun was not finished, but the worker lives: its count is as before."""
        before = [
            TopicPartition(*where, each.offset, metadata=self._counts.get(where, Count()).metadata)
            for where, each in self._begun.items()
        ]
        self._begun = {}
        self._write(before)

    def waiting(self, lease: Lease) -> Lease:
        """The lease, in whose waits nothing is counted: who is stopped by force while waiting died of no record."""
        return _Uncounted(lease, self)

    def pause(self) -> dict[Where, TopicPartition]:
        """Take the count back for a while; what `resume` needs."""
        begun = dict(self._begun)
        self.lived()
        return begun

    def resume(self, begun: Mapping[Where, TopicPartition]) -> None:
        """Count again what was begun before the pause."""
        self._begun = {where: each for where, each in begun.items() if where in self._counts}
        self._write(list(self._begun.values()))

    def to_commit(self, offsets: Sequence[TopicPartition]) -> list[TopicPartition]:
        """The offsets of a finished batch with what their metadata has to say."""
        return [
            TopicPartition(each.topic, each.partition, each.offset, metadata=self._after(each).metadata)
            for each in offsets
        ]

    def committed(self, offsets: Sequence[TopicPartition]) -> None:
        """The batch is finished, and these offsets are committed."""
        after = {(each.topic, each.partition): self._after(each) for each in offsets}
        self._counts |= {where: count for where, count in after.items() if where in self._counts}
        self._fresh -= after.keys()
        self._begun = {}

    def _after(self, offset: TopicPartition) -> Count:
        """Within what the dead batches had in common each record is suspected. What was not begun stays."""
        where = (offset.topic, offset.partition)
        count = self._counts.get(where, Count())
        if where in self._fresh and where not in self._begun:
            return count
        return Count(CAREFUL_FROM, count.common_to) if count.careful and offset.offset < count.common_to else Count()


class _Uncounted:
    """A lease that counts nothing while it waits."""

    def __init__(self, lease: Lease, beginnings: Beginnings) -> None:
        self._lease, self._beginnings = lease, beginnings

    def check(self) -> None:
        self._lease.check()

    def wait(self, seconds: float) -> None:
        begun = self._beginnings.pause()
        self._lease.wait(seconds)
        self._beginnings.resume(begun)
