"""Live definitions: which mappings, code tables and routes are in force, kept in `bus.definitions`.

Files are drafts; an activation makes them live by one record that holds them all with their content. The last record
of the topic is what is live. Its key is the activation's id, so that compaction keeps every earlier activation once,
for going back to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import cast

from mappings import DefinitionFile, plan_id
from mappings.load import DefinitionKind
from schemas.catalog import DEFINITIONS
from schemas.event import Event, Record
from schemas.wire import headers_of
from streams.audit import AuditLog
from streams.audit_chain import Deed
from streams.clock import now_us
from streams.definition_changes import told
from streams.kafka.cluster import Cluster
from streams.kafka.reading import Follower
from streams.kafka.transaction import Outgoing, Transactions, Unsettled, checked_size
from streams.stopping import MustStop

TRANSACTIONAL_ID = "definitions"


class NothingLive(MustStop):
    """No definition was ever activated on this bus."""


class ActivatedMeanwhile(MustStop):
    """Somebody else has activated since the caller looked, who chose what to make live against the old state."""


@dataclass(frozen=True)
class Activation:
    """What was made live at once. `at_us` is when, UTC microseconds; `who` did it. `definition` is the plan's id."""

    definition: str
    at_us: int
    who: str
    files: tuple[DefinitionFile, ...]

    @property
    def stamp(self) -> tuple[str, int]:
        """What tells it from every other one, also from an earlier one of the same files."""
        return self.definition, self.at_us


NOTHING = Activation("", 0, "", ())


def activation_of(record: Record) -> Activation:
    """The activation in a Definition record."""
    listed = cast("Sequence[Mapping[str, str]]", record["files"])
    files = (
        DefinitionFile(
            kind=cast("DefinitionKind", each["kind"]),
            name=each["name"],
            version=int(each["version"]),
            text=each["text"],
            file=f"{each['name']} (live)",
        )
        for each in listed
    )
    at, who = cast("int", record["activated_at"]), str(record["activated_by"])
    return Activation(str(record["definition"]), at, who, tuple(files))


def history(cluster: Cluster) -> list[Activation]:
    """Every activation that the topic has, the live one last; one that was gone back to stands where it was last."""
    follower, read = Follower(cluster, DEFINITIONS), cluster.reader("Definition")
    try:
        found = [activation_of(read(message.value())) for message in follower.read_whole()]
    finally:
        follower.close()
    last: dict[str, Activation] = {}
    for each in found:
        last.pop(each.definition, None)
        last[each.definition] = each
    return list(last.values())


def newest(past: Sequence[Activation]) -> Activation:
    """The one of a history that is live; NOTHING where there is none."""
    return past[-1] if past else NOTHING


def live(cluster: Cluster) -> Activation:
    """The newest activation; NOTHING where there is none."""
    return newest(history(cluster))


def live_files(cluster: Cluster) -> tuple[DefinitionFile, ...]:
    """The files of the newest activation; empty where there is none."""
    return live(cluster).files


def activate(cluster: Cluster, files: Sequence[DefinitionFile], who: str, after: Activation | None = None) -> str:
    """Make these files live, all at once and audited; returns the activation's id. They must have been checked.

    Raises ActivatedMeanwhile where something else is live than `after`, TooLarge where they do not fit one record,
    and NotAudited: nothing was activated then.
    """
    transactions = Transactions(cluster, TRANSACTIONAL_ID)  # whoever is in the middle of activating is fenced
    try:
        before = live(cluster)
        if after is not None and before.stamp != after.stamp:
            raise ActivatedMeanwhile(
                f"{before.who} has activated {before.definition} meanwhile; look and begin again"
            )
        made = Activation(plan_id(files), max(now_us(), before.at_us + 1), who, tuple(files))
        _make_live(cluster, transactions, before, made)
    finally:
        transactions.close()
    return made.definition


def _make_live(cluster: Cluster, transactions: Transactions, before: Activation, made: Activation) -> None:
    record = _outgoing(cluster, made)
    with closing(AuditLog(cluster)) as audit:
        audit.append([_deed(before, made)])
    try:
        with transactions.open() as transaction:
            transaction.send(record)
    except Unsettled:
        if live(cluster).stamp != made.stamp:
            raise


def _outgoing(cluster: Cluster, made: Activation) -> Outgoing:
    record: Record = {
        "definition": made.definition,
        "activated_at": made.at_us,
        "activated_by": made.who,
        "files": [
            {"kind": f.kind, "name": f.name, "version": f.version, "content_hash": f.content_hash, "text": f.text}
            for f in made.files
        ],
    }
    key, event_id = made.definition, f"definitions/{made.definition}/{made.at_us}"
    event = Event("Definition", key, key, event_id, "definitions", made.at_us, made.at_us, record)
    return checked_size(Outgoing(DEFINITIONS, key, cluster.writer("Definition")(record), headers_of(event)))


def _deed(before: Activation, made: Activation) -> Deed:
    """The same deed where a process died between the audit and the activation and a person did it again."""
    deed_id = f"activate/{made.definition}/after/{before.definition}@{before.at_us}"
    details = {"before": before.definition, "changes": "; ".join(told(before.files, made.files))}
    return Deed(deed_id, "activate", made.who, "", made.definition, "", details, made.at_us)
