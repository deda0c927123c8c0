"""Show how far a long step is: a bar on a terminal, a few plain lines elsewhere. Both go to standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Say: TypeAlias = Callable[[str], None]

PLAIN_LINES = 4


def to_stderr(line: str) -> None:
    """Say `line` where it never mixes with a command's result."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def advancing(
    title: str, total: int, say: Say, who: str = "kafka", unit: str = "jars"
) -> Iterator[Callable[[], None]]:
    """Say `title`, then yield a function to be called after each of `total` steps, which `who` counts in `unit`."""
    say(title)
    if say is to_stderr and sys.stderr.isatty():
        yield from _bar(total, f"{who}: {unit}")
    else:
        yield _lines(total, say, who, unit)


def _bar(total: int, title: str) -> Iterator[Callable[[], None]]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda: progress.advance(task)


def _lines(total: int, say: Say, who: str, unit: str) -> Callable[[], None]:
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if done * PLAIN_LINES // total > (done - 1) * PLAIN_LINES // total:
            say(f"{who}: {done} of {total} {unit}")

    return step
