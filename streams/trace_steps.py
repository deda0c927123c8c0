"""The steps of a trace: each message about an order in one line that a person reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from schemas.catalog import NAMESPACE
from schemas.codec import CodecError
from schemas.event import Record
from schemas.readable import decimal_of
from schemas.wire import DEFINITION, REVISION, TRACEPARENT, VERSION, header_texts
from streams.kafka.client import Message
from streams.kafka.cluster import Cluster
from streams.kafka.consuming import key_of, place
from streams.order_life import totals


@dataclass(frozen=True)
class Step:
    """One message. `time_us` is when the bus took it, `happened` when the fact became true (RFC 3339, as written)."""

    time_us: int
    topic: str
    what: str
    subject: str
    who: str
    says: str
    version: str
    revision: str
    happened: str
    ce_id: str
    traceparent: str
    definition: str


def step_of(cluster: Cluster, message: Message) -> Step:
    """The step that a message of the bus is; also of one that cannot be decoded."""
    headers = header_texts(message.headers())
    key = key_of(message)
    record = headers.get("ce_type", "").removeprefix(f"{NAMESPACE}.")
    if message.value() is None:
        what, says = "Parked", "resolved"
    else:
        what, says = record or "?", _says(cluster, record, message.value())
    return Step(
        time_us=message.timestamp()[1] * 1000,
        topic=cluster.plain(place(message)[0]),
        what=what,
        subject=headers.get("ce_subject", key),
        who=headers.get("ce_source", ""),
        says=says,
        version=headers.get(VERSION, ""),
        revision=headers.get(REVISION, ""),
        happened=headers.get("ce_time", ""),
        ce_id=headers.get("ce_id", ""),
        traceparent=headers.get(TRACEPARENT, ""),
        definition=headers.get(DEFINITION, ""),
    )


def in_order(steps: Sequence[Step]) -> list[Step]:
    """Oldest first; what the bus took in one millisecond goes the way of the bus."""
    way = {"SalesOrder": 0, "JobOrder": 1, "JobResponse": 2, "OrderStatus": 3, "Parked": 4}
    return sorted(steps, key=lambda each: (each.time_us, way.get(each.what, 5), each.topic))


def _says(cluster: Cluster, record: str, data: bytes | None) -> str:
    if record not in SAYS:
        return "not a record that a trace knows"
    try:
        return SAYS[record](cluster.reader(record)(data))
    except CodecError as error:
        return f"cannot be read: {error}"


def _sales_order(value: Record) -> str:
    state = "cancelled" if value["cancelled"] else "released" if value["released"] else "not released"
    lines = [_amount(line) for line in _listed(value, "lines")]
    return f"{state}: {', '.join(lines) or 'no lines'}"


def _job_order(value: Record) -> str:
    return f"wanted {value['desired']!s}: {_amount(value)}"


def _job_response(value: Record) -> str:
    return f"{value['state']!s}: {quantities(totals(value))}"


def _order_status(value: Record) -> str:
    good, scrap, rework = (cast("int", value[name]) for name in ("good", "scrap", "rework"))
    reason = f" ({value['reason']!s})" if value["reason"] else ""
    return f"{value['state']!s} {value['percent']!s} %: {quantities((good, scrap, rework))}{reason}"


def _parked(value: Record) -> str:
    return f"{value['cause']!s}, attempt {value['attempts']!s}: {value['message']!s}"


def quantities(found: tuple[int, int, int]) -> str:
    """Good, scrap and rework (unscaled) as words."""
    return ", ".join(f"{name} {decimal_of(value)}" for name, value in zip(NAMES, found, strict=True))


def _amount(value: Record) -> str:
    return f"{decimal_of(cast('int', value['quantity']))} {value['unit']!s} of {value['item']!s}"


def _listed(value: Record, name: str) -> Sequence[Record]:
    return cast("Sequence[Record]", value[name])


NAMES = ("good", "scrap", "rework")

SAYS: Mapping[str, Callable[[Record], str]] = {
    "SalesOrder": _sales_order,
    "JobOrder": _job_order,
    "JobResponse": _job_response,
    "OrderStatus": _order_status,
    "Parked": _parked,
}
