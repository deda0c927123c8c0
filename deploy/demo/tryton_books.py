"""Tryton's books, read as a script of the company reads them: by JSON-RPC, without our connector.

The module `lineshaft` in Tryton gives productions and statuses the keys by which they are found; what was made stands
in Tryton's own productions, works and cycles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from deploy.demo.compare import FloorBooks, Json, Made, Order, ShopBooks, Table, job_order_id
from deploy.tryton_server.person import Person

SHOP, FLOOR = "Tryton CRM", "Tryton MES"
STATES = {"done": "completed"}
FIGURES = ("good", "scrap", "rework")


def read_shop(person: Person) -> ShopBooks:
    """All sales and statuses of a company. Raises httpx.HTTPError or Refused."""
    sales = person.find("sale.sale", [], "number", "reference", "lines.quantity")
    return ShopBooks(SHOP, [_order(each) for each in sales], told(person))


def told(person: Person) -> dict[str, Made]:
    """Only the production status told for each order key."""
    return {str(each["order_key"]): _status(each) for each in person.find("lineshaft.status", [], *STATUS)}


STATUS = ("order_key", "state", *FIGURES)
PRODUCTION = (
    *("lineshaft_id", "quantity", "state", "works.cycles.state", "works.cycles.last_modified_at"),
    *(f"works.cycles.lineshaft_{name}" for name in FIGURES),
)


def read_floor(person: Person) -> FloorBooks:
    """All productions that the bus asked for."""
    found: dict[str, list[Made]] = {}
    for each in person.find("production", [["lineshaft_id", "!=", None]], *PRODUCTION):
        found.setdefault(str(each["lineshaft_id"]), []).append(_production(each))
    return FloorBooks(FLOOR, found)


def _order(sale: Table) -> Order:
    number = str(sale["number"])
    jobs = {job_order_id(number, str(line["id"])): _number(line["quantity"]) for line in _nested(sale, "lines")}
    return Order(str(sale["reference"]), number, jobs)


def _status(status: Table) -> Made:
    good, scrap, rework = (_number(status[name]) for name in FIGURES)
    return Made(0, good, scrap, rework, str(status["state"]))


def _production(production: Table) -> Made:
    """Good is what the operation made whose cycle was done last: that is when Tryton says it ended."""
    works = [list(_done(work)) for work in _nested(production, "works")]
    last = max(works, key=lambda cycles: max((_moment(each) for each in cycles), default=()), default=[])
    good = _sum(last, "good")
    scrap, rework = (sum(_sum(cycles, name) for cycles in works) for name in ("scrap", "rework"))
    state = str(production["state"])
    return Made(_number(production["quantity"]), good, scrap, rework, STATES.get(state, state))


def _done(work: Table) -> Iterator[Table]:
    return (each for each in _nested(work, "cycles") if each["state"] == "done")


def _sum(cycles: Sequence[Table], name: str) -> float:
    return sum(_number(each[f"lineshaft_{name}"]) for each in cycles)


def _moment(cycle: Table) -> tuple[int, ...]:
    stamp = cast("Table", cycle["last_modified_at"])
    parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    return tuple(int(str(stamp[name])) for name in parts)


def _nested(record: Table, name: str) -> list[Table]:
    return cast("list[Table]", record.get(f"{name}.") or [])


def _number(value: Json) -> float:
    """Tryton's doubles stand as they are, its exact numbers under `decimal`; nothing is nothing made."""
    return float(cast("str", value["decimal"])) if isinstance(value, dict) else float(cast("float", value or 0))
