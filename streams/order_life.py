"""Pure step 3: the life of an order, folded from what the CRM wants and what the MES reports.

    placed → waiting → planned → released → running → completed → delivered → closed, with held and aborted

Pushed reports fold commutatively: in any order and with any repetition the same result comes out. What was fetched
goes by when it was read; see newer.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

from schemas.event import Canonical, Record
from schemas.identity import order_number
from streams.newer import Reading, read_later, reading_in

Totals: TypeAlias = tuple[int, int, int]
"""Good, scrap, rework: unscaled."""

ENDED = frozenset({"completed", "closed", "aborted"})
UNTOUCHED = frozenset({"planned", "released"})


def empty_state(key: str) -> Record:
    """The state of an order nothing is known of yet."""
    return {
        "order_key": key,
        "closed": False,
        "revision": "",
        "as_of": 0,
        "fetched": False,
        "content_hash": "",
        "order": None,
        "jobs": [],
        "progress": [],
        "decisions": [],
        "status": None,
        "status_version": 0,
    }


def with_report(progress: Sequence[Record], reading: Reading, response: Record) -> list[Record]:
    """The newest report of every job, `response` included; pushed ones in any order and repetition give the same."""
    job = str(response["job_order_id"])
    newest = {str(_response(each)["job_order_id"]): each for each in progress}
    mine: Record = {**reading.known(), "response": response}
    known = newest.get(job)
    if known is None or (known["revision"] != reading.revision and _replaces(mine, known)):
        newest[job] = mine
    return [newest[name] for name in sorted(newest)]


def reported_jobs(state: Record) -> frozenset[str]:
    """The job orders that their MES has reported on: they exist there."""
    return frozenset(str(_response(each)["job_order_id"]) for each in _listed(state, "progress"))


def _replaces(mine: Record, known: Record) -> bool:
    later = read_later(reading_in(mine), reading_in(known))
    return _rank(mine) > _rank(known) if later is None else later


def _rank(entry: Record) -> tuple[int, int, str]:
    """Newer stamp first; within one stamp the one that reports more, since cumulative quantities grow."""
    reading = reading_in(entry)
    reported = sum(sum(_totals_of(each)) for each in _operations(_response(entry)))
    return reading.stamp_us, reported, reading.revision


def _response(entry: Record) -> Record:
    return cast("Record", entry["response"])


def _operations(response: Record) -> Sequence[Record]:
    return cast("Sequence[Record]", response["operations"])


def _totals_of(operation: Record) -> Totals:
    return cast("int", operation["good"]), cast("int", operation["scrap"]), cast("int", operation["rework"])


def totals(response: Record) -> Totals:
    """A job's good, scrap and rework: good is what its last operation made (by last end; a tie goes to the later)."""
    operations = _operations(response)
    if not operations:
        return 0, 0, 0
    ends = [cast("int | None", each["ended_at"]) or 0 for each in operations]
    last = max(range(len(operations)), key=lambda index: (ends[index], index))
    scrap = sum(_totals_of(each)[1] for each in operations)
    rework = sum(_totals_of(each)[2] for each in operations)
    return _totals_of(operations[last])[0], scrap, rework


def public_status(state: Record) -> Record | None:
    """The public status of an order; None before the CRM has said anything about it."""
    order = cast("Record | None", state["order"])
    told = cast("Record | None", state["status"])
    if order is None and told is None:
        return None
    reports = {str(_response(each)["job_order_id"]): _response(each) for each in _listed(state, "progress")}
    lines = _lines(order, told, _listed(state, "jobs"), reports)
    name, reason = _name_and_reason(order, _listed(state, "jobs"), reports)
    facts = order if order is not None else cast("Record", told)
    good, scrap, rework = _made(reports)
    return {
        "order_key": state["order_key"],
        "number": order_number(str(state["order_key"])),
        "reference": facts["reference"],
        "state": name,
        "percent": _percent(lines),
        "promised_date": None,
        "forecast_date": None,
        "late": False,
        "good": good,
        "scrap": scrap,
        "rework": rework,
        "lines": lines,
        "reason": reason,
        "placed_at": facts["placed_at"],
        **_times(name, order, reports),
    }


def _listed(state: Record, name: str) -> Sequence[Record]:
    return cast("Sequence[Record]", state[name])


