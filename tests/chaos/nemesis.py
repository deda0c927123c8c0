"""Carries the schedule out: several faults at a time, each held until its effect was seen with enough in flight."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event as Flag

from tests.chaos.deck import Draw
from tests.chaos.kind import Strike, until
from tests.chaos.world import World

log = logging.getLogger(__name__)

LANES = 4
ENOUGH_IN_FLIGHT = 20
LOOK_S = 0.1
WAIT_FOR_FLOW_S = 60.0
MENDED_S = 90.0
ATTEMPTS = 3


@dataclass(frozen=True)
class Fault:
    """What became of one draw: when it struck and was felt (seconds of the run), by what evidence."""

    number: int
    kind: str
    target: str
    struck_s: float
    felt_s: float | None
    mended_s: float
    in_flight: int
    evidence: str


class NotMended(RuntimeError):
    """What was struck did not come back by itself, or by what a person would do: the run cannot go on."""


@dataclass
class Nemesis:
    """`in_flight` says how many orders are under way; `say` tells each fault as it is felt."""

    on: World
    draws: Sequence[Draw]
    in_flight: Callable[[], int]
    say: Callable[[str], None]
    faults: list[Fault] = field(default_factory=list)
    _waiting: list[Draw] = field(default_factory=list)
    _busy: set[str] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _began: float = field(default_factory=time.monotonic)
    _attempts: Counter[str] = field(default_factory=Counter)
    problems: list[BaseException] = field(default_factory=list)

    def run(self, stop: Flag) -> None:
        """Return when every draw has been felt or given up, or `stop` is set. Raises what broke the harness."""
        self._waiting, self._began = list(self.draws), time.monotonic()
        lanes = [threading.Thread(target=self._lane, args=(stop,), name=f"nemesis-{n}") for n in range(LANES)]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
        if self.problems:
            raise self.problems[0]

    def unfelt(self) -> list[str]:
        """The kinds that were drawn and never felt."""
        felt = {fault.kind for fault in self.faults if fault.felt_s is not None}
        return sorted({fault.kind for fault in self.faults} - felt)

    def _lane(self, stop: Flag) -> None:
        while not stop.is_set() and not self.problems:
            draw = self._take()
            if draw is None:
                return
            try:
                self._one(draw, stop)
            except BaseException as error:
                log.exception("fault %d, %s", draw.number, draw.kind.name)
                self.problems.append(error)
            finally:
                with self._changed:
                    self._busy -= set(draw.kind.groups)
                    self._changed.notify_all()

    def _take(self) -> Draw | None:
        """The next draw whose groups are free; waits for one, None at the end."""
        with self._changed:
            while self._waiting:
                for draw in self._waiting:
                    if not self._busy & set(draw.kind.groups):
                        self._waiting.remove(draw)
                        self._busy |= set(draw.kind.groups)
                        return draw
                self._changed.wait()
            return None

    def _one(self, draw: Draw, stop: Flag) -> None:
        if not until(lambda: self._enough() or stop.is_set(), WAIT_FOR_FLOW_S):
            log.warning("only %d orders are in flight", self.in_flight())
        struck_s, strike = self._now(), draw.kind.strike(self.on, draw.dice)
        felt_s, evidence, in_flight = None, "", 0
        deadline = time.monotonic() + strike.patience_s
        try:
            while felt_s is None and time.monotonic() < deadline and not stop.is_set():
                evidence, in_flight = strike.felt(), self.in_flight()
                if evidence and in_flight >= ENOUGH_IN_FLIGHT:
                    felt_s = self._now()
                    stop.wait(strike.hold_s)
                elif evidence and not strike.lasting:
                    break
                else:
                    time.sleep(LOOK_S)
        finally:
            strike.heal()
        if not until(strike.mended, MENDED_S):
            raise NotMended(f"{draw.kind.name}: {strike.target} did not come back within {MENDED_S:.0f} s")
        self._told(draw, strike, Fault(draw.number, draw.kind.name, strike.target, struck_s, felt_s, self._now(),
                                       in_flight, evidence))  # fmt: skip

    def _enough(self) -> bool:
        return self.in_flight() >= ENOUGH_IN_FLIGHT

    def _told(self, draw: Draw, strike: Strike, fault: Fault) -> None:
        felt = "not felt" if fault.felt_s is None else f"felt after {fault.felt_s - fault.struck_s:.1f} s"
        self.say(f"{fault.struck_s:6.1f} s  {fault.number:3d} {fault.kind} ({fault.target}): {felt}, "
                 f"{fault.in_flight} in flight: {fault.evidence}")  # fmt: skip
        with self._changed:
            self.faults.append(fault)
            self._attempts[str(draw.number)] += 1
            if fault.felt_s is None and self._attempts[str(draw.number)] < ATTEMPTS:
                self._waiting.append(draw)
                self._changed.notify_all()

    def _now(self) -> float:
        return time.monotonic() - self._began
