"""The pipeline's processor: one event and the order's state give the new state and the events that follow.

Pure: `now_us` comes from the task, the definitions and references are values, and nothing is read or written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from mappings import Plan, References
from schemas.catalog import STATUS, sink_topic
from schemas.codec import CodecError
from schemas.event import Event, Record
from schemas.identity import connector_of, content_hash, derived_event_id
from schemas.wire import DEFINITION, REVISION, TRACEPARENT
from streams.clock import next_version
from streams.newer import Reading, is_newer, reading_in, reading_of
from streams.order_life import empty_state, public_status, reported_jobs, stub, with_report
from streams.route import wanted
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


def process(event: Event, state: Record | None, now_us: int, plan: Plan, references: References) -> Result:
    """Take one SalesOrder or JobResponse. Raises MappingFailed or NoRoute where it has to be parked."""
    known = state or empty_state(event.key)
    if event.record == "SalesOrder":
        return _sales_order(event, known, now_us, plan, references)
    return _job_response(event, known, now_us, plan)


def _sales_order(event: Event, state: Record, now_us: int, plan: Plan, references: References) -> Result:
    reading = _reading(event)
    if not is_newer(reading, reading_in(state)):
        return Result(None)
    digest = content_hash(event.value)
    accepted: Record = {**state, **reading.known(), "content_hash": digest}
    if state["closed"] or digest == state["content_hash"]:
        return Result(accepted)
    before = cast("Record | None", state["order"])
    jobs, sent = _jobs(event, before, state, now_us, plan, references)
    return _told(event, {**accepted, "order": event.value, "jobs": jobs}, sent, now_us, plan)


def _reading(event: Event) -> Reading:
    """The far system's revision, without which nothing says what is older. Raises CodecError."""
    try:
        return reading_of(event)
    except (KeyError, ValueError) as error:
        raise CodecError(
            f"no event of a source: the header {REVISION} is missing or no revision ({error})"
        ) from error


def _jobs(
    event: Event, before: Record | None, state: Record, now_us: int, plan: Plan, references: References
) -> tuple[list[Record], list[Addressed]]:
    jobs, reported = cast("Sequence[Record]", state["jobs"]), reported_jobs(state)
    memory = {str(job["job_order_id"]): job for job in jobs}
    sent: list[Addressed] = []
    for want in wanted(event.value, before, jobs, plan.routes, references):
        made = job_order(plan, event.key, event.value, want, references, reported)
        last = memory.get(str(made["job_order_id"]))
        if last is not None and last["content_hash"] == content_of(made):
            continue
        version = next_version(0 if last is None else cast("int", last["version"]), now_us)
        subject = str(made["job_order_id"])
        memory[subject] = memory_of(want, made, version)
        follow = _following(event, "JobOrder", subject, made, version, plan)
        sent.append(Addressed(sink_topic(want.destination), follow))
    return [memory[name] for name in sorted(memory)], sent


def _job_response(event: Event, state: Record, now_us: int, plan: Plan) -> Result:
    progress = cast("Sequence[Record]", state["progress"])
    folded = with_report(progress, _reading(event), event.value)
    if folded == list(progress):
        return Result(None)
    return _told(event, {**state, "progress": folded}, [], now_us, plan)


def _told(event: Event, state: Record, sent: list[Addressed], now_us: int, plan: Plan) -> Result:
    """Tell the status where it differs from the one last told, and shrink a closed order."""
    status = public_status(state)
    if status is not None and status != state["status"]:
        version = next_version(cast("int", state["status_version"]), now_us)
        state = {**state, "status": status, "status_version": version, "closed": False}
        follow = _following(event, "OrderStatus", event.key, status, version, plan)
        sent = [*sent, Addressed(STATUS, follow), Addressed(sink_topic(connector_of(event.key)), follow)]
    closed = status is not None and status["state"] == "closed"
    return Result(stub(state) if closed else state, sent)


def _following(event: Event, record: str, subject: str, value: Record, version: int, plan: Plan) -> Event:
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