def _lines(
    order: Record | None, told: Record | None, jobs: Sequence[Record], reports: Mapping[str, Record]
) -> list[Record]:
    job_of = {str(job["line_id"]): str(job["job_order_id"]) for job in jobs}
    known = _listed(order, "lines") if order is not None else _listed(cast("Record", told), "lines")
    found: list[Record] = []
    for line in known:
        line_id = str(line["id"] if order is not None else line["line_id"])
        report = reports.get(job_of.get(line_id, ""))
        good, scrap, rework = (0, 0, 0) if report is None else totals(report)
        ordered = line["quantity"] if order is not None else line["ordered"]
        quantities: Mapping[str, Canonical] = {"ordered": ordered, "good": good, "scrap": scrap, "rework": rework}
        ids: Mapping[str, Canonical] = {"line_id": line_id, "item": line["item"], "unit": line["unit"]}
        found.append({**ids, **quantities, "shipped": 0, "returned": 0})
    return found


def _name_and_reason(
    order: Record | None, jobs: Sequence[Record], reports: Mapping[str, Record]
) -> tuple[str, str | None]:
    """The order's place in its life, from its jobs' states."""
    states = [str(reports[job]["state"]) if job in reports else "planned" for job in _job_ids(jobs, reports)]
    off = order is not None and bool(order["cancelled"])
    if off and all(each in ("aborted", "planned") for each in states):
        return "aborted", "cancelled in the CRM"
    if not states:
        waiting = order is not None and not order["released"]
        return ("waiting", "waits for release in the CRM") if waiting else ("placed", None)
    name, reason = _combined(set(states))
    if off and name not in ENDED:
        return name, "cancellation asked for; production has not answered yet"
    return name, reason


def _job_ids(jobs: Sequence[Record], reports: Mapping[str, Record]) -> list[str]:
    return sorted({str(job["job_order_id"]) for job in jobs} | set(reports))


def _combined(states: set[str]) -> tuple[str, str | None]:
    if states == {"aborted"}:
        return "aborted", "aborted in production"
    states = states - {"aborted"}
    if states <= {"completed", "closed"}:
        return ("closed" if states == {"closed"} else "completed"), None
    if "held" in states:
        return "held", "held in production"
    if states <= UNTOUCHED:
        return ("planned" if "planned" in states else "released"), None
    return "running", None


def _percent(lines: Sequence[Record]) -> int:
    ordered = [(cast("int", line["ordered"]), cast("int", line["good"])) for line in lines]
    shares = [min(100, max(0, good) * 100 // wanted) for wanted, good in ordered if wanted > 0]
    return sum(shares) // len(shares) if shares else 0


def _made(reports: Mapping[str, Record]) -> Totals:
    """What all jobs made: it stays made where the CRM takes the line or the whole order away."""
    good, scrap, rework = (sum(column) for column in zip((0, 0, 0), *map(totals, reports.values()), strict=True))
    return good, scrap, rework


def _times(name: str, order: Record | None, reports: Mapping[str, Record]) -> Record:
    operations = [each for report in reports.values() for each in _operations(report)]
    started = [cast("int", each["started_at"]) for each in operations if each["started_at"] is not None]
    ended = [cast("int", each["ended_at"]) for each in operations if each["ended_at"] is not None]
    changed = [cast("int", report["changed_at"]) for report in reports.values()]
    if order is not None and order["changed_at"] is not None:
        changed.append(cast("int", order["changed_at"]))
    finished = name in ("completed", "closed")
    return {
        "started_at": min(started, default=None),
        "completed_at": max(ended, default=None) if finished else None,
        "changed_at": max(changed, default=None),
    }


def stub(state: Record) -> Record:
    """What stays of a closed order: enough that no resync and no mass edit makes its work orders again.

    The reports keep their revisions and their figures, so that a late older report changes nothing and a correction
    of one job leaves the figures of the others.
    """
    kept = [{**each, "response": _shrunk(_response(each))} for each in _listed(state, "progress")]
    return {**state, "closed": True, "order": None, "progress": kept}


def _shrunk(response: Record) -> Record:
    """The report with two operations at most, all before the last and the last, that count as much as all did."""
    operations = sorted(_operations(response), key=lambda each: cast("int | None", each["ended_at"]) or 0)
    merged = [_merged(part) for part in (operations[:-1], operations[-1:]) if part]
    return {**response, "operations": merged}


def _merged(operations: Sequence[Record]) -> Record:
    good, scrap, rework = (sum(column) for column in zip(*map(_totals_of, operations), strict=True))
    started = [cast("int", each["started_at"]) for each in operations if each["started_at"] is not None]
    ended = [cast("int", each["ended_at"]) for each in operations if each["ended_at"] is not None]
    return {
        "operation": operations[-1]["operation"],
        "equipment": None,
        "good": good,
        "scrap": scrap,
        "rework": rework,
        "started_at": min(started, default=None),
        "ended_at": max(ended, default=None),
        "lots": [],
    }
