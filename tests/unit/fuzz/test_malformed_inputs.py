"""A few inputs of every kind that `make fuzz` makes by the hundred thousand, and the harness itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import pytest

from tests.fuzz import campaign
from tests.fuzz.__main__ import line, main
from tests.fuzz.campaign import Tally, case_of, play
from tests.fuzz.case import ACCEPTED, Case, End, Ending, Surface, Unclear, check
from tests.fuzz.surfaces import SURFACES, shares

CASES = shares(1_200)
SEED = "every make test"


@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
def test_no_input_of_a_surface_crashes_or_hangs_it(surface: Surface) -> None:
    tally = play(surface, SEED, range(CASES[surface.name]))
    assert [(each.number, each.kind, each.what) for each in tally.failures] == []
    assert tally.inputs == CASES[surface.name]
    assert tally.ends[End.REFUSED] + tally.ends[End.PARKED] > tally.inputs / 10, "hardly any of it is malformed"
    assert tally.ends[End.ACCEPTED], "none of it gets as far as good input does"


def of(act: Callable[[], Ending]) -> Surface:
    @contextmanager
    def opened() -> Iterator[Callable[[Random], Case]]:
        yield lambda rng: Case(f"{rng.random()}".encode(), act)

    return Surface("made", 1, opened)


def test_an_exception_of_no_surface_is_a_crash_with_its_place_and_its_input() -> None:
    def act() -> Ending:
        raise KeyError("name")

    (failure,) = play(of(act), "s", [7]).failures
    assert (failure.kind, failure.number) == ("crash", 7)
    assert "KeyError: 'name'" in failure.what
    assert "test_malformed_inputs.py" in failure.what
    assert failure.shown


def test_what_goes_on_for_too_long_is_a_hang_though_it_catches_every_exception(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def act() -> Ending:
        while True:
            try:
                time.sleep(1)
            except Exception:
                continue

    monkeypatch.setattr(campaign, "LONGEST_WAIT_S", 0.05)
    tally = play(of(act), "s", [1])
    assert [each.kind for each in tally.failures] == ["hang"]


def test_a_surface_that_keeps_something_of_every_input_has_grown() -> None:
    kept: list[bytes] = []

    def act() -> Ending:
        kept.append(b"x" * 300_000)  # more in all than other tests can have left free in this process
        return ACCEPTED

    assert play(of(act), "s", range(campaign.FEWEST_FOR_GROWTH)).grown


@pytest.mark.parametrize(
    "told", ["", "'name'", "None", "x " * 3_000, "list indices must be integers", "'int' object is not iterable"]
)
def test_a_sentence_that_teaches_nothing_is_a_crash(told: str) -> None:
    with pytest.raises(Unclear):
        check(Ending(End.REFUSED, told))


def test_one_number_gives_one_input_whatever_was_played_before() -> None:
    surface = SURFACES[0]
    with surface.open() as make:
        first = case_of(surface, make, "seed", 3).shown
        for number in range(5):
            case_of(surface, make, "seed", number)
        assert case_of(surface, make, "seed", 3).shown == first
        assert case_of(surface, make, "other seed", 3).shown != first


def test_the_shares_come_to_all_cases_and_leave_no_surface_out() -> None:
    assert 99_900 <= sum(shares(100_000).values()) <= 100_000
    assert all(shares(1).values())


def test_the_result_is_one_line() -> None:
    tally = Tally(inputs=3, grown_kb=7)
    tally.ends.update(["parked", "refused", "accepted"])
    assert line([tally]) == "inputs=3 parked=1 refused=1 accepted=1 crashes=0 hangs=0 grown_kb=7"


def test_the_command_repeats_one_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "codec", "--case", "4"]) == 0
    assert capsys.readouterr().out
