"""From the facts of all orders to the report: counts per window and two latencies. Pure; nothing is kept here.

Windows tumble in event time. An order counts in the window of the instant at which it was placed (the CRM's),
released (its first job order on the bus) and completed (the MES's); a latency in the window in which it ended.

- CRM→MES: from the CRM's stamp of the change that released the order to the version of its first job order. The CRM
  stamps whole seconds, so it reads up to a second too long.
- MES→CRM: from the MES's stamp of a report to the version of the status that told it.

Both compare clocks of two systems: where those differ a latency is off by as much, and can come out negative.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from schemas.wire import iso_instant
from streams.views.facts import MOST_SALES, OrderFacts

SECOND_US = 1_000_000
PERCENTILES = (50, 95)


class Latency(TypedDict):
    """How long it took: how many were measured, and in seconds the median, the 95th percentile and the longest."""

    count: int
    p50_s: float | None
    p95_s: float | None
    max_s: float | None


class Counts(TypedDict):
    """Orders placed, released and completed, and the two latencies."""

    placed: int
    released: int
    completed: int
    crm_to_mes: Latency
    mes_to_crm: Latency


class Window(Counts):
    """The counts of the window that begins at `start` (RFC 3339, UTC)."""

    start: str


class Report(TypedDict):
    """Every window in which anything happened, oldest first, and all of them together."""

    window_s: int
    windows: list[Window]
    totals: Counts


@dataclass
class Tally:
    """What is gathered of one window."""

    placed: int = 0
    released: int = 0
    completed: int = 0
    crm_to_mes: list[int] = field(default_factory=list)
    mes_to_crm: list[int] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take another one's into this."""
        self.placed += other.placed
        self.released += other.released
        self.completed += other.completed
        self.crm_to_mes += other.crm_to_mes
        self.mes_to_crm += other.mes_to_crm

    def counts(self) -> Counts:
        """It, as it is reported."""
        return {
            "placed": self.placed,
            "released": self.released,
            "completed": self.completed,
            "crm_to_mes": latency(self.crm_to_mes),
            "mes_to_crm": latency(self.mes_to_crm),
        }


def report(orders: Iterable[OrderFacts], window_s: int) -> Report:
    """The report over all orders, in windows of `window_s` seconds."""
    width, tallies = window_s * SECOND_US, defaultdict[int, Tally](Tally)
    for facts in orders:
        _count(facts, tallies, width)
    together = Tally()
    for tally in tallies.values():
        together.add(tally)
    windows: list[Window] = [
        {"start": iso_instant(number * width), **tallies[number].counts()} for number in sorted(tallies)
    ]
    return {"window_s": window_s, "windows": windows, "totals": together.counts()}


def _count(facts: OrderFacts, tallies: defaultdict[int, Tally], width: int) -> None:
    if facts.placed_us is not None:
        tallies[facts.placed_us // width].placed += 1
    if facts.job is not None:
        tallies[facts.job.version_us // width].released += 1
    if facts.completed_us is not None:
        tallies[facts.completed_us // width].completed += 1
    for at_us, took_us in released_after(facts):
        tallies[at_us // width].crm_to_mes.append(took_us)
    for at_us, took_us in told_after(facts):
        tallies[at_us // width].mes_to_crm.append(took_us)


def released_after(facts: OrderFacts) -> Iterator[tuple[int, int]]:
    """When the first job order was published and how long after the change that caused it (microseconds); or none."""
    if facts.job is None:
        return
    causes = [each.changed_us for each in facts.sales if each.trace == facts.job.trace and each.trace]
    if any(causes):
        yield facts.job.version_us, facts.job.version_us - min(each for each in causes if each)


def told_after(facts: OrderFacts) -> Iterator[tuple[int, int]]:
    """When each report of the MES was told to the CRM and how long after its stamp (microseconds).

    A status is the MES's news where no SalesOrder caused it and its stamp is none of theirs.
    """
    traces = {each.trace for each in facts.sales} | {""}
    stamps = {each.changed_us for each in facts.sales} | {0}
    for told in facts.told:
        if len(facts.sales) >= MOST_SALES and told.version_us > facts.sales[-1].version_us:
            return  # whether the CRM caused it is no longer known
        if told.trace not in traces and told.changed_us not in stamps:
            yield told.version_us, told.version_us - told.changed_us


def latency(measured_us: Sequence[int]) -> Latency:
    """Count, median, 95th percentile (nearest rank: always a measured one) and longest, in seconds."""
    ranked = sorted(measured_us)
    if not ranked:
        return {"count": 0, "p50_s": None, "p95_s": None, "max_s": None}
    p50, p95 = (ranked[-(-len(ranked) * percent // 100) - 1] / SECOND_US for percent in PERCENTILES)
    return {"count": len(ranked), "p50_s": p50, "p95_s": p95, "max_s": ranked[-1] / SECOND_US}
