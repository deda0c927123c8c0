"""The pipeline's processor: one event and the order's state give the new state and the events that follow.

Pure but for `lanes`, which counts what goes to each destination: `now_us` comes from the task, the definitions and
references are values, and nothing is read or written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from mappings import Plan, References
from schemas.catalog import STATUS
from schemas.codec import CodecError
from schemas.event import Event, Record
from schemas.identity import connector_of, content_hash, derived_event_id, is_order_key
from schemas.wire import BACKFILL, DEFINITION, REVISION, TRACEPARENT
from streams.clock import next_version
from streams.lanes import TOPIC, Lane, Lanes, Urgency, is_urgent, lanes_of_cancel
from streams.newer import Reading, is_newer, reading_in, reading_of
from streams.order_life import empty_state, public_status, reported_jobs, stub, with_report
from streams.route import CANCELLED, Wanted, wanted
from streams.translate import content_of, job_order, memory_of

SOURCE = "pipeline"


@dataclass(frozen=True)
class Addressed:
    """An event and the topic it goes to."""

    topic: str
    event: Event


@dataclass(frozen=True)
class Result:
    """The order's new state (None where nothing changed) and what follows from the event."""

    state: Record | None
    events: Sequence[Addressed] = ()


@dataclass(frozen=True)
class Turn:
    """One event with what its processing needs to know of the world."""

    event: Event
    now_us: int
    plan: Plan
    references: References
    lanes: Lanes

    def urgency(self, order: Record | None, new: bool) -> Urgency:
        """How urgent a record of the order is; `new` is the first one of its subject."""
        if order is not None and is_urgent(order):
            return Urgency.URGENT
        return Urgency.NEW if new else Urgency.CHANGE

    def lane(self, destination: str, urgency: Urgency) -> Lane:
        """The lane of one record that follows from the event."""
        return self.lanes.choose(destination, urgency, self.now_us, BACKFILL in self.event.headers)


def process(
    event: Event, state: Record | None, now_us: int, plan: Plan, references: References, lanes: Lanes | None = None
) -> Result:
    """Take one SalesOrder or JobResponse. What it raises has a cause to be parked by: see `outcome.reason_for`."""
    if not is_order_key(event.key):
        raise CodecError(f"no event about an order: its key {event.key!r:.200} is not <connector>:<number>")
    known, turn = state or empty_state(event.key), Turn(event, now_us, plan, references, lanes or Lanes())
    return _sales_order(turn, known) if event.record == "SalesOrder" else _job_response(turn, known)


def _sales_order(turn: Turn, state: Record) -> Result:
    event, reading = turn.event, _reading(turn.event)
    if not is_newer(reading, reading_in(state)):
        return Result(None)
    digest = content_hash(event.value)
    accepted: Record = {**state, **reading.known(), "content_hash": digest}
    if state["closed"] or digest == state["content_hash"]:
        return Result(accepted)
    before = cast("Record | None", state["order"])
    jobs, sent = _jobs(turn, before, state)
    return _told(turn, {**accepted, "order": event.value, "jobs": jobs}, sent)


def _reading(event: Event) -> Reading:
    """The far system's revision, without which nothing says what is older. Raises CodecError."""
    try:
        return reading_of(event)
    except (KeyError, ValueError) as error:
        raise CodecError(
            f"no event of a source: the header {REVISION} is missing or no revision ({error})"
        ) from error


def _jobs(turn: Turn, before: Record | None, state: Record) -> tuple[list[Record], list[Addressed]]:
    order, key, plan = turn.event.value, turn.event.key, turn.plan
    jobs, reported = cast("Sequence[Record]", state["jobs"]), reported_jobs(state)
    memory = {str(job["job_order_id"]): job for job in jobs}
    sent: list[Addressed] = []
    for want in wanted(order, before, jobs, plan.routes, turn.references):
        made = job_order(plan, key, order, want, turn.references, reported)
        subject = str(made["job_order_id"])
        last = memory.get(subject)
        if last is not None and last["content_hash"] == content_of(made):
            continue
        version = next_version(0 if last is None else cast("int", last["version"]), turn.now_us)
        follow = _following(turn, "JobOrder", subject, made, version)
        waits = last is not None and bool(last["bulk"]) and subject not in reported
        lanes = _lanes(turn, want, last is None, waits, subject in reported)
        memory[subject] = memory_of(want, made, version, waits or Lane.BULK in lanes)
        sent += [Addressed(TOPIC[lane](want.destination), follow) for lane in lanes]
    return [memory[name] for name in sorted(memory)], sent


def _lanes(turn: Turn, want: Wanted, new: bool, waits: bool, reported: bool) -> Sequence[Lane]:
    """The lanes of a job order; `waits` where an earlier record of it may still be in the bulk lane."""
    lane = turn.lane(want.destination, turn.urgency(turn.event.value, new))
    return lanes_of_cancel(waits) if want.desired == CANCELLED and not reported else (lane,)


def _job_response(turn: Turn, state: Record) -> Result:
    progress = cast("Sequence[Record]", state["progress"])
    folded = with_report(progress, _reading(turn.event), turn.event.value)
    if folded == list(progress):
        return Result(None)
    return _told(turn, {**state, "progress": folded}, [])


def _told(turn: Turn, state: Record, sent: list[Addressed]) -> Result:
    """Tell the status where it differs from the one last told, and shrink a closed order."""
    status = public_status(state)
    if status is not None and _says(status) != _says(cast("Record | None", state["status"])):
        known = cast("int", state["status_version"])
        version, key = next_version(known, turn.now_us), turn.event.key
        state = {**state, "status": status, "status_version": version, "closed": False}
        follow = _following(turn, "OrderStatus", key, status, version)
        lane = turn.lane(connector_of(key), turn.urgency(cast("Record | None", state["order"]), known == 0))
        sent = [*sent, Addressed(STATUS, follow), Addressed(TOPIC[lane](connector_of(key)), follow)]
    closed = status is not None and status["state"] == "closed"
    return Result(stub(state) if closed else state, sent)


def _says(status: Record | None) -> Record | None:
    """What a status tells but its stamp: where a system stamps our own writes, telling that would never end."""
    return None if status is None else {**status, "changed_at": None}


def _following(turn: Turn, record: str, subject: str, value: Record, version: int) -> Event:
    event, plan = turn.event, turn.plan
    carried = {TRACEPARENT: event.headers[TRACEPARENT]} if TRACEPARENT in event.headers else {}
    stage = f"{SOURCE}/{record}/{subject}"
    return Event(
        record=record,
        key=event.key,
        subject=subject,
        id=derived_event_id(event.id, stage, plan.id),
        source=SOURCE,
        time_us=version,
        version=version,
        value=value,
        headers={**carried, DEFINITION: plan.id},
    )
