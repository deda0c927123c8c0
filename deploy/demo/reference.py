"""The master data of the demo, made from the log it is given: items, units and equipment codes as CSV files."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from deploy.demo.log import WorkOrder

CRM, PLANT, REFERENCE = "crm", "plant-a", "reference"
ITEM_COLUMNS = ("item", "description", "unit", "site")
LINK_COLUMNS = ("kind", "system", "id", "to_system", "to_id")


def item_code(part: str) -> str:
    """The item's code in both systems: `Electrical Contact` is ELECTRICAL-CONTACT."""
    return re.sub(r"[^A-Z0-9]+", "-", part.upper()).strip("-") or f"PART-{part.encode().hex().upper()}"


def write_reference(orders: Sequence[WorkOrder], folder: Path, crm_unit: str, plant_unit: str) -> None:
    """Drop items.csv and links.csv into `folder`, each whole at once, as a source of files expects it.

    The units are each side's own word for pieces.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = sorted({order.part for order in orders})
    _drop(folder / "items.csv", ITEM_COLUMNS, ((item_code(part), part, plant_unit, PLANT) for part in parts))
    _drop(folder / "links.csv", LINK_COLUMNS, _links(orders, crm_unit, plant_unit))


def _links(orders: Sequence[WorkOrder], crm_unit: str, plant_unit: str) -> Iterable[Sequence[str]]:
    yield "unit", CRM, crm_unit, PLANT, plant_unit
    machines = sorted({row.machine for order in orders for row in order.rows if row.machine})
    for number, machine in enumerate(machines, 1):
        yield "equipment", PLANT, machine, "isa95", f"EQ-{number:03d}"


def _drop(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    part = path.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    part.rename(path)
