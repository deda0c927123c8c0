"""One run: a world, orders in motion, faults, quiet, and the verdict."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag

from tests.chaos.checker import Violation, violations
from tests.chaos.deck import Draw, brokers_of, schedule
from tests.chaos.evidence import facts_of, parked_facts
from tests.chaos.facts import Facts
from tests.chaos.floor import Floor
from tests.chaos.journal import Journal
from tests.chaos.kind import until
from tests.chaos.nemesis import Fault, Nemesis
from tests.chaos.sales import Sales
from tests.chaos.salesforce import Org
from tests.chaos.tail import Tail
from tests.chaos.watch import Watch
from tests.chaos.world import SYSTEMS, World, world

log = logging.getLogger(__name__)

RATE = 4.5
QUIET_S = 12.0
STANDSTILL_S = 60.0
LOOK_S = 0.5
REDRIVE_WAIT_S = 20
FIRST_ORDERS = 5
WARM_S = 120.0

Say = Callable[[str], None]


class CutShort(Exception):
    """Somebody ended the run."""


@dataclass(frozen=True)
class Outcome:
    """What one run gave."""

    seed: int
    brokers: int
    space: str
    seconds: float
    schedule: Sequence[Draw]
    faults: Sequence[Fault]
    unfelt: Sequence[str]
    facts: Facts
    violations: Sequence[Violation]

    @property
    def felt(self) -> int:
        """The faults that count."""
        return sum(1 for fault in self.faults if fault.felt_s is not None)


@dataclass
class Play:
    """Everybody who acts in one run."""

    on: World
    org: Org
    journal: Journal
    sales: Sales
    floor: Floor
    watch: Watch

    @property
    def flows(self) -> bool:
        """Whether the first orders have gone all the way: the sinks are open."""
        return min(len(self.watch.works), len(self.watch.statuses)) >= FIRST_ORDERS

    def progress(self) -> tuple[int, int, int, int]:
        """What changes while anything moves; the last one is how many pushes JianDaoYun has still to send."""
        waiting = int(self.on.ask("jiandaoyun", "GET", "push")["waiting"])
        return len(self.watch.work_writes), len(self.watch.status_writes), self.floor.acts, waiting


def run(folder: Path, seed: int, faults: int, only: Sequence[str], say: Say, stop: Flag) -> Outcome:
    """One whole run. Raises CutShort, NotMended and what else keeps it from a verdict."""
    began, brokers = time.monotonic(), brokers_of(seed)
    draws = schedule(seed, faults, brokers, only)
    say(f"chaos: seed {seed}, {brokers} broker{'s' if brokers > 1 else ''}, {len(draws)} faults, in {folder}")
    with world(folder, brokers) as on, play(on, seed) as acting:
        say(f"chaos: everything runs after {time.monotonic() - began:.0f} s")
        nemesis = Nemesis(on, draws, lambda: acting.watch.in_flight, say)
        with selling(acting):
            until(lambda: stop.is_set() or acting.flows, WARM_S)
            nemesis.run(stop)
        if not stop.is_set():
            _settle(acting, say, stop)
        if stop.is_set():
            raise CutShort("a run that was cut short gives no verdict")
        refusals = [text for draw in draws for text in draw.kind.explains]
        facts = facts_of(on, acting.org, acting.journal, acting.watch, refusals)
        space = on.brokers.space
    seconds = time.monotonic() - began
    return Outcome(seed, brokers, space, seconds, draws, nemesis.faults, nemesis.unfelt(), facts, violations(facts))


@contextmanager
def play(on: World, seed: int) -> Iterator[Play]:
    """Everybody but the nemesis; the shop floor works and the watch looks as long as the block lasts."""
    journal, org = Journal(on.folder / "journal.jsonl"), Org(on.far["salesforce"].login)
    sales = Sales(org, lambda *told: on.ask("salesforce", *told), journal, seed, RATE)
    floor = Floor(lambda *told: on.ask("jiandaoyun", *told), journal, seed)
    floor_tail = Tail(on.ledger("jiandaoyun"), frozenset({"write", "request"}))
    org_tail = Tail(on.ledger("salesforce"), frozenset({"request"}))
    watch = Watch(journal, floor_tail, org_tail, floor.see)
    sales.prepare()
    done = Flag()
    try:
        with _threads(done, watch.run, floor.run):
            yield Play(on, org, journal, sales, floor, watch)
    finally:
        org.close()
        journal.close()


@contextmanager
def selling(acting: Play) -> Iterator[None]:
    """Orders keep coming as long as the block lasts."""
    with _threads(Flag(), acting.sales.run):
        yield


@contextmanager
def _threads(done: Flag, *works: Callable[[Flag], None]) -> Iterator[None]:
    """Run each in a thread until the block ends; what one of them raised is raised then."""
    failed: list[BaseException] = []

    def guarded(work: Callable[[Flag], None]) -> None:
        try:
            work(done)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()
    if failed:
        raise failed[0]


def _settle(acting: Play, say: Say, stop: Flag) -> None:
    """Wait until both sides are equal, and have redriven what a person would redrive."""
    say(f"chaos: no more orders; {len(acting.sales.unknown)} are looked up, {acting.watch.in_flight} in flight")
    for system in SYSTEMS:  # what was scripted and never met would meet the questions that follow
        acting.on.ask(system, "DELETE", "faults")
    acting.sales.resolve()
    acting.floor.hurry()
    _quiet(acting, stop)
    if not stop.is_set() and list(parked_facts(acting.on)):
        tried, resolved = _redrive(acting.on)
        say(f"chaos: redrove {tried} parked records, {resolved} got through")
        if resolved:
            _quiet(acting, stop)
    say(f"chaos: quiet; {acting.watch.in_flight} orders are not as they should be")


def _quiet(acting: Play, stop: Flag) -> None:
    """Return when all is equal and nothing has moved for a while, or nothing moves for long."""
    moved_at, before = time.monotonic(), acting.progress()
    while not stop.wait(LOOK_S):
        now = acting.progress()
        if now != before:
            moved_at, before = time.monotonic(), now
        still_s, equal = time.monotonic() - moved_at, acting.watch.in_flight == 0 and now[-1] == 0
        if still_s > STANDSTILL_S or (still_s > QUIET_S and equal):
            return


def _redrive(on: World) -> tuple[int, int]:
    """An operator's command for everything that is parked: how many there were, and how many got through."""
    command = [sys.executable, "-m", "deploy.main", "--project", str(on.folder), "parked", "redrive", "--all"]
    done = subprocess.run(
        [*command, "--wait", str(REDRIVE_WAIT_S), "--json"], capture_output=True, text=True, timeout=120, check=False
    )
    try:
        rows = json.loads(done.stdout)
    except ValueError as error:
        raise RuntimeError(f"parked redrive: exit {done.returncode}: {done.stderr[-500:]}") from error
    return len(rows), sum(1 for row in rows if row["outcome"] == "resolved")
