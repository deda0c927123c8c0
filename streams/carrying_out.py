"""Carrying a person's command out on one parked record, and what the audit log is told of it."""

from __future__ import annotations

import logging
from typing import cast

from schemas.event import Record
from schemas.identity import content_digest
from streams.audit_chain import Deed
from streams.clock import now_us
from streams.edits import DocumentTypes, EditRefused, check
from streams.incoming import Entry
from streams.kafka.cluster import Cluster
from streams.parking import Parking

log = logging.getLogger(__name__)

BY_ITSELF = "lineshaft"


class Commands:
    """The commands of one stage, by their names in the record Command."""

    def __init__(self, cluster: Cluster, parking: Parking, types: DocumentTypes) -> None:
        self._cluster, self._parking, self._types = cluster, parking, types

    def carry_out(self, command: Record, entry: Entry) -> tuple[Entry | None, Deed | None]:
        """The record to process again, and the deed; neither where the command is refused, which is then told."""
        match command["command"]:
            case "redrive":
                again = self._parking.change(entry, last_command=command["command_id"])
                return again, self._deed(command, entry)
            case "edit":
                return self._edit(command, entry)
            case "discard" if command["reason"]:
                self._parking.resolve(entry)
                return None, self._deed(command, entry)
            case other:
                log.error(
                    "%s: the command %r is not known here or not complete: left out", self._parking.stage, other
                )
                return None, None

    def _edit(self, command: Record, entry: Entry) -> tuple[Entry | None, Deed | None]:
        content = cast("bytes", command["content"] or b"")
        try:
            check(entry.incoming, content, self._cluster, self._types)
        except EditRefused as refused:
            log.error("%s: the edit of %s was refused: %s", self._parking.stage, entry.parked_id, refused)
            self._parking.refuse(entry, str(command["command_id"]), f"the edit was refused: {refused}")
            return None, None
        again = self._parking.change(
            entry,
            content=content,
            content_type="avro" if entry.incoming.topic else "json",
            edited_by=command["by"],
            last_command=command["command_id"],
        )
        return again, self._deed(command, entry, **_digests(entry, content))

    def _deed(self, command: Record, entry: Entry, **details: str) -> Deed:
        return Deed(
            deed_id=f"{self._parking.stage}/{command['command_id']!s}",
            action=str(command["command"]),
            who=str(command["by"]),
            stage=self._parking.stage,
            subject=entry.parked_id,
            reason=str(command["reason"] or ""),
            details={**_about(entry), **details},
            at_us=cast("int", command["at"]),
        )


def _about(entry: Entry) -> dict[str, str]:
    return {"cause": str(entry.value["cause"]), "order": str(entry.value["order_key"])}


def _digests(entry: Entry, content: bytes) -> dict[str, str]:
    return {"before": content_digest(entry.incoming.content), "after": content_digest(content)}


def deed_by_itself(stage: str, entry: Entry, why: str) -> Deed:
    """What the bus does on its own: trying a record again because of `why`."""
    return Deed(
        deed_id=f"{stage}/{entry.parked_id}/{entry.attempts}",
        action="redrive",
        who=BY_ITSELF,
        stage=stage,
        subject=entry.parked_id,
        reason=why,
        details=_about(entry),
        at_us=now_us(),
    )
