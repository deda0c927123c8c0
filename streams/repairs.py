"""What a task is to process again: asked once per turn by the task that owns the parked records, and by nobody else.

A parked record is tried again when a person says so, when the reference that it waits for arrives, when its own
time has come, and when definitions are switched that may mend its cause. What is asked for is kept until the batch
that carried it out is committed, so that an abort or a lost partition forgets none of it.

    repairs.restored()              after the parked records were read: what became possible meanwhile
    repairs.due()                   the records to process again in this turn
    repairs.carry_out(message)      one command; the record to process again, where it names one
    repairs.activated(definition)   other definitions are in force from now on
    repairs.settled()               the batch was committed
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Protocol

from schemas.codec import CodecError
from schemas.event import Record
from streams.clock import now_us
from streams.incoming import Entry, Place
from streams.kafka.client import Message
from streams.kafka.cluster import Cluster
from streams.kafka.consuming import place
from streams.outcome import MENDED_BY_DEFINITIONS
from streams.parking import Parking

log = logging.getLogger(__name__)

AT_ONCE = 200


class Arrivals(Protocol):
    """Reference data that is followed (`streams.references.ReferenceTables`)."""

    def news(self) -> list[str]:
        """The names of the references that were added or changed since, without waiting."""
        ...

    def knows(self, reference: str) -> bool:
        """Whether a reference that a record waits for is there now."""
        ...


class Repairs:
    """What is to be processed again of one stage, in the partitions that this task owns. Not thread-safe."""

    def __init__(self, cluster: Cluster, parking: Parking, references: Arrivals) -> None:
        self._parking, self._references = parking, references
        self._read = cluster.reader("Command")
        self._asked: dict[Place, None] = {}
        self._given: list[Place] = []
        self._known: set[tuple[Place, str]] = set()

    def restored(self) -> None:
        """The parked records were read anew: ask for those whose reference or definitions arrived meanwhile."""
        known = [name for name in self._parking.references() if self._references.knows(name)]
        found = {(each.place, str(each.value["waits_for"])): each for each in self._parking.waiting_for(known)}
        self._ask(each for waits, each in found.items() if waits not in self._known)  # once, not at every reading
        self._known = set(found)
        self._ask_for_what_definitions_mend()

    def activated(self, definition: str) -> None:
        """Definitions of that id (`Plan.id`) are in force from now on: ask for all that they may have mended."""
        self._parking.definition = definition
        self._ask_for_what_definitions_mend()

    def _ask_for_what_definitions_mend(self) -> None:
        definition = self._parking.definition
        found = (e for e in self._parking.entries() if e.value["cause"] in MENDED_BY_DEFINITIONS)
        self._ask(each for each in found if each.value["definition"] != definition)

    def _ask(self, entries: Iterable[Entry]) -> None:
        self._asked |= dict.fromkeys(entry.place for entry in entries)

    def due(self) -> list[Entry]:
        """The records to process again now, at most AT_ONCE; the others come with the next turns."""
        self._ask(self._parking.waiting_for(self._references.news()))
        self._asked |= dict.fromkeys(self._parking.due(now_us()))
        found: list[Entry] = []
        for where in self._owned():
            entry = self._parking.entry(*where)
            if entry is None:
                del self._asked[where]
            elif len(found) < AT_ONCE:
                found.append(entry)
        self._given = [entry.place for entry in found]
        return found

    def _owned(self) -> list[Place]:
        owned = self._parking.table.owned
        return [where for where in self._asked if where[0] in owned]

    def settled(self) -> None:
        """The batch was committed: what was given out for it is done."""
        for where in self._given:
            self._asked.pop(where, None)
        self._given = []

    def carry_out(self, message: Message) -> list[Entry]:
        """Carry a person's command out; the record to process again, none where nothing is left to do.

        A command that is repeated after a crash finds its record resolved or marked, and does nothing.
        """
        command = self._understood(message)
        entry = None if command is None else self._parking.entry(place(message)[1], str(command["parked_id"]))
        if command is None or entry is None:
            return []
        if command["command_id"] and entry.value["last_command"] == command["command_id"]:
            return []
        return self._carried_out(command, entry)

    def _understood(self, message: Message) -> Record | None:
        try:
            return self._read(message.value())
        except CodecError as error:
            log.error("%s: a command that nobody understands was left out: %s", self._parking.stage, error)
            return None

    def _carried_out(self, command: Record, entry: Entry) -> list[Entry]:
        match command["command"]:
            case "redrive":
                return [self._parking.change(entry, last_command=command["command_id"])]
            case "discard":
                log.warning("%s: %s discarded %s: %s", self._parking.stage, command["by"], entry.parked_id,
                            command["reason"])  # fmt: skip
                self._parking.resolve(entry)
                return []
            case other:
                log.error("%s: the command %r is not known here and was left out", self._parking.stage, other)
                return []
