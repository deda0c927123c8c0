"""Reference data in memory: `ref.*` read whole before the first batch and followed from then on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeAlias

from schemas.catalog import ITEMS, LINKS
from schemas.codec import CodecError
from schemas.event import Record
from schemas.identity import item_reference, link_key, link_reference
from schemas.wire import Reader
from streams.kafka.client import Message
from streams.kafka.cluster import Cluster
from streams.kafka.consuming import key_of, offset_of, place
from streams.kafka.reading import Follower

log = logging.getLogger(__name__)

Store: TypeAlias = dict[str, Record]


class ReferenceTables:
    """Items and links as they are now (`mappings.References`)."""

    def __init__(self, cluster: Cluster) -> None:
        self._items: Store = {}
        self._links: Store = {}
        self._tables: list[tuple[Follower, Reader, Store, Callable[[str], str]]] = [
            (Follower(cluster, ITEMS), cluster.reader("Item"), self._items, item_reference),
            (Follower(cluster, LINKS), cluster.reader("Link"), self._links, link_reference),
        ]

    def load(self) -> None:
        """Read everything up to the present end."""
        for follower, reader, store, _ in self._tables:
            _take(follower.read_whole(), reader, store)

    def news(self) -> list[str]:
        """Take what was added or changed since, without waiting; the names of those references."""
        found = []
        for follower, reader, store, name in self._tables:
            found += [name(key) for key in _take(follower.news(), reader, store)]
        return found

    def item(self, code: str) -> Record | None:
        """The item of that code."""
        return self._items.get(code)

    def link(self, kind: str, system: str, far_id: str, to_system: str) -> str | None:
        """What `to_system` calls the thing that `system` calls `far_id`."""
        found = self._links.get(link_key(kind, system, far_id, to_system))
        return None if found is None else str(found["to_id"])

    def knows(self, reference: str) -> bool:
        """Whether a reference that a record waited for (`items/ABC`) is there now."""
        kind, _, key = reference.partition("/")
        return key in (self._items if kind == "items" else self._links)

    def close(self) -> None:
        """Release the consumers."""
        for follower, *_ in self._tables:
            follower.close()


def _take(messages: Iterable[Message], reader: Reader, store: Store) -> list[str]:
    keys = []
    for message in messages:
        key, value = key_of(message), message.value()
        try:
            read = None if value is None else reader(value)
        except CodecError as error:  # somebody else wrote it; the last good record stays in force
            log.error("%s at %s: a reference that nobody can read was left out: %s", *where(message), error)
            continue
        keys.append(key)
        if read is None:
            store.pop(key, None)
        else:
            store[key] = read
    return keys


def where(message: Message) -> tuple[str, str]:
    """The topic of a message, and its partition and offset, for a log."""
    topic, number = place(message)
    return topic, f"{number}/{offset_of(message)}"
