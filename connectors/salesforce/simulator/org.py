"""The org itself: one transaction at a time, its auto-numbers, and the change events it writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from connectors.salesforce.simulator.capture import Capture
from connectors.salesforce.simulator.eventlog import EventLog
from connectors.salesforce.simulator.model import OBJECTS, FieldDef
from connectors.salesforce.simulator.rules import Rights
from connectors.salesforce.simulator.settings import Settings
from connectors.salesforce.simulator.tables import Tables
from connectors.salesforce.simulator.transaction import Transaction
from connectors.testing import Clock, Faults, RecordStore
from schemas.document import Value

RESTORED = (*OBJECTS, "org", "events")


class Org:
    """State of one org on disk in `folder`."""

    def __init__(self, folder: Path, faults: Faults) -> None:
        self.store = RecordStore(folder / "org.sqlite")
        self.tables = Tables(self.store)
        self.clock = Clock(self.store)
        self.now = self.clock.now
        self.settings = Settings(self.store)
        self.log = EventLog(self.store, self.now, lambda: self.settings.number("retention_s"))
        self.faults = faults
        self.lock = threading.RLock()
        self._capture = Capture(self.log, self.settings, faults)
        self._current: Transaction | None = None
        self._counters = self._kept_counters()

    @contextmanager
    def transaction(self, origin: str) -> Iterator[Transaction]:
        """All of what happens inside is saved and told at its end, or nothing where an error leaves it."""
        with self.lock:
            if self._current is not None:
                yield from self._joined(self._current)
                return
            rights = Rights(edit_activated_orders=self.settings.flag("edit_activated_orders"))
            transaction = Transaction(self.tables, self._next, rights, self.now())
            self._current = transaction
            try:
                yield transaction
            except BaseException:
                transaction.undo()
                raise
            finally:
                self._current = None
            number = self._next("commit")
            self.tables.save(transaction.touched)
            self.store.put("org", "counters", self._counters)
            self._capture.commit(transaction.changes, origin, self.now(), number)

    @staticmethod
    def _joined(outer: Transaction) -> Iterator[Transaction]:
        """A part of a transaction that is under way: undone alone, committed with the whole."""
        mark = outer.mark()
        try:
            yield outer
        except BaseException:
            outer.undo(mark)
            raise

    def visible(self, entity: str) -> Mapping[str, FieldDef]:
        """The object's fields that the integration user may see."""
        hidden = self.settings.names("hidden")
        fields = OBJECTS[entity].fields
        return {name: field for name, field in fields.items() if f"{entity}.{name}" not in hidden}

    def back_up(self, name: str) -> None:
        """What the vendor keeps: records, their numbers and the event log; no settings and no sessions."""
        with self.lock:
            self.store.back_up(name, RESTORED)

    def restore(self, name: str) -> bool:
        """Bring a backup back: records, stamps and replay ids as they were; every subscription breaks off."""
        with self.lock:
            settings = self.settings.all()
            found = self.store.restore(name, RESTORED)
            if found:
                self.store.put("org", "settings", settings)
                self.tables.load()
                self._counters = self._kept_counters()
                self.log.load()
            return found

    def _kept_counters(self) -> dict[str, Value]:
        return dict(self.store.get("org", "counters") or {})

    def close(self) -> None:
        """Close the files."""
        self.store.close()

    def _next(self, counter: str) -> int:
        value = self._counters.get(counter, 0)
        assert isinstance(value, int)
        self._counters[counter] = value + 1
        return value + 1
