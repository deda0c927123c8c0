"""`make promises [ONLY=word]`: each promise is broken in a copy of the project, and its test must notice."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.promises.promise import FILE, Promise, read_promises
from tests.promises.sabotage import Outcome, Verdict, tests_pass_unbroken, verdicts

ROOT = Path(__file__).parents[2]
WRONG_USE = 2


def main() -> int:
    """Exit code 0 where every saboteur was noticed, 1 where one was not, 2 where the tests fail by themselves."""
    arguments = argparse.ArgumentParser(prog="make promises", description=__doc__)
    arguments.add_argument("--only", default="", help="Only promises with this text.")
    chosen = _chosen(arguments.parse_args().only)
    if not chosen:
        print("no promise has that text", file=sys.stderr)
        return WRONG_USE
    unbroken = tests_pass_unbroken(ROOT, chosen)
    if unbroken.code:
        print(f"the tests fail without any saboteur:\n{unbroken.words}", file=sys.stderr)
        return WRONG_USE
    found = _worked_through(chosen)
    _tell(found)
    return int(any(each.outcome is not Outcome.NOTICED for each in found))


def _chosen(only: str) -> Sequence[Promise]:
    return [each for each in read_promises(ROOT / FILE) if only.lower() in each.promise.lower()]


def _worked_through(promises: Sequence[Promise]) -> Sequence[Verdict]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task, found = progress.add_task("saboteurs", total=len(promises)), []
        for each in verdicts(ROOT, promises):
            found.append(each)
            progress.advance(task)
    return found


def _tell(found: Sequence[Verdict]) -> None:
    console = Console()
    table = Table("promise", "outcome", "seconds", "by")
    for each in found:
        noticed = each.outcome is Outcome.NOTICED
        colour = "green" if noticed else "red"
        tests = "\n".join(test.split("/")[-1] for test in each.promise.tests)
        table.add_row(each.promise.promise, f"[{colour}]{each.outcome}[/]", f"{each.seconds:.0f}", tests)
    console.print(table)
    for each in found:
        if each.outcome is not Outcome.NOTICED:
            print(f"\n{each.promise.promise}: {each.outcome}\n{each.words}")
    print(f"promises={len(found)} noticed={sum(each.outcome is Outcome.NOTICED for each in found)}")


if __name__ == "__main__":
    sys.exit(main())
