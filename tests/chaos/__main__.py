"""`python -m tests.chaos`: orders in motion, faults on everything, and a verdict from the far systems' own ledgers.

Exit 0: no violation. 1: a violation. 2: a kind of fault was drawn and never felt, or the run could not be finished.
"""

from __future__ import annotations

import argparse
import logging
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from threading import Event as Flag

from tests.chaos.report import last_line, show, write
from tests.chaos.run import CutShort, run

FAULTS = 50
VIOLATED, UNFELT = 1, 2


def main() -> int:
    """Read the arguments, do one run, show and keep its report."""
    given = _arguments()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    stop = Flag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    seed = random.SystemRandom().randrange(1, 1_000_000) if given.seed is None else given.seed
    out = Path(given.out or tempfile.mkdtemp(prefix=f"lineshaft-chaos-{seed}-")).absolute()
    out.mkdir(parents=True, exist_ok=True)
    world = out / "world"
    shutil.rmtree(world, ignore_errors=True)
    world.mkdir()
    try:
        outcome = run(world, seed, given.faults, given.only, lambda text: print(text, flush=True), stop)
    except CutShort as cut:
        print(f"chaos: {cut}", file=sys.stderr)
        return UNFELT
    write(outcome, out, given.table)
    show(outcome, out)
    print(last_line(outcome))
    if outcome.violations:
        return VIOLATED
    return UNFELT if outcome.unfelt else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="the same faults and orders again; odd seeds have three brokers")
    parser.add_argument("--faults", type=int, default=FAULTS, help="how many faults have to be felt")
    parser.add_argument("--only", action="append", default=[], help="only kinds whose name holds this text")
    parser.add_argument("--out", help="the folder of the report and of every log; else a new one under /tmp")
    parser.add_argument("--table", type=Path, help="a document to write the run into, between its chaos marks")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
