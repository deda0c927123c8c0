"""`lineshaft trace ORDER`: what became of one order, across all systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, cast

import typer

from deploy import output
from deploy.exits import FOUND, Refused
from deploy.invocation import project as project_of

if TYPE_CHECKING:
    from schemas.event import Record
    from streams.parked import ParkedRecord
    from streams.trace import Trace
    from streams.trace_steps import Step

STEPS = ("time", "topic", "what", "subject", "who", "says", "version", "revision", "ce_id", "traceparent")
JOBS = ("job_order", "destination", "wanted", "version", "reported", "good", "scrap", "rework")
PARKED = ("id", "stage", "cause", "owner", "attempts", "message")


def add_to(app: typer.Typer) -> None:
    """Add `trace`."""
    app.command("trace")(trace)


def trace(
    context: typer.Context,
    order: Annotated[
        str, typer.Argument(help="The order's number, key (crm:00000001), reference, or a job order id.")
    ],
    as_json: output.Json = False,
) -> None:
    """Show every message about an order, oldest first, then where it stands; exit 1 where nobody knows it."""
    from deploy.wiring import bus_with_topics
    from streams.trace import UnknownOrder
    from streams.trace import trace as trace_of

    bus = bus_with_topics(project_of(context))
    try:
        found = trace_of(bus, order)
    except UnknownOrder as unknown:
        near = f"Nearest: {', '.join(unknown.nearest)}. " if unknown.nearest else ""
        remedy = f"{near}Was it placed, and does `lineshaft run source` run?"
        raise Refused(f"no order {order!r} is known on this bus.", remedy, FOUND) from unknown
    steps, state = [_step(each) for each in found.steps], _state(found)
    jobs, parked = _jobs(found.state), [_parked(each) for each in found.parked]
    if as_json:
        whole = {"order": found.key, "timeline": steps, "state": state, "jobs": jobs, "parked": parked}
        output.record(whole, as_json=True)
        return
    output.rows(steps, STEPS, as_json=False, empty="no messages: the parked record is all there is")
    output.line("")
    output.record(state, as_json=False)
    _section(jobs, JOBS)
    _section(parked, PARKED)


def _section(found: Sequence[output.Row], columns: Sequence[str]) -> None:
    if found:
        output.line("")
        output.rows(found, columns, as_json=False)


def _step(step: Step) -> dict[str, object]:
    from schemas.wire import iso_instant

    return {"time": iso_instant(step.time_us), **{k: v for k, v in asdict(step).items() if k != "time_us"}}


def _state(found: Trace) -> dict[str, object]:
    """Where the order stands now."""
    from schemas.readable import readable

    if found.state is None:
        said = "parked" if found.parked else "on its way: the pipeline has not accepted it yet"
        return {"order": found.key, "state": said}
    told = cast("Record | None", found.state["status"])
    status = {} if told is None else readable("OrderStatus", told)
    shown = ("number", "reference", "state", "percent", "good", "scrap", "rework", "reason", "started_at")
    return {
        "order": found.key,
        **{name: status.get(name) for name in (*shown, "completed_at")},
        "closed": found.state["closed"],
        "revision": found.state["revision"],
        "status_version": found.state["status_version"],
    }


def _jobs(state: Record | None) -> list[dict[str, object]]:
    if state is None:
        return []
    reports = [cast("Record", each["response"]) for each in cast("Sequence[Record]", state["progress"])]
    by_job = {str(each["job_order_id"]): each for each in reports}
    found: list[dict[str, object]] = []
    for job in cast("Sequence[Record]", state["jobs"]):
        report = by_job.pop(str(job["job_order_id"]), None)
        wanted = {"destination": job["destination"], "wanted": job["desired"], "version": job["version"]}
        found.append({"job_order": job["job_order_id"], **wanted, **_reported(report)})
    return found + [{"job_order": name, **_reported(report)} for name, report in by_job.items()]


def _reported(report: Record | None) -> dict[str, object]:
    from schemas.readable import decimal_of
    from streams.order_life import totals

    if report is None:
        return {"reported": "nothing yet"}
    good, scrap, rework = (decimal_of(each) for each in totals(report))
    return {"reported": report["state"], "good": good, "scrap": scrap, "rework": rework}


def _parked(parked: ParkedRecord) -> dict[str, object]:
    value = parked.value
    names = ("cause", "message", "owner", "waits_for", "attempts")
    return {"id": parked.parked_id, "stage": parked.stage, **{name: value[name] for name in names}}
