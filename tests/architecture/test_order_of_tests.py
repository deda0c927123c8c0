"""`make test` hands out whole files in the order in which they are collected (--dist loadfile)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.longest_first import LONGEST, place

ROOT = Path(__file__).parents[2]


def test_every_file_that_is_to_begin_early_is_there() -> None:
    assert [name for name in LONGEST if not (ROOT / name).is_file()] == []


def test_long_files_come_first_and_the_others_stay_in_their_order() -> None:
    tests = ["tests/a.py::one", f"{LONGEST[1]}::x", "tests/b.py::two", f"{LONGEST[0]}::y"]
    assert sorted(tests, key=place) == [tests[3], tests[1], tests[0], tests[2]]


def test_the_tests_of_this_run_are_in_that_order(request: pytest.FixtureRequest) -> None:
    places = [place(item.nodeid) for item in request.session.items]
    assert places == sorted(places)
