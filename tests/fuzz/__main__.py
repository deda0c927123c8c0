"""`make fuzz`: malformed inputs to every surface, with one number to repeat them all and one for each.

    python -m tests.fuzz [--seed TEXT] [--cases N] [--only SURFACE] [--case NUMBER] [--out FOLDER]

Exit 1 where an input crashed or hung something, or where a surface grew.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.fuzz.campaign import Failure, Tally, case_of, forbid_memory_bombs, play, told
from tests.fuzz.case import Surface, check
from tests.fuzz.surfaces import SURFACES, shares

SHOWN_OF_ONE_KIND = 1


def main(words: Sequence[str]) -> int:
    """Play what the arguments ask for and say what came of it."""
    asked = _arguments(words)
    surfaces = [each for each in SURFACES if asked.only in ("", each.name)]
    if asked.case is not None:
        return _repeat(surfaces[0], asked.seed, asked.case)
    forbid_memory_bombs()
    print(f"fuzz: seed={asked.seed} cases={asked.cases} surfaces={','.join(each.name for each in surfaces)}")
    tallies = _play_all(surfaces, asked.seed, shares(asked.cases, surfaces))
    _tell(tallies, asked.seed, Path(asked.out))
    print(line(list(tallies.values())))
    return 0 if all(each.good for each in tallies.values()) else 1


def line(tallies: Sequence[Tally]) -> str:
    """The result in one line."""
    ends: Counter[str] = sum((each.ends for each in tallies), Counter())
    crashes, hangs = (sum(each.count(kind) for each in tallies) for kind in ("crash", "hang"))
    return (
        f"inputs={sum(each.inputs for each in tallies)} parked={ends['parked']} refused={ends['refused']} "
        f"accepted={ends['accepted']} crashes={crashes} hangs={hangs} "
        f"grown_kb={max((each.grown_kb for each in tallies), default=0)}"
    )


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", default="lineshaft", help="any text; the same text gives the same inputs")
    parser.add_argument("--cases", type=int, default=100_000, help="how many inputs in all")
    parser.add_argument("--only", default="", choices=["", *(each.name for each in SURFACES)], help="one surface")
    parser.add_argument("--case", type=int, help="repeat this one input of the surface that --only names")
    parser.add_argument("--out", default=str(Path(tempfile.gettempdir()) / "lineshaft-fuzz"), help="failing inputs")
    asked = parser.parse_args(words)
    if asked.case is not None and not asked.only:
        parser.error("--case needs --only: each surface counts its own inputs")
    return asked


def _play_all(surfaces: Sequence[Surface], seed: str, cases: dict[str, int]) -> dict[str, Tally]:
    tallies: dict[str, Tally] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        for surface in surfaces:
            task = bar.add_task(surface.name, total=cases[surface.name])

            def tick(task: object = task) -> None:
                bar.advance(task)  # type: ignore[arg-type] # rich's TaskID is an int by another name

            tallies[surface.name] = play(surface, seed, range(cases[surface.name]), tick)
            print(f"  {surface.name:<20} {line([tallies[surface.name]])}")
    return tallies


def _tell(tallies: dict[str, Tally], seed: str, folder: Path) -> None:
    """Every kind of failure once, with the command that repeats it; all inputs are saved."""
    shown: Counter[str] = Counter()
    for failure in (each for tally in tallies.values() for each in tally.failures):
        saved = _saved(failure, folder)
        shown[failure.signature] += 1
        if shown[failure.signature] <= SHOWN_OF_ONE_KIND:
            print(f"{failure.kind} in {failure.surface}, case {failure.number}: {failure.what}\n  input: {saved}")
            print(f"  again: make fuzz SEED={seed} ONLY={failure.surface} CASE={failure.number}")
    for name, tally in tallies.items():
        if tally.grown:
            print(
                f"growth in {name}: {tally.grown_kb} kB after the warm-up\n  again: make fuzz SEED={seed} ONLY={name}"
            )


def _saved(failure: Failure, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{failure.surface}-{failure.number}.input"
    file.write_bytes(failure.shown)
    return file


def _repeat(surface: Surface, seed: str, number: int) -> int:
    """One case without any limit, so that a debugger may look; what it raises is raised."""
    with surface.open() as make:
        case = case_of(surface, make, seed, number)
        print(case.shown[:4_000].decode("utf-8", "backslashreplace"))
        print(told(check(case.play())))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
