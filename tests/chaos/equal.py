"""Whether both sides show one order as it should be: written anew here, so that the bus cannot agree with itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from tests.chaos.facts import Operation, Status, Wanted, Work

UNIT = "pcs"

OPEN_STATES = frozenset({"released", "running", "completed"})
ENDED_STATES = frozenset({"cancelled", "cancel_requested", "completed"})

REPORTED: Mapping[str, str] = {
    "released": "released",
    "held": "held",
    "cancel_requested": "running",
    "running": "running",
    "completed": "completed",
    "cancelled": "aborted",
}
"""What a work order's state means for the customer's order."""


def unequal(
    order: Wanted, works: Mapping[str, Sequence[Work]], gone: Set[str], statuses: Sequence[Status]
) -> list[str]:
    """Every difference between what is wanted, what the shop floor has and what the customer is shown.

    `gone` are the job ids whose work order a person deleted.
    """
    found: list[str] = []
    for line, wished in order.lines.items():
        job = order.job(line)
        mine = works.get(job, ())
        if len(mine) > 1:
            found.append(f"{job}: {len(mine)} work orders")
        elif mine:
            found += _fields(order, wished.item, wished.quantity, mine[0])
        elif not order.cancelled and job not in gone:
            found.append(f"{job}: no work order")
    return [*found, *_status(order, works, gone, statuses)]


def _fields(order: Wanted, item: str, quantity: float, work: Work) -> list[str]:
    pairs = {
        "item": (item, work.item),
        "quantity": (quantity, work.quantity),
        "unit": (UNIT, work.unit),
        "due": (order.due, work.due),
        "priority": (order.priority, work.priority),
    }
    if order.deleted:  # a change of the lines just before may never have been read
        del pairs["quantity"]
    found = [
        f"{work.job}: {name} {have!r} instead of {want!r}" for name, (want, have) in pairs.items() if want != have
    ]
    allowed = ENDED_STATES if order.cancelled else OPEN_STATES
    if work.state not in allowed:
        found.append(f"{work.job}: state {work.state!r} where {'cancelled' if order.cancelled else 'open'} is wanted")
    return found


def _status(
    order: Wanted, works: Mapping[str, Sequence[Work]], gone: Set[str], statuses: Sequence[Status]
) -> list[str]:
    if len(statuses) != 1:
        return [f"{order.key}: {len(statuses)} production statuses in Salesforce"]
    status, mine = statuses[0], [each for job in order.jobs for each in works.get(job, ())[:1]]
    lost = [job for job in order.jobs if not works.get(job)]
    states = [REPORTED.get(each.state, each.state) for each in mine]
    states += ["aborted" for job in lost if job in gone]
    unmade = ["planned" for job in lost if job not in gone]
    wanted = {order_state(order.cancelled, [*states, *unmade])}
    if order.cancelled:  # whether a line that was never made had got a job order before the cancellation is all one
        wanted.add(order_state(True, states))
    sums = [totals(each.operations) for each in mine]
    good, scrap, rework = (sum(column) for column in zip((0.0, 0.0, 0.0), *sums, strict=True))
    state = status.state if status.state in wanted else sorted(wanted)[0]
    pairs: dict[str, tuple[object, object]] = {"state": (state, status.state)}
    if not gone & set(order.jobs):  # what a deleted work order had made is not to be seen any more
        pairs |= {"good": (good, status.good), "scrap": (scrap, status.scrap), "rework": (rework, status.rework)}
    return [
        f"{order.key}: status {n} {have!r} instead of {want!r}" for n, (want, have) in pairs.items() if want != have
    ]


def totals(operations: Sequence[Operation]) -> tuple[float, float, float]:
    """Good of the operation that ended last (a tie goes to the later row), scrap and rework of all."""
    if not operations:
        return 0.0, 0.0, 0.0
    last = max(range(len(operations)), key=lambda index: (operations[index].ended, index))
    scrap, rework = sum(each.scrap for each in operations), sum(each.rework for each in operations)
    return operations[last].good, scrap, rework


def order_state(cancelled: bool, states: Sequence[str]) -> str:
    """The order's public state from those of its work orders."""
    if cancelled and set(states) <= {"aborted", "planned"}:
        return "aborted"
    left = set(states) - {"aborted"}
    if not left:
        return "aborted"
    if left == {"completed"}:
        return "completed"
    if "held" in left:
        return "held"
    if left <= {"planned", "released"}:
        return "planned" if "planned" in left else "released"
    return "running"
