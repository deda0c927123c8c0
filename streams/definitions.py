"""Live definitions: which mappings, code tables and routes are in force, kept in `bus.definitions`.

Files are drafts; an activation makes them live by one record that holds them all with their content. Workers compile
the newest activation and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from mappings import DefinitionFile, Plan, compile_plan
from mappings.load import DefinitionKind
from schemas.catalog import DEFINITIONS
from schemas.document import DocumentType
from schemas.event import Event, Record
from schemas.identity import content_hash
from schemas.wire import headers_of
from streams.clock import now_us
from streams.kafka.cluster import Cluster
from streams.kafka.reading import Follower
from streams.kafka.transaction import Outgoing, Transactions, Unsettled
from streams.stopping import MustStop

KEY = "live"


class NothingLive(MustStop):
    """No definition was ever activated on this bus."""


def live_files(cluster: Cluster) -> tuple[DefinitionFile, ...]:
    """The files of the newest activation; empty where there is none."""
    follower, newest = Follower(cluster, DEFINITIONS), None
    try:
        for message in follower.read_whole():
            newest = message.value()
    finally:
        follower.close()
    return () if newest is None else _files(cluster.reader("Definition")(newest))


def _files(record: Record) -> tuple[DefinitionFile, ...]:
    listed = cast("Sequence[Mapping[str, str]]", record["files"])
    return tuple(
        DefinitionFile(
            kind=cast("DefinitionKind", each["kind"]),
            name=each["name"],
            version=int(each["version"]),
            text=each["text"],
            file=f"{each['name']} (live)",
        )
        for each in listed
    )


def activation_id(files: Sequence[DefinitionFile]) -> str:
    """The id of an activation of these files, whatever their order."""
    return content_hash(sorted([each.kind, each.name, each.content_hash] for each in files))


def activate(cluster: Cluster, files: Sequence[DefinitionFile], who: str) -> str:
    """Make these files live, all at once; returns the activation's id. They must have been checked before."""
    now, definition = now_us(), activation_id(files)
    record: Record = {
        "definition": definition,
        "activated_at": now,
        "activated_by": who,
        "files": [
            {"kind": f.kind, "name": f.name, "version": f.version, "content_hash": f.content_hash, "text": f.text}
            for f in files
        ],
    }
    event = Event("Definition", KEY, KEY, f"definitions/{definition}", "definitions", now, now, record)
    transactions = Transactions(cluster, "definitions")
    try:
        with transactions.open() as transaction:
            transaction.send(Outgoing(DEFINITIONS, KEY, cluster.writer("Definition")(record), headers_of(event)))
    except Unsettled:
        if activation_id(live_files(cluster)) != definition:
            raise
    finally:
        transactions.close()
    return definition


def live_plan(cluster: Cluster, document_types: Mapping[str, DocumentType]) -> Plan:
    """The compiled live definitions. Raises NothingLive, or DefinitionError where they do not fit the connectors."""
    files = live_files(cluster)
    if not files:
        raise NothingLive(
            "no mapping is live on this bus: run `lineshaft up`, which activates what has no live version"
        )
    return compile_plan(files, document_types)


def drafts_that_differ(live: Sequence[DefinitionFile], drafts: Sequence[DefinitionFile]) -> list[str]:
    """The names of the drafts that are not live as they are, each with its kind."""
    known = {(each.kind, each.name): each.content_hash for each in live}
    return sorted(
        f"{each.kind} {each.name}" for each in drafts if known.get((each.kind, each.name)) != each.content_hash
    )
