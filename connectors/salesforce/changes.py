"""Change events as notices: which orders must be read again. What changed is never taken from an event.

An event says too little (nulls mean "not changed", hidden fields are absent, deleted lines lose their order), so it
only ever leads to a fetch of whole records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.salesforce.bitmaps import named

ORDER, LINE = "Order", "OrderItem"
OVERFLOW = "GAP_OVERFLOW"
END_OF_TIME_MS = 253_402_300_800_000  # the year 10000


@dataclass(frozen=True)
class Change:
    """One event: what happened to which records. `order_ids` are those that a line's event names itself."""

    entity: str
    kind: str
    record_ids: tuple[str, ...]
    commit_us: int
    origin: str = ""
    order_id: str | None = None
    changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Work:
    """What notices ask for, ids with the newest commit time (UTC microseconds) of their notices.

    Orders to read, lines whose order must be found first, lines that were deleted, and why everything must be read
    again, empty where it need not. An overflow names no record: what changed since the last event is read.
    """

    orders: Mapping[str, int] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    deleted_lines: Mapping[str, int] = field(default_factory=dict)
    resync: str = ""


def change_of(event: Mapping[str, Any], schema: Mapping[str, Any]) -> Change:
    """The notice in a decoded event. Raises ValueError or KeyError where it is no change event of that schema."""
    header = event["ChangeEventHeader"]
    order_id = event.get("OrderId")  # there on creation, or where the channel member enriches it
    commit_ms, ids = header["commitTimestamp"], header["recordIds"]
    if not isinstance(commit_ms, int) or not 0 <= commit_ms < END_OF_TIME_MS:
        raise ValueError(f"commitTimestamp is no time in milliseconds since 1970: {commit_ms!r:.100}")
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        raise ValueError(f"recordIds is no list of ids: {ids!r:.100}")
    return Change(
        entity=str(header["entityName"]),
        kind=str(header["changeType"]),
        record_ids=tuple(ids),
        commit_us=commit_ms * 1000,
        origin=str(header["changeOrigin"]),
        order_id=order_id if isinstance(order_id, str) else None,
        changed=tuple(named(header["changedFields"], schema)),
    )


def work_of(changes: Iterable[Change], order_of_line: Mapping[str, str]) -> Work:
    """What some notices ask for, each order once; `order_of_line` is what is known already."""
    orders: dict[str, int] = {}
    lines: dict[str, int] = {}
    deleted_lines: dict[str, int] = {}
    resync = ""
    for change in changes:
        if change.entity not in (ORDER, LINE) or change.kind == OVERFLOW:
            continue  # a channel may carry more objects than we follow
        reason = resync_reason(change)
        resync = resync or reason
        if reason:
            continue
        for record_id in change.record_ids:
            if change.entity == LINE and change.kind.endswith("DELETE") and not change.kind.endswith("UNDELETE"):
                deleted_lines[record_id] = change.commit_us
            order_id = record_id if change.entity == ORDER else change.order_id or order_of_line.get(record_id)
            if order_id is None:
                lines[record_id] = max(lines.get(record_id, 0), change.commit_us)
            else:
                orders[order_id] = max(orders.get(order_id, 0), change.commit_us)
    return Work(orders, lines, deleted_lines, resync)


def resync_reason(change: Change) -> str:
    """Why one notice cannot be answered by reading its records; empty where it can."""
    wild = [record_id for record_id in change.record_ids if "*" in record_id]
    return f"{change.entity}: all of {wild[0]} changed" if wild else ""
