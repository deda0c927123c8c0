"""What a soak believes: fitted lines, ledgers that rotate, and books that notice a loss and a repeat."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.books import Books
from tests.soak.figures import Seen, slope
from tests.soak.judgement import judge, summary
from tests.soak.run import Sample, Soak
from tests.soak.soakplug import ledger
from tests.soak.soakplug.ledger import Ledger, Place, read


def test_a_line_through_points_grows_as_they_do() -> None:
    assert slope([(x, 3 * x + 1) for x in range(5)]) == pytest.approx(3)
    assert slope([(1, 5)]) == slope([]) == 0


def test_a_reader_follows_a_ledger_over_its_files_and_leaves_half_a_line_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "LARGEST_FILE", 10)
    book = Ledger(tmp_path, "jobs")
    for word in ("first line", "second", "third line", "fourth"):
        book.write([word])
    book.close()
    found, place = read(tmp_path, "jobs", Place(), 3)
    assert [line for line, _ in found] == ["first line", "second", "third line"]
    with ledger.file_of(tmp_path, "jobs", 2).open("ab") as file:
        file.write(b"half")
    found, place = read(tmp_path, "jobs", place, 100)
    assert [line for line, _ in found] == ["fourth"]
    assert read(tmp_path, "jobs", place, 100)[0] == []
    again = read(tmp_path, "jobs", Place(), 1)[0]
    assert read(tmp_path, "jobs", again[0][1], 1)[0][0][0] == "second"


def told(folder: Path, jobs: list[str], statuses: list[str]) -> Books:
    for name, lines in (("jobs", jobs), ("statuses", statuses)):
        book = Ledger(folder, name)
        book.write(lines)
        book.close()
    books = Books(folder, 2)
    books.follow()
    return books


GOOD_JOBS = ["shop:00000000/L1 5 released 1 9", "shop:00000000/L1 7 released 2 9", "shop:00000001/L1 5 released 1 9"]
GOOD_STATUSES = ["00000000 running 1", "00000000 closed 2", "00000001 closed 5"]


@pytest.mark.parametrize(
    ("jobs", "statuses", "verdict"),
    [
        (GOOD_JOBS, GOOD_STATUSES, (0, 0, 0)),
        (GOOD_JOBS[:1] + GOOD_JOBS[2:], GOOD_STATUSES, (1, 0, 0)),
        (GOOD_JOBS, GOOD_STATUSES[:2], (1, 0, 0)),
        ([*GOOD_JOBS, GOOD_JOBS[1]], GOOD_STATUSES, (0, 1, 0)),
        (GOOD_JOBS, [*GOOD_STATUSES, GOOD_STATUSES[0]], (0, 0, 1)),
    ],
    ids=["all is well", "a change was lost", "an order never closed", "a write was repeated", "a write went back"],
)
def test_the_books_say_what_was_lost_repeated_or_went_back(
    tmp_path: Path, jobs: list[str], statuses: list[str], verdict: tuple[int, int, int]
) -> None:
    found = told(tmp_path, jobs, statuses).verdict(2)
    assert (found.lost, found.duplicated, found.went_back) == verdict


def soak(mb_per_look: float, lag_per_look: float) -> Soak:
    samples = [
        Sample(10.0 * n, {"source": Seen(70 + mb_per_look * n, 9, 5)}, {"open": 10 + lag_per_look * n}, 100 * n)
        for n in range(61)
    ]
    return Soak(10.0, 6_000, samples)


@pytest.mark.parametrize(
    ("mb_per_look", "lag_per_look", "problem"),
    [(0.0, 0.0, ""), (0.1, 0.3, ""), (0.5, 0.0, "memory of source"), (0.0, 20.0, "lag of open")],
)
def test_what_grows_is_named_and_noise_is_not(mb_per_look: float, lag_per_look: float, problem: str) -> None:
    found = judge(soak(mb_per_look, lag_per_look))
    assert [each.split(":")[0] for each in found.problems] == ([problem] if problem else [])
    assert "lost=0 duplicated=0" in summary(soak(mb_per_look, lag_per_look), found)
