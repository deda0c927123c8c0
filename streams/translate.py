"""Pure step 2: a wanted order line becomes the job order of its destination, by the administrator's mapping."""

from __future__ import annotations

from collections.abc import Collection

from mappings import Context, Plan, References
from schemas.event import Record
from schemas.identity import connector_of, content_hash, job_order_id
from streams.outcome import NoMapping
from streams.route import Wanted


def job_order(
    plan: Plan, key: str, order: Record, want: Wanted, references: References, reported: Collection[str] = ()
) -> Record:
    """The JobOrder record of one wanted line; `reported` are the job orders their MES has reported on.

    Raises MappingFailed or NoMapping.
    """
    compiled = plan.between("SalesOrder", "JobOrder", want.destination)
    if compiled is None:
        raise NoMapping(f"no live mapping makes a JobOrder for {want.destination!r}")
    context = Context(
        connector=connector_of(key),
        key=key,
        subject=job_order_id(key, str(want.line["id"])),
        version=0,
        destination=want.destination,
        references=references,
        line=want.line,
    )
    made = compiled.apply(order, context)
    if made is None:
        raise NoMapping(f"the live mapping of a JobOrder for {want.destination!r} leaves this line out (only_when)")
    return {**made, "desired": want.desired, "reported": made["job_order_id"] in reported}


def content_of(made: Record) -> str:
    """The hash of what a job order asks for; that its MES has reported meanwhile asks for nothing new."""
    return content_hash({name: value for name, value in made.items() if name != "reported"})


def memory_of(want: Wanted, made: Record, version: int, bulk: bool) -> Record:
    """What the pipeline remembers of a job order that it sends; `bulk`: one of its records may wait in that lane."""
    return {
        "job_order_id": made["job_order_id"],
        "line_id": want.line["id"],
        "destination": want.destination,
        "desired": made["desired"],
        "content_hash": content_of(made),
        "version": version,
        "bulk": bulk,
    }
