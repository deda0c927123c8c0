"""Change Data Capture: a transaction's changes become events, merged, gapped or spoilt as scripted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from connectors.salesforce.simulator import avro
from connectors.salesforce.simulator.eventlog import EventLog
from connectors.salesforce.simulator.model import CAPTURED, OBJECTS
from connectors.salesforce.simulator.settings import Settings
from connectors.salesforce.simulator.tables import Record
from connectors.salesforce.simulator.transaction import Change
from connectors.testing import Faults
from schemas.document import to_json

USER_ID = "005xx000001SwiUAAS"
OVERFLOW_ID = "000000000000000AAA"
STAMPS = ("LastModifiedDate",)


@dataclass(frozen=True)
class Draft:
    """One event before it is encoded."""

    entity: str
    ids: tuple[str, ...]
    change_type: str
    values: Record
    changed: tuple[str, ...] = ()
    nulled: tuple[str, ...] = ()


class Capture:
    """Writes the events of committed transactions into the log."""

    def __init__(self, log: EventLog, settings: Settings, faults: Faults) -> None:
        self._log = log
        self._settings = settings
        self._faults = faults

    def commit(self, changes: Sequence[Change], origin: str, now_s: float, number: int) -> None:
        """Tell a transaction's changes; `number` is the org's own count of commits."""
        captured = [change for change in changes if change.entity in CAPTURED]
        drafts = [self._spoilt(draft) for draft in merged([self._draft(change) for change in captured])]
        self._log.append(
            [self._encoded(draft, place, origin, now_s, number) for place, draft in enumerate(drafts, 1)]
        )

    def _draft(self, change: Change) -> Draft:
        ids = (str(change.after["Id"]),)
        visible = self._visible(change.entity)
        if change.kind == "DELETE":
            return Draft(change.entity, ids, "DELETE", self._enriched(change))
        if change.before is None or change.kind == "UNDELETE":
            values = {name: change.after[name] for name in visible if change.after[name] is not None}
            return Draft(change.entity, ids, change.kind, values)
        before, after = change.before, change.after
        changed = tuple(name for name in visible if before[name] != after[name] or name in STAMPS)
        nulled = tuple(name for name in changed if after[name] is None)
        values = {name: after[name] for name in changed if after[name] is not None}
        return Draft(change.entity, ids, "UPDATE", {**self._enriched(change), **values}, changed, nulled)

    def _visible(self, entity: str) -> list[str]:
        """Hidden fields are simply absent."""
        hidden = self._settings.names("hidden")
        names = [name for name in OBJECTS[entity].fields if name not in avro.NOT_IN_EVENTS]
        return [name for name in names if f"{entity}.{name}" not in hidden]

    def _enriched(self, change: Change) -> Record:
        prefix = f"{change.entity}."
        names = [name.removeprefix(prefix) for name in self._settings.names("enrich") if name.startswith(prefix)]
        return {name: change.after[name] for name in sorted(names)}

    def _spoilt(self, draft: Draft) -> Draft:
        if self._faults.take("gap", object=draft.entity):
            return Draft(draft.entity, draft.ids, f"GAP_{draft.change_type}", {})
        if self._faults.take("overflow", object=draft.entity):
            return Draft(draft.entity, (OVERFLOW_ID,), "GAP_OVERFLOW", {})
        if self._faults.take("wildcard", object=draft.entity):
            return Draft(draft.entity, (f"{OBJECTS[draft.entity].prefix}*",), "UPDATE", {})
        if self._faults.take("schema_change", object=draft.entity):
            self._settings.change({"schema_version": int(self._settings.number("schema_version")) + 1})
        return draft

    def _encoded(self, draft: Draft, place: int, origin: str, now_s: float, number: int) -> tuple[str, str, bytes]:
        version = int(self._settings.number("schema_version"))
        header = avro.Header(
            draft.entity,
            draft.ids,
            draft.change_type,
            origin,
            f"{number:08x}-0000-4000-8000-{int(now_s * 1000):012x}",
            place,
            int(now_s * 1000),
            10_000_000_000_000 + number,
            USER_ID,
        )
        payload = avro.payload(header, draft.values, draft.changed, draft.nulled, version)
        return draft.entity, avro.schema_id(draft.entity, version), payload


def merged(drafts: Sequence[Draft]) -> list[Draft]:
    """Identical changes of one transaction become one event with many ids (contract section 5)."""
    by_content: dict[str, Draft] = {}
    for draft in drafts:
        content = to_json([draft.entity, draft.change_type, draft.values, draft.nulled])
        known = by_content.get(content)
        by_content[content] = draft if known is None else replace(known, ids=known.ids + draft.ids)
    return list(by_content.values())
