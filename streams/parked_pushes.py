"""What a connector's pushes and polls have parked, as the ingress knows it: a later push closes what it supersedes.

The source's task owns those records, but no push comes by it. It takes a tombstone from here as it takes what the
ingress parks: the next time that it looks.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from schemas.catalog import parked_topic
from schemas.codec import CodecError
from streams.incoming import Entry, Incoming
from streams.intake import stage_of
from streams.kafka.client import Message
from streams.kafka.cluster import Cluster
from streams.kafka.consuming import key_of, place
from streams.kafka.reading import Follower
from streams.kafka.transaction import Outgoing

log = logging.getLogger(__name__)


class ParkedPushes:
    """The parked records of one connector's source by their subjects, without their contents."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._topic = parked_topic(stage_of(name))
        self._follower, self._read = Follower(cluster, self._topic), cluster.reader("Parked")
        self._subjects: dict[str, str] = {}
        self._parked: defaultdict[str, dict[str, tuple[int, Incoming]]] = defaultdict(dict)

    def load(self) -> None:
        """Read everything up to the present end."""
        self._take(self._follower.read_whole())

    def news(self) -> None:
        """Take what was parked and resolved since, without waiting."""
        self._take(self._follower.news())

    def add(self, partition: int, incoming: Incoming) -> None:
        """A record that the ingress has parked itself; it may come back from Kafka later than the next push."""
        self._remove(incoming.parked_id)
        self._subjects[incoming.parked_id] = incoming.subject
        self._parked[incoming.subject][incoming.parked_id] = partition, replace(incoming, content=b"")

    def superseded(self, incoming: Incoming) -> list[Outgoing]:
        """The tombstones of what a push that got through makes history."""
        parked = self._parked.get(incoming.subject, {})
        closed = {known_as: where for known_as, (where, each) in parked.items() if incoming.covers(each)}
        for known_as in closed:
            self._remove(known_as)
        return [Outgoing(self._topic, known_as, None, partition=where) for known_as, where in closed.items()]

    def close(self) -> None:
        """Release the consumer."""
        self._follower.close()

    def _take(self, messages: Iterable[Message]) -> None:
        for message in messages:
            known_as, value = key_of(message), message.value()
            partition = place(message)[1]
            try:
                entry = None if value is None else Entry(partition, known_as, self._read(value))
            except CodecError as error:  # somebody else wrote it; the source's task tells it as well
                log.error("%s: a record that is none of ours was left out: %s", self._topic, error)
                continue
            if entry is None:
                self._remove(known_as)
            else:
                self.add(partition, entry.incoming)

    def _remove(self, known_as: str) -> None:
        subject = self._subjects.pop(known_as, None)
        if subject is not None:
            self._parked[subject].pop(known_as)
            if not self._parked[subject]:
                del self._parked[subject]
