"""What flat means, and what a soak says about itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.soak.figures import slope
from tests.soak.run import BROKER, Sample, Soak

WARM_UP = 0.2
"""The part of a run in which caches, arenas and Java's heap fill."""

MEMORY_MB_PER_H = 40.0
"""What a process may seem to gain in an hour; a leak of one small object per record would be ten times that."""

PIPELINE_BYTES_PER_ORDER = 800
"""A closed order leaves a stub in the pipeline's memory for ever, so that no resync makes it again (DESIGN 4)."""

NOISE: Mapping[str, float] = {"MB": 8.0, "s": 2.0, "files": 8.0, "threads": 8.0}
"""What a thing may gain in the whole run before a line through it means anything: short runs are noisy."""

LAG_S_PER_H = 20.0
"""How much later, in seconds of orders, the bus may seem to be after an hour."""

STEPS_S = 30.0
"""Below this much observed time no line can be fitted."""


@dataclass(frozen=True)
class Line:
    """One thing that must be flat: what it grew by in an hour and while it was seen, what it may grow by, and what
    it was in the end.
    """

    name: str
    unit: str
    per_hour: float
    grown: float
    allowed: float
    last: float

    @property
    def flat(self) -> bool:
        """Whether it is."""
        return self.per_hour <= self.allowed or self.grown <= NOISE[self.unit]


@dataclass(frozen=True)
class Judgement:
    """All lines, and what is wrong with the run as a whole."""

    lines: Sequence[Line]
    problems: Sequence[str]
    bytes_per_order: float
    cpu_ms_per_order: Mapping[str, float]

    @property
    def good(self) -> bool:
        """Whether the run may be believed and everything was flat."""
        return not self.problems


def judge(soak: Soak) -> Judgement:
    """Fit lines through what was seen after the warm-up, as long as orders came."""
    sold_s = soak.orders / soak.rate
    steady = [each for each in soak.samples if sold_s * WARM_UP <= each.at_s <= sold_s]
    lines = [*_memory(steady, soak.rate), *_handles(steady), *_lags(steady, soak.rate)]
    pipeline = slope(
        [(each.closed, each.processes["pipeline"].rss_mb) for each in steady if "pipeline" in each.processes]
    )
    problems = [f"{each.name}: {each.per_hour:.1f} {each.unit} per hour, {each.allowed:.0f} are allowed"
                for each in lines if not each.flat]  # fmt: skip
    if not steady or steady[-1].at_s - steady[0].at_s < STEPS_S:
        problems.append("too short: no line can be fitted")
    facts = {
        "orders did not arrive in their final state": soak.verdict.lost,
        "writes were repeated": soak.verdict.duplicated,
        "writes went back to an older version": soak.verdict.went_back,
        "records are parked": soak.parked,
        "roles were started again": soak.restarts,
    }
    problems += [f"{count} {what}" for what, count in facts.items() if count]
    return Judgement(lines, problems, pipeline * 1024**2, _cpu(steady))


def _cpu(steady: Sequence[Sample]) -> Mapping[str, float]:
    """Processor milliseconds of each process per order that was closed meanwhile: what decides the highest rate."""
    if len(steady) < 2 or steady[-1].closed == steady[0].closed:
        return {}
    first, last = steady[0], steady[-1]
    orders = last.closed - first.closed
    return {
        name: (seen.cpu_s - first.processes[name].cpu_s) * 1000 / orders
        for name, seen in last.processes.items()
        if name in first.processes
    }


def _memory(steady: Sequence[Sample], rate: float) -> list[Line]:
    stubs_mb_per_h = PIPELINE_BYTES_PER_ORDER * rate * 3600 / 1024**2
    return [
        _line(f"memory of {name}", "MB", steady, _of(name, "rss_mb"), _allowed(name, stubs_mb_per_h))
        for name in sorted(steady[-1].processes if steady else ())
    ]


def _allowed(name: str, stubs_mb_per_h: float) -> float:
    return MEMORY_MB_PER_H + (stubs_mb_per_h if name == "pipeline" else 0.0)


def _handles(steady: Sequence[Sample]) -> list[Line]:
    return [
        _line(f"{what} of {name}", what, steady, _of(name, what), 30.0)
        for name in sorted(steady[-1].processes if steady else ())
        for what in ("files", "threads")
        if name != BROKER  # it opens a file for every segment
    ]


def _lags(steady: Sequence[Sample], rate: float) -> list[Line]:
    return [
        _line(f"lag of {name}", "s", steady, lambda each, name=name: each.lags[name] / rate, LAG_S_PER_H)  # type: ignore[misc]
        for name in (steady[-1].lags if steady else ())
    ]


def _of(name: str, what: str) -> Callable[[Sample], float | None]:
    return lambda each: float(getattr(each.processes[name], what)) if name in each.processes else None


def _line(
    name: str, unit: str, steady: Sequence[Sample], value: Callable[[Sample], float | None], allowed: float
) -> Line:
    points = [(each.at_s / 3600, y) for each in steady if (y := value(each)) is not None]
    per_hour, window_h = slope(points), points[-1][0] - points[0][0] if points else 0.0
    return Line(name, unit, per_hour, per_hour * window_h, allowed, points[-1][1] if points else 0.0)


def summary(soak: Soak, found: Judgement) -> str:
    """The result in one line."""
    by_name: Mapping[str, Line] = {each.name: each for each in found.lines}
    lag = max((each.per_hour for name, each in by_name.items() if name.startswith("lag")), default=0.0)
    memory = max(
        (e.per_hour for n, e in by_name.items() if n.startswith("memory") and n != "memory of pipeline"), default=0.0
    )
    return (
        f"orders={soak.orders} seconds={soak.seconds:.0f} lag_slope={lag:.1f}s/h rss_slope_mb_per_h={memory:.1f} "
        f"pipeline_bytes_per_order={found.bytes_per_order:.0f} lost={soak.verdict.lost} "
        f"duplicated={soak.verdict.duplicated} parked={soak.parked} "
        f"cpu_ms_per_order={sum(found.cpu_ms_per_order.values()):.1f}"
    )


def table(found: Judgement) -> list[str]:
    """The lines as a Markdown table."""
    rows = [
        f"| {each.name} | {each.last:.1f} {each.unit} | {each.per_hour:+.1f} {each.unit} | {each.allowed:.0f} | "
        f"{'yes' if each.flat else '**no**'} |"
        for each in found.lines
        if each.unit in ("MB", "s") or not each.flat
    ]
    cpu = ", ".join(f"{name} {ms:.1f}" for name, ms in sorted(found.cpu_ms_per_order.items()))
    head = ["| what | at the end | per hour | allowed | flat |", "|---|---|---|---|---|"]
    return [*head, *rows, "", f"Processor milliseconds per order: {cpu or 'no order was closed'}."]
