"""Rules against one connector: a far system is started for them, and each gives an outcome."""

from __future__ import annotations

import itertools
import time
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from connectors.errors import FarError
from connectors.testing.abilities import ClockBench, SilentBench, TroubledBench
from connectors.testing.bench import Bench, SinkBench, SourceBench, WebhookBench
from connectors.testing.benches import BenchFactory
from connectors.testing.conformance.desk import Desk, able
from connectors.testing.conformance.rule import Broken, DoesNotApply, NotYet, Rule, Side

Verdict = Literal["passed", "failed", "not yet", "does not apply"]


@dataclass(frozen=True)
class Outcome:
    """What became of one rule; `reason` is a sentence for the developer, empty where it passed."""

    rule: str
    what: str
    why: str
    verdict: Verdict
    reason: str
    seconds: float


def run(factory: BenchFactory, rules: Iterable[Rule], folder: Path) -> list[Outcome]:
    """Every rule in its order, in far systems below `folder`."""
    session = Session(factory, folder)
    try:
        return [session.run(rule) for rule in rules]
    finally:
        session.close()


class Session:
    """Keeps one far system running from rule to rule; after a broken one, and for one that is alone, a new one."""

    def __init__(self, factory: BenchFactory, folder: Path) -> None:
        self._factory, self._folder = factory, folder
        self._numbers = itertools.count(1)
        self._shared: Desk | None = None

    def run(self, rule: Rule) -> Outcome:
        """The outcome of one rule; never raises what the connector does wrong."""
        begun = time.monotonic()
        verdict, reason = self._judged(rule)
        return Outcome(rule.name, rule.what, rule.why, verdict, reason, round(time.monotonic() - begun, 3))

    def close(self) -> None:
        """End the far system."""
        if self._shared is not None:
            self._shared.bench.stop()
            self._shared = None

    def _judged(self, rule: Rule) -> tuple[Verdict, str]:
        desk: Desk | None = None
        try:
            desk = self._desk(rule)
            rule.check(desk)
            restore(desk.bench)
        except DoesNotApply as reason:
            return "does not apply", str(reason)
        except NotYet as reason:
            return "not yet", str(reason)
        except Exception as error:
            self.close()  # what a broken rule left behind must not break the next one
            return "failed", told(error)
        finally:
            if rule.alone and desk is not None:
                desk.bench.stop()
        return "passed", ""

    def _desk(self, rule: Rule) -> Desk:
        """A running far system for a rule that applies to it."""
        if rule.alone or self._shared is None:
            bench = self._factory(self._folder / f"far-{next(self._numbers)}")
            check_applies(rule, bench)
            desk = self._started(bench)
            if not rule.alone:
                self._shared = desk
            return desk
        check_applies(rule, self._shared.bench)
        return self._shared

    def _started(self, bench: Bench) -> Desk:
        try:
            bench.start()
        except Exception:
            bench.stop()
            raise
        return Desk(bench)


PARTS: Sequence[tuple[Side, type]] = (("source", SourceBench), ("sink", SinkBench), ("webhook", WebhookBench))


def check_applies(rule: Rule, bench: Bench) -> None:
    """Whether the rule can be tried.

    Raises DoesNotApply where it has no object, NotYet where the bench says that it waits, and Broken where the bench
    lacks what the connector has.
    """
    if rule.name in bench.facts.does_not_apply:
        raise DoesNotApply(f"the bench says: {bench.facts.does_not_apply[rule.name]}")
    if rule.name in bench.facts.not_yet:
        raise NotYet(bench.facts.not_yet[rule.name])
    if rule.needs is not None:
        able(bench, rule.needs)
    for side, part in PARTS:
        if rule.side != side:
            continue
        if getattr(bench.connector, side) is None:
            raise DoesNotApply(f"the connector has no {side}")
        lacking = [name for name in vars(part) if not name.startswith("_") and not hasattr(bench, name)]
        if lacking:
            raise Broken(f"the connector has a {side}, so its bench needs {', '.join(lacking)} (see {part.__name__})")


def restore(bench: Bench) -> None:
    """Take back what a rule did to the far system itself."""
    if isinstance(bench, SilentBench):
        bench.speak()
    if isinstance(bench, TroubledBench):
        bench.mend()
    if isinstance(bench, ClockBench):
        bench.move_clock(0)


def told(error: Exception) -> str:
    """The sentence of a failed rule."""
    if isinstance(error, Broken):
        return str(error)
    if isinstance(error, FarError):
        return f"the connector raised {type(error).__name__} though the far system was well: {error}"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{frame.filename}:{frame.lineno}"
    return f"the rule could not be tried: {type(error).__name__}: {error} (at {place})"
