"""Documents into calls: so many at most, no subject twice in one, a refused call in halves until it is one row."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeVar

from connectors.errors import DataError

Row = TypeVar("Row")
Verdict = TypeVar("Verdict")


def runs(rows: Sequence[Row], most: int) -> Iterator[Sequence[Row]]:
    """The rows in their order, in runs of at most `most`."""
    for start in range(0, len(rows), most):
        yield rows[start : start + most]


def batches(rows: Sequence[Row], most: int, subject: Callable[[Row], Hashable]) -> Iterator[Sequence[Row]]:
    """The same, and never two rows of one subject in one run: within a call no order is promised."""
    run: list[Row] = []
    subjects: set[Hashable] = set()
    for row in rows:
        if len(run) == most or subject(row) in subjects:
            yield run
            run, subjects = [], set()
        run.append(row)
        subjects.add(subject(row))
    if run:
        yield run


def halved(
    rows: Sequence[Row],
    send: Callable[[Sequence[Row]], Sequence[Verdict]],
    alone: Callable[[Row, DataError], Verdict],
) -> list[Verdict]:
    """The verdicts of a call, row by row; one that is refused as a whole wrote nothing and is sent in halves.

    `alone` is the verdict on a row that is refused by itself. Any other error than DataError goes through.
    """
    try:
        return list(send(rows))
    except DataError as error:
        if len(rows) == 1:
            return [alone(rows[0], error)]
    middle = len(rows) // 2
    return halved(rows[:middle], send, alone) + halved(rows[middle:], send, alone)
