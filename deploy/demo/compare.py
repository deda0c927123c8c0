"""What the log says against what both systems' books say: no part of the bus computes anything here.

Imports the standard library only and reads the log itself; the books are read by the modules `…_books` beside it.
Meaning of the figures of one work order:

    good     sum of qty_completed over all rows of the operation whose last `end` is greatest (tie: the later row)
    scrap    sum of qty_mrb over all rows
    rework   number of rows with Y
    state    completed, once its last row is reported
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias, cast

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Table: TypeAlias = "dict[str, Json]"

CONNECTOR = "crm"


@dataclass(frozen=True)
class Made:
    """One work order as one side says it."""

    ordered: float
    good: float
    scrap: float
    rework: float
    state: str = "completed"


@dataclass(frozen=True)
class Order:
    """One order in the shop's books: the job orders that its lines must have, and what it orders."""

    work_order: str
    number: str
    jobs: Mapping[str, float]


@dataclass(frozen=True)
class ShopBooks:
    """All orders of a shop, and the production status told for each order key. `name` is the system's, for people."""

    name: str
    orders: Sequence[Order]
    statuses: Mapping[str, Made]


@dataclass(frozen=True)
class FloorBooks:
    """All work orders of a floor by their job order id; more than one of an id is itself a difference."""

    name: str
    jobs: Mapping[str, Sequence[Made]]


@dataclass(frozen=True)
class Difference:
    """One thing that is not as the log says."""

    work_order: str
    where: str
    field: str
    expected: str
    found: str


def compare(log: Path, shop: ShopBooks, floor: FloorBooks) -> Table:
    """The report: figures of both sides and every difference."""
    expected = from_log(log)
    told = [made for made in shop.statuses.values() if made.state == "completed"]
    return {
        "orders_expected": len(expected),
        "orders_completed": len(told),
        "quantity_good_expected": _plain(sum(made.good for made in expected.values())),
        "quantity_good_reported": _plain(sum(made.good for made in told)),
        "differences": [cast("Json", vars(each)) for each in _differences(expected, shop, floor)],
    }


def from_log(path: Path) -> dict[str, Made]:
    """Every work order of the log by its number."""
    rows: dict[str, list[Mapping[str, str]]] = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["work_order"].strip(), []).append(row)
    return {number: _made(own) for number, own in rows.items()}


def job_order_id(number: str, line: str) -> str:
    """The job order of an order's line, as the bus must call it."""
    return f"{CONNECTOR}:{number}/{line}"


def quantity(value: Json) -> float:
    """A quantity in a book, where nothing is nothing made."""
    return float(cast("float", value or 0))


def _made(rows: Sequence[Mapping[str, str]]) -> Made:
    ends = [(datetime.fromisoformat(row["end"]), index) for index, row in enumerate(rows)]
    last = rows[max(ends)[1]]["operation"].strip()
    good = sum(int(row["qty_completed"]) for row in rows if row["operation"].strip() == last)
    rework = sum(1 for row in rows if row["rework"].strip() == "Y")
    return Made(int(rows[0]["order_qty"]), good, sum(int(row["qty_mrb"]) for row in rows), rework)


def _plain(quantity: float) -> int | float:
    """A whole quantity without a point."""
    return int(quantity) if quantity == int(quantity) else quantity


def _differences(expected: Mapping[str, Made], shop: ShopBooks, floor: FloorBooks) -> Iterator[Difference]:
    by_number: dict[str, list[Order]] = {}
    for order in shop.orders:
        by_number.setdefault(order.work_order, []).append(order)
    for number, made in expected.items():
        own = by_number.get(number, [])
        if len(own) != 1:
            yield Difference(number, shop.name, "orders", "1", str(len(own)))
        else:
            yield from _of_order(number, made, own[0], shop, floor)
    yield from _strangers(expected, shop, floor)


def _of_order(number: str, made: Made, order: Order, shop: ShopBooks, floor: FloorBooks) -> Iterator[Difference]:
    if sum(order.jobs.values()) != made.ordered:
        yield Difference(number, shop.name, "ordered", str(made.ordered), str(sum(order.jobs.values())))
    own = [job for job_id in order.jobs for job in floor.jobs.get(job_id, ())]
    if len(own) != len(order.jobs):
        yield Difference(number, floor.name, "work orders", str(len(order.jobs)), str(len(own)))
    for job in own:
        yield from _fields(number, floor.name, made, job, ("ordered", "good", "scrap", "rework", "state"))
    status = shop.statuses.get(f"{CONNECTOR}:{order.number}")
    if status is None:
        yield Difference(number, shop.name, "production status", "1", "0")
    else:
        yield from _fields(number, shop.name, made, status, ("good", "scrap", "rework", "state"))


def _fields(number: str, where: str, made: Made, found: Made, names: Sequence[str]) -> Iterator[Difference]:
    for name in names:
        wanted, got = getattr(made, name), getattr(found, name)
        if wanted != got:
            yield Difference(number, where, name, str(wanted), str(got))


def _strangers(expected: Mapping[str, Made], shop: ShopBooks, floor: FloorBooks) -> Iterator[Difference]:
    """What stands in a system and belongs to no work order of the log."""
    ours = {job_id for order in shop.orders for job_id in order.jobs}
    keys = {f"{CONNECTOR}:{order.number}" for order in shop.orders}
    for order in shop.orders:
        if order.work_order not in expected:
            yield Difference(order.work_order, shop.name, "order", "none", order.number)
    for job_id in sorted(set(floor.jobs) - ours):
        yield Difference("", floor.name, "work order", "none", job_id)
    for key in sorted(set(shop.statuses) - keys):
        yield Difference("", shop.name, "production status", "none", key)
