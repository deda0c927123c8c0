"""Factory logs made for tests: other names, other quantities, the same form as the shipped one."""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.demo.log import COLUMNS

BEGIN = datetime(2031, 3, 3, 6, 0, tzinfo=UTC)
PARTS = ("Bremsscheibe Ø 280", "泵体 P-3", "Axle, left", "O'Brien Clamp", "Zahnrad 12/7")
OPERATIONS = ("Drehen", "Fräsen", "质检 Q.C.", "Packing & Label")


def made_log(path: Path, orders: int, rows: int = 3, seed: int = 1) -> Path:
    """Write a log of `orders` work orders with up to `rows` reports each, sorted by start, with ties in `end`."""
    draw = random.Random(seed)
    made = [row for number in range(orders) for row in _rows(draw, number, rows)]
    made.sort(key=lambda row: str(row["start"]))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(made)
    return path


def _rows(draw: random.Random, number: int, rows: int) -> list[dict[str, object]]:
    start = BEGIN + timedelta(minutes=draw.randrange(60 * 24 * 10))
    ordered, part, found = draw.randrange(1, 400), draw.choice(PARTS), []
    for _ in range(draw.randrange(1, rows + 1)):
        end = start + timedelta(minutes=draw.choice((0, 30, 30, 90)))
        operation = draw.choice(OPERATIONS)
        found.append(
            {
                "work_order": f"WO/{number:04d}",
                "part": part,
                "order_qty": ordered,
                "operation": operation,
                "machine": f"{operation} {draw.randrange(3)}",
                "worker": f"W{draw.randrange(20)}",
                "report_type": draw.choice("SDB"),
                "start": f"{start:%Y-%m-%dT%H:%M:%SZ}",
                "end": f"{end:%Y-%m-%dT%H:%M:%SZ}",
                "qty_completed": draw.randrange(ordered + 1),
                "qty_mrb": draw.choice((0, 0, 0, 1, 3)),
                "rework": draw.choice(("", "", "Y")),
            }
        )
        start += timedelta(minutes=draw.choice((0, 15, 45)))
    return found
