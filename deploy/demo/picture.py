"""The live picture of the demo: a table on a terminal, one plain line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event as Flag
from typing import TYPE_CHECKING

import httpx

from deploy.output import note

if TYPE_CHECKING:
    from rich.console import RenderableType

PLAIN_EVERY_S = 3.0
FRAMES_PER_S = 4


@dataclass(frozen=True)
class ViewFigures:
    """What the Faust view counts; latencies are medians in seconds, None before one was measured."""

    placed: int
    released: int
    completed: int
    crm_to_mes_s: float | None
    mes_to_crm_s: float | None


NOTHING_SEEN = ViewFigures(0, 0, 0, None, None)


def view_figures(address: str) -> ViewFigures:
    """Ask the view; while it does not answer it has seen nothing, since the story and its end need nothing of it."""
    try:
        totals = httpx.get(f"{address}/kpi", params={"windows": 0}, timeout=2.0).raise_for_status().json()["totals"]
    except httpx.HTTPError:
        return NOTHING_SEEN
    latencies = (totals["crm_to_mes"]["p50_s"], totals["mes_to_crm"]["p50_s"])
    return ViewFigures(totals["placed"], totals["released"], totals["completed"], *latencies)


@dataclass(frozen=True)
class Figures:
    """How far the story is; `shop` and `floor` are the systems' names."""

    shop: str
    floor: str
    orders: int
    placed: int
    started: int
    reports: int
    reports_expected: int
    finished: int
    told: int
    parked: int
    view: ViewFigures


def show(figures: Callable[[], Figures], done: Flag) -> None:
    """Show the figures until `done` is set, and once more then."""
    if sys.stderr.isatty():
        _live(figures, done)
    else:
        _lines(figures, done)


def _lines(figures: Callable[[], Figures], done: Flag) -> None:
    shown_at = 0.0
    while True:
        ended = done.wait(0.2)
        if ended or time.monotonic() - shown_at >= PLAIN_EVERY_S:
            note(_line(figures()))
            shown_at = time.monotonic()
        if ended:
            return


def _line(now: Figures) -> str:
    return (
        f"demo: placed {now.placed}/{now.orders}, started {now.started}, reports {now.reports}/{now.reports_expected}"
        f", finished {now.finished}, told {now.told}, parked {now.parked}; {_seen(now.view)}"
    )


def _seen(view: ViewFigures) -> str:
    named = {"CRM→MES": view.crm_to_mes_s, "MES→CRM": view.mes_to_crm_s}
    latencies = "".join(f", {name} {value:.1f} s" for name, value in named.items() if value is not None)
    return f"view: {view.placed} placed, {view.released} released, {view.completed} completed{latencies}"


def _live(figures: Callable[[], Figures], done: Flag) -> None:
    from rich.console import Console
    from rich.live import Live

    with Live(_table(figures()), console=Console(stderr=True), refresh_per_second=FRAMES_PER_S) as live:
        while not done.wait(1 / FRAMES_PER_S):
            live.update(_table(figures()))
        live.update(_table(figures()))


def _table(now: Figures) -> RenderableType:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    steps: Mapping[str, tuple[int, int]] = {
        f"placed in {now.shop}": (now.placed, now.orders),
        f"started in {now.floor}": (now.started, now.orders),
        "reports by people": (now.reports, now.reports_expected),
        f"finished in {now.floor}": (now.finished, now.orders),
        f"told to {now.shop}": (now.told, now.orders),
    }
    table = Table.grid(padding=(0, 2))
    for name, (count, of) in steps.items():
        table.add_row(name, ProgressBar(total=max(of, 1), completed=count, width=40), f"{count:>5} / {of}")
    flow = Text(f"{now.shop} ─▶ crm.orders ─▶ pipeline ─▶ sink.plant-a ─▶ {now.floor}\n", style="bold")
    flow.append(f"{now.shop} ◀─ sink.crm ◀─ pipeline ◀─ mes.production ◀─ {now.floor}", style="bold")
    below = Text(f"parked {now.parked}\nFaust {_seen(now.view)} (medians)")
    return Group(flow, Text(), table, Text(), below)
