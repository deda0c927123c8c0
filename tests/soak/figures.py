"""What a soak looks at: processes by /proc, the roles' own metrics, and lines fitted through what was seen."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
SERIES = re.compile(r"^(?P<name>\w+)\{(?P<labels>[^}]*)\} (?P<value>[0-9.eE+-]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Seen:
    """One process at one moment: resident memory in MB, open files, threads, processor seconds so far."""

    rss_mb: float
    files: int
    threads: int
    cpu_s: float = 0.0


def process(pid: int) -> Seen | None:
    """The process now; None where it is gone."""
    folder = Path(f"/proc/{pid}")
    try:
        status = (folder / "status").read_text()
        ticks = (folder / "stat").read_text().rpartition(")")[2].split()[11:13]
        files = len(list((folder / "fd").iterdir()))
        return Seen(_kb(status, "VmRSS") / 1024, files, _kb(status, "Threads"), sum(map(int, ticks)) / TICKS_PER_S)
    except (FileNotFoundError, ProcessLookupError):
        return None


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _kb(status: str, name: str) -> int:
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{name}:")), 0)


def metrics(address: str) -> Mapping[str, float]:
    """A role's series, as `name{labels}`. Empty where it does not answer just now."""
    try:
        text = httpx.get(f"{address}/metrics", timeout=5.0).text
    except httpx.HTTPError:
        return {}
    return {f"{each['name']}{{{each['labels']}}}": float(each["value"]) for each in SERIES.finditer(text)}


def total(series: Mapping[str, float], name: str, label: str = "") -> float:
    """The sum of all series of a metric that have a label."""
    return sum(value for key, value in series.items() if key.startswith(f"{name}{{") and label in key)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """How much y grows with each x, by least squares; 0 for fewer than two points."""
    if len(points) < 2:
        return 0.0
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread if spread else 0.0
