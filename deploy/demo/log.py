"""A factory's log: who made what, when, and how much of it was good. One row is one report of one operation."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

COLUMNS = (
    "work_order",
    "part",
    "order_qty",
    "operation",
    "machine",
    "worker",
    "report_type",
    "start",
    "end",
    "qty_completed",
    "qty_mrb",
    "rework",
)
SHOWN = 20


class LogError(Exception):
    """A log that cannot be acted out; the message names every bad line, what is wrong and what belongs there."""


@dataclass(frozen=True)
class Row:
    """One report: `good` and `scrap` are what it adds, `start` and `end` UTC."""

    work_order: str
    part: str
    ordered: int
    operation: str
    machine: str
    start: datetime
    end: datetime
    good: int
    scrap: int
    rework: bool


@dataclass(frozen=True)
class WorkOrder:
    """One work order and its reports in the log's order."""

    number: str
    part: str
    ordered: int
    rows: tuple[Row, ...]


def read_log(path: Path) -> list[WorkOrder]:
    """The work orders in the order of their first rows. Raises LogError with every bad line."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows, problems = _rows(path, csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise LogError(f"{path}: cannot be read ({error}); name a CSV file in UTF-8 with --log") from error
    orders = _orders(rows)
    problems += _contradictions(path, orders)
    if problems:
        more = [f"… and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
        raise LogError("\n".join([*problems[:SHOWN], *more]))
    if not orders:
        raise LogError(f"{path}:2: no rows; there has to be one for each production report")
    return orders


def _rows(path: Path, reader: csv.DictReader[str]) -> tuple[list[Row], list[str]]:
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise LogError(f"{path}:1: no column {', '.join(missing)}; the first line has to be {','.join(COLUMNS)}")
    rows: list[Row] = []
    problems: list[str] = []
    for values in reader:
        found = [f"{path}:{reader.line_num}: {problem}" for problem in _problems(values)]
        problems += found
        if not found:
            rows.append(_row(values))
    return rows, problems


def _problems(values: Mapping[str, str | None]) -> Iterator[str]:
    for name in COLUMNS:
        if values.get(name) is None:
            yield f"{name} is missing: the line has too few columns"
            return
    for name in ("work_order", "part", "operation"):
        if not (values[name] or "").strip():
            yield f"{name} is empty; it has to name one"
    for name in ("order_qty", "qty_completed", "qty_mrb"):
        if not (values[name] or "").isdecimal():
            yield f"{name} is {values[name]!r}; expected a whole number of 0 or more"
    if (values["order_qty"] or "").isdecimal() and int(values["order_qty"] or 0) == 0:
        yield "order_qty is 0; nothing would be made"
    yield from _time_problems(values)


def _time_problems(values: Mapping[str, str | None]) -> Iterator[str]:
    times = {}
    for name in ("start", "end"):
        try:
            times[name] = _instant(values[name] or "")
        except ValueError:
            yield f"{name} is {values[name]!r}; expected a time such as 2012-01-02T06:00:00Z"
    if len(times) == 2 and times["end"] < times["start"]:
        yield f"end {values['end']} is before start {values['start']}"


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("no zone")
    return found


def _row(values: Mapping[str, str]) -> Row:
    return Row(
        work_order=values["work_order"].strip(),
        part=values["part"].strip(),
        ordered=int(values["order_qty"]),
        operation=values["operation"].strip(),
        machine=values["machine"].strip(),
        start=_instant(values["start"]),
        end=_instant(values["end"]),
        good=int(values["qty_completed"]),
        scrap=int(values["qty_mrb"]),
        rework=values["rework"].strip() == "Y",
    )


def _orders(rows: Sequence[Row]) -> list[WorkOrder]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.work_order, []).append(row)
    return [WorkOrder(number, own[0].part, own[0].ordered, tuple(own)) for number, own in found.items()]


def _contradictions(path: Path, orders: Sequence[WorkOrder]) -> list[str]:
    return [
        f"{path}: work order {order.number} has more than one part or order_qty; both belong to the whole order"
        for order in orders
        if len({(row.part, row.ordered) for row in order.rows}) > 1
    ]
