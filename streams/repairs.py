"""What a task is to process again: asked once per turn by the task that owns the parked records, and by nobody else.

A parked record is tried again when a person says so, when the reference that it waits for arrives, when its own
time has come, and when definitions are switched that may mend its cause. What is asked for is kept until the batch
that carried it out is committed, so that an abort or a lost partition forgets none of it.

    repairs.restored()              after the parked records were read: what became possible meanwhile
    repairs.due()                   the records to process again in this turn
    repairs.carry_out(message)      one command; the record to process again, where it names one
    repairs.activated(definition)   other definitions are in force from now on
    repairs.write_down()            before anything of the batch is done for good: who had it done
    repairs.settled()               the batch was committed
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Protocol

from schemas.codec import CodecError
from schemas.event import Record
from streams.audit import AuditLog
from streams.audit_chain import Deed
from streams.carrying_out import Commands, deed_by_itself
from streams.clock import now_us
from streams.edits import DocumentTypes
from streams.incoming import Entry, Place
from streams.kafka.client import Message
from streams.kafka.cluster import Cluster
from streams.kafka.consuming import place
from streams.outcome import MENDED_BY_DEFINITIONS
from streams.parking import Parking

log = logging.getLogger(__name__)

AT_ONCE = 200
ON_TIME = ""
"""The reason of a try that was planned when the record was parked; it is no deed of anybody."""


class Arrivals(Protocol):
    """Reference data that is followed (`streams.references.ReferenceTables`)."""

    def news(self) -> list[str]:
        """The names of the references that were added or changed since, without waiting."""
        ...

    def knows(self, reference: str) -> bool:
        """Whether a reference that a record waits for is there now."""
        ...


class Repairs:
    """What is to be processed again of one stage, in the partitions that this task owns. Not thread-safe.

    `types` gives the far system's documents where the stage is a source.
    """

    def __init__(
        self, cluster: Cluster, parking: Parking, references: Arrivals, types: DocumentTypes = tuple
    ) -> None:
        self._parking, self._references = parking, references
        self._commands = Commands(cluster, parking, types)
        self._read, self._audit = cluster.reader("Command"), AuditLog(cluster)
        self._asked: dict[Place, str] = {}
        self._given: list[Place] = []
        self._known: set[tuple[Place, str]] = set()
        self._deeds: list[Deed] = []

    def restored(self) -> None:
        """The parked records were read anew: ask for those whose reference or definitions arrived meanwhile."""
        known = [name for name in self._parking.references() if self._references.knows(name)]
        found = {(each.place, str(each.value["waits_for"])): each for each in self._parking.waiting_for(known)}
        self._ask_for_waiting(each for waits, each in found.items() if waits not in self._known)
        self._known = set(found)  # asked for once, not at every reading
        self._ask_for_what_definitions_mend()

    def activated(self, definition: str) -> None:
        """Definitions of that id (`Plan.id`) are in force from now on: ask for all that they may have mended."""
        self._parking.definition = definition
        self._ask_for_what_definitions_mend()

    def _ask_for_what_definitions_mend(self) -> None:
        definition = self._parking.definition
        found = (each for each in self._parking.entries() if each.value["cause"] in MENDED_BY_DEFINITIONS)
        stale = (each for each in found if each.value["definition"] != definition)
        self._ask((each, f"the definitions {definition} were activated") for each in stale)

    def _ask_for_waiting(self, entries: Iterable[Entry]) -> None:
        self._ask((each, f"the reference {each.value['waits_for']!s} arrived") for each in entries)

    def _ask(self, wanted: Iterable[tuple[Entry, str]]) -> None:
        for entry, why in wanted:
            self._asked.setdefault(entry.place, why)

    def due(self) -> list[Entry]:
        """The records to process again now, at most AT_ONCE; the others come with the next turns."""
        self._ask_for_waiting(self._parking.waiting_for(self._references.news()))
        ready = [*self._parking.next_in_turn(), *self._parking.due(now_us())]
        self._asked = dict.fromkeys(ready, ON_TIME) | self._asked
        found = self._still_parked()[:AT_ONCE]
        self._given = [each.place for each in found]
        whys = [(each, self._asked[each.place]) for each in found]
        self._deeds = [deed_by_itself(self._parking.stage, each, why) for each, why in whys if why != ON_TIME]
        return found

    def _still_parked(self) -> list[Entry]:
        owned, found = self._parking.table.owned, []
        for where in [each for each in self._asked if each[0] in owned]:
            entry = self._parking.entry(*where)
            if entry is None:
                del self._asked[where]
            else:
                found.append(entry)
        return found

    def write_down(self) -> None:
        """Enter in the audit log what this turn does on people's orders or by itself; a repeat is entered once.

        Raises NotAudited: then nothing of the batch may be committed.
        """
        self._audit.append(self._deeds)

    def settled(self) -> None:
        """The batch was committed: what was given out for it is done."""
        for where in self._given:
            self._asked.pop(where, None)
        self._given, self._deeds = [], []

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
        again, deed = self._commands.carry_out(command, entry)
        self._deeds += [] if deed is None else [deed]
        return [] if again is None else [again]

    def _understood(self, message: Message) -> Record | None:
        try:
            return self._read(message.value())
        except CodecError as error:
            log.error("%s: a command that nobody understands was left out: %s", self._parking.stage, error)
            return None

    def close(self) -> None:
        """Let go of the audit log."""
        self._audit.close()
