"""Plays the cases of one surface: each has five seconds of the processor, and the process may not grow."""

from __future__ import annotations

import gc
import hashlib
import re
import resource
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.fuzz.case import Case, Ending, Surface, check

LONGEST_WORK_S, LONGEST_WAIT_S = 5.0, 60.0
"""Processor time, so that a busy machine makes no hang; and time on the clock, for what waits for ever."""

WARM_UP = 0.3
"""Which part of a surface's cases fills caches, pools and arenas before memory is first looked at."""

FEWEST_FOR_GROWTH = 1_000
ALLOWED_KB, ALLOWED_KB_PER_CASE = 6_144, 0.5
"""Memory that a surface may end with above its warm-up: an allocator's own noise, no leak of every input."""

LIMITS: tuple[tuple[int, signal.Signals, Callable[[], float]], ...] = (
    (signal.ITIMER_VIRTUAL, signal.SIGVTALRM, lambda: LONGEST_WORK_S),
    (signal.ITIMER_REAL, signal.SIGALRM, lambda: LONGEST_WAIT_S),
)
MEMORY_BOMB_BYTES = 2 * 1024**3
PAGE_KB = resource.getpagesize() // 1024


class Hung(BaseException):
    """A case took longer than it may. No `except Exception` on the way may take it for the input's fault."""


@dataclass(frozen=True)
class Failure:
    """One input that broke a promise."""

    surface: str
    number: int
    kind: str
    what: str
    shown: bytes

    @property
    def signature(self) -> str:
        """What the same defect has in common however it is met."""
        place = re.sub(r"\d{3,}", "", self.what.partition("\n")[2]) + re.sub(
            r"[\d'].*", "", self.what.partition("\n")[0]
        )
        return hashlib.sha256(f"{self.surface}{self.kind}{place}".encode("utf-8", "replace")).hexdigest()[:8]


@dataclass
class Tally:
    """What became of the inputs."""

    inputs: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    grown_kb: int = 0
    grown: bool = False

    def count(self, kind: str) -> int:
        """How many inputs ended in a crash or a hang."""
        return sum(each.kind == kind for each in self.failures)

    @property
    def good(self) -> bool:
        """Whether every promise was kept."""
        return not self.failures and not self.grown


def case_of(surface: Surface, make: Callable[[Random], Case], seed: str, number: int) -> Case:
    """The case of that number: the same for the same seed, whatever was played before."""
    return make(Random(f"{seed}/{surface.name}/{number}"))


def play(surface: Surface, seed: str, numbers: Iterable[int], tick: Callable[[], None] = lambda: None) -> Tally:
    """Play the cases of these numbers."""
    tally = Tally()
    todo = list(numbers)
    warm = int(len(todo) * WARM_UP)
    before_kb = 0
    with surface.open() as make:
        for done, number in enumerate(todo):
            if done == warm:
                before_kb = resident_kb()
            _one(surface, case_of(surface, make, seed, number), number, tally)
            tick()
        tally.grown_kb = max(0, resident_kb() - before_kb) if len(todo) > 1 else 0
    allowed = ALLOWED_KB + ALLOWED_KB_PER_CASE * (len(todo) - warm)
    tally.grown = len(todo) >= FEWEST_FOR_GROWTH and tally.grown_kb > allowed
    return tally


def _one(surface: Surface, case: Case, number: int, tally: Tally) -> None:
    tally.inputs += 1
    try:
        with _limited():
            ending = check(case.play())
    except Hung:
        tally.failures.append(
            Failure(
                surface.name,
                number,
                "hang",
                f"over {LONGEST_WORK_S:.0f} s of work, or {LONGEST_WAIT_S:.0f} s of waiting",
                case.shown,
            )
        )
    except Exception as error:
        what = f"{type(error).__name__}: {str(error)[:800]}\n{_place(error)}"
        tally.failures.append(Failure(surface.name, number, "crash", what, case.shown))
    else:
        tally.ends[ending.end] += 1


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return "\n".join(f"    {Path(each.filename).name}:{each.lineno} {each.name}: {each.line}" for each in frames)


@contextmanager
def _limited() -> Iterator[None]:
    def ring(*_: object) -> None:
        raise Hung

    before = [(timer, number, signal.signal(number, ring)) for timer, number, _ in LIMITS]
    for timer, _, seconds in LIMITS:
        signal.setitimer(timer, seconds())
    try:
        yield
    finally:
        for timer, number, handler in before:
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


def resident_kb() -> int:
    """What the process holds in memory now, after its garbage is gone."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_KB


def forbid_memory_bombs() -> None:
    """An input that asks for gigabytes gets a MemoryError instead of this machine's swap."""
    virtual = int(Path("/proc/self/statm").read_text().split()[0]) * PAGE_KB * 1024
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (virtual + MEMORY_BOMB_BYTES, hard))


def told(ending: Ending) -> str:
    """An ending in one line, for the repeat of a single case."""
    return f"{ending.end}: {ending.told}" if ending.told else str(ending.end)
