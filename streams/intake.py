"""A far system's document becomes an event by the administrator's mapping, or a parked record with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

from mappings import Cause, Context, MappingFailed, Plan, References
from schemas.catalog import TOPIC_OF_RECORD
from schemas.codec import CodecError
from schemas.document import Document, Fields, from_json, to_json
from schemas.event import Event, Record
from schemas.identity import ParkedKey, event_id, link_key, order_key, revision_time_us
from schemas.wire import (
    BACKFILL,
    DEFINITION,
    FETCHED,
    REVISION,
    TRACEPARENT,
    SchemaIds,
    Writer,
    headers_of,
    new_traceparent,
)
from streams.incoming import Incoming
from streams.kafka.partitions import partition_of
from streams.kafka.transaction import Outgoing, checked_size
from streams.outcome import NoMapping, Reason, reason_for

DELETED = "_deleted"

Keys: TypeAlias = tuple[str, str]
"""The key that chooses the partition, and the subject."""

KEYS: Mapping[str, Callable[[str, Record], Keys]] = {
    "SalesOrder": lambda name, value: (order_key(name, str(value["number"])),) * 2,
    "JobResponse": lambda _, value: (str(value["order_key"]), str(value["job_order_id"])),
    "Item": lambda _, value: (str(value["item"]),) * 2,
    "Link": lambda _, value: (_link_key(value),) * 2,
}


def _link_key(value: Record) -> str:
    return link_key(*(str(value[name]) for name in ("kind", "system", "id", "to_system")))


def stage_of(name: str) -> str:
    """The stage of one source, in the names of its parked and command topics."""
    return f"source.{name}"


@dataclass(frozen=True)
class Refused:
    """A document that cannot be mapped: as it came, and why."""

    incoming: Incoming
    reason: Reason


class Intake:
    """One connector's documents on their way to the bus, through the plan that is set."""

    def __init__(
        self,
        name: str,
        system: str,
        partitions: int,
        plan: Plan,
        references: References,
        ids: SchemaIds | None = None,
    ) -> None:
        self._name, self._system, self._partitions = name, system, partitions
        self.plan, self._references = plan, references
        self._writers = {record: Writer(record, ids) for record in TOPIC_OF_RECORD}

    def take(
        self, document: Document, version: int, fetched_us: int | None = None, backfill: bool = False
    ) -> Outgoing | Refused | None:
        """The event of a document; None where the mapping says that it is none of ours.

        `fetched_us`: when the source's owner began to read it, None for a push; see newer.py. `backfill`: it was read
        by the source's first start.
        """
        try:
            return self._event(document, version, fetched_us, backfill)
        except Exception as error:  # one document's defect must not stop the source: parked, named and counted
            return self.refused(document, fetched_us, error)

    def refused(self, document: Document, fetched_us: int | None, error: Exception) -> Refused:
        """A document that met this error, as it came."""
        return Refused(self.incoming(document, fetched_us), reason_for(error))

    def record_of(self, document: Document) -> str:
        """The record that a document becomes; empty where no live mapping reads it."""
        compiled = self.plan.from_document(f"{self._system}.{document.type}")
        return "" if compiled is None else compiled.target

    def _event(self, document: Document, version: int, fetched_us: int | None, backfill: bool) -> Outgoing | None:
        if document.problem:
            raise MappingFailed(document.type, Cause.BAD_VALUE, document.problem, None)
        compiled = self.plan.from_document(f"{self._system}.{document.type}")
        if compiled is None:
            raise NoMapping(f"no live mapping reads {self._system}.{document.type}")
        fields: Fields = {**document.fields, DELETED: True} if document.deleted else document.fields
        value = compiled.apply(fields, self._context(document))
        if value is None:
            return None
        record = compiled.target
        if record not in KEYS:
            raise CodecError(f"a source publishes no {record}")
        key, subject = KEYS[record](self._name, value)
        headers = {TRACEPARENT: new_traceparent(), DEFINITION: self.plan.id, REVISION: document.revision}
        headers |= _fetched(fetched_us)
        headers |= {BACKFILL: "true"} if backfill else {}
        event = Event(
            record=record,
            key=key,
            subject=subject,
            id=event_id(self._name, subject, document.revision),
            source=self._name,
            time_us=revision_time_us(document.revision),
            version=version,
            value=value,
            headers=headers,
        )
        return checked_size(Outgoing(TOPIC_OF_RECORD[record], key, self._writers[record](value), headers_of(event)))

    def _context(self, document: Document) -> Context:
        return Context(
            connector=self._name,
            key="",
            subject=document.id,
            version=0,
            destination="",
            references=self._references,
            line=None,
        )

    def partition(self, incoming: Incoming) -> int:
        """Where a refused document is parked."""
        return partition_of(incoming.order_key, self._partitions)

    def incoming(self, document: Document, fetched_us: int | None = None) -> Incoming:
        """A document as it came; a repeat takes the same place, a later one of the same record the next."""
        content = to_json(_as_json(document)).encode()
        return replace(self.named(document, fetched_us), content=content)

    def named(self, document: Document, fetched_us: int | None = None) -> Incoming:
        """What a document is called among the parked ones, without its content: cheap, for the hot path."""
        key = order_key(self._name, document.id)
        return Incoming(
            parked_id=str(ParkedKey(key, document.type, _stamp(document.revision))),
            topic="",
            partition=0,
            offset=0,
            order_key=key,
            subject=document_subject(document),
            revision=document.revision,
            content_type="json",
            content=b"",
            headers=_fetched(fetched_us),
        )


def _fetched(fetched_us: int | None) -> dict[str, str]:
    return {} if fetched_us is None else {FETCHED: str(fetched_us)}


def fetched_us_of(incoming: Incoming) -> int | None:
    """When the document of a parked record was read; None for a push."""
    fetched = incoming.headers.get(FETCHED)
    return None if fetched is None else int(fetched)


def _stamp(revision: str) -> int:
    try:
        return revision_time_us(revision)
    except ValueError:  # a connector's defect; the document is parked with it all the same
        return 0


def document_subject(document: Document) -> str:
    """What a parked document is about: a later document of it supersedes the parked one."""
    return f"{document.type}/{document.id}"


def _as_json(document: Document) -> Fields:
    return {
        "type": document.type,
        "id": document.id,
        "revision": document.revision,
        "fields": document.fields,
        "deleted": document.deleted,
        "problem": document.problem,
    }


def document_of(incoming: Incoming) -> Document:
    """The document in a parked record."""
    stored = cast("Fields", from_json(incoming.content))
    return Document(
        type=str(stored["type"]),
        id=str(stored["id"]),
        revision=str(stored["revision"]),
        fields=cast("Fields", stored["fields"]),
        deleted=bool(stored["deleted"]),
        problem=str(stored.get("problem", "")),
    )
