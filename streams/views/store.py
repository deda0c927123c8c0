"""Where a view keeps its orders and how far it has read: one RocksDB, both written together.

Facts and position go in with one atomic write, so whatever the process does they fit each other. Nothing else says
how far the view is: not the group's committed offsets, and no changelog (under fault injection Faust committed input
whose state writes it never sent). The store can be deleted at any time: the next start reads the topics again from
their first record.
"""

from __future__ import annotations

import json
import logging
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias, cast

from rocksdict import Options, Rdict, WriteBatch

from streams.stopping import MustStop
from streams.views.facts import OrderFacts

log = logging.getLogger(__name__)

FORMAT = 1
ABOUT = b"a"
ORDER, ORDERS_END = b"o", b"p"
POSITION = b"p"
WRITE_BUFFER_BYTES = 8 * 1024 * 1024

Place: TypeAlias = "tuple[str, int]"
"""A topic as on the cluster and a partition."""


class StoreTaken(MustStop):
    """Another process works on the store; the message names the folder."""


class Store:
    """One view's store, open from `open` to `close`. One thread writes; any may read meanwhile."""

    def __init__(self, folder: Path, name: str, rocks: Rdict, positions: dict[Place, int]) -> None:
        self._folder, self._rocks, self._positions = folder, rocks, positions
        self.name = name

    @classmethod
    def open(cls, folder: Path, topics: Mapping[str, str]) -> Store:
        """The store in `folder`, made where there is none. `topics` are the topics' names and ids on the cluster.

        A store of another format, or of topics that were made anew since, is thrown away. Raises StoreTaken.
        """
        rocks = _opened(folder)
        about = json.loads(rocks.get(ABOUT) or b"{}")
        known = cast("dict[str, str]", about.get("topics", {}))
        foreign = [topic for topic, its_id in topics.items() if known.get(topic, its_id) != its_id]
        if about and (about["format"] != FORMAT or foreign):
            log.warning("the view in %s is of other topics (%s) or another format: built again", folder, foreign)
            rocks.close()
            shutil.rmtree(folder)
            rocks, about, known = _opened(folder), {}, {}
        name = str(about.get("name") or secrets.token_hex(6))
        rocks.put(ABOUT, json.dumps({"format": FORMAT, "name": name, "topics": {**known, **topics}}).encode())
        return cls(folder, name, rocks, dict(_positions(rocks)))

    def facts(self, key: str) -> OrderFacts:
        """What is known of an order; nothing where it is new."""
        found = self._rocks.get(ORDER + key.encode())
        return OrderFacts() if found is None else OrderFacts.from_json(found)

    def keep(self, key: str, facts: OrderFacts, place: Place, position: int) -> None:
        """Write an order's facts and the offset to go on from, both or none."""
        batch = WriteBatch(raw_mode=True)
        batch.put(ORDER + key.encode(), facts.to_json())
        batch.put(_position_key(place), str(position).encode())
        self._rocks.write(batch)
        self._positions[place] = position

    def pass_over(self, place: Place, position: int) -> None:
        """Write only the offset to go on from."""
        self._rocks.put(_position_key(place), str(position).encode())
        self._positions[place] = position

    def position(self, place: Place) -> int:
        """The offset to go on from; 0 where nothing was read yet."""
        return self._positions.get(place, 0)

    def orders(self) -> Iterator[OrderFacts]:
        """The facts of every order, as they are when the iteration begins."""
        for key, data in self._rocks.items(from_key=ORDER):
            if cast("bytes", key) >= ORDERS_END:
                return
            yield OrderFacts.from_json(data)

    def close(self) -> None:
        """Release the folder."""
        self._rocks.close()


def _opened(folder: Path) -> Rdict:
    folder.mkdir(parents=True, exist_ok=True)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(WRITE_BUFFER_BYTES)
    options.set_keep_log_file_num(2)
    try:
        return Rdict(str(folder), options=options)
    except Exception as error:  # rocksdict has no other class
        if "lock" in str(error).lower():
            raise StoreTaken(f"{folder} is in use: another `views` role of this project runs; end it") from error
        log.warning("the view in %s cannot be read (%s): built again", folder, error)
    shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return Rdict(str(folder), options=options)


def _position_key(place: Place) -> bytes:
    topic, partition = place
    return POSITION + json.dumps([topic, partition]).encode()


def _positions(rocks: Rdict) -> Iterator[tuple[Place, int]]:
    for key, data in rocks.items(from_key=POSITION):
        name = cast("bytes", key)
        if not name.startswith(POSITION):
            return
        topic, partition = json.loads(name[len(POSITION) :])
        yield (topic, partition), int(data)
