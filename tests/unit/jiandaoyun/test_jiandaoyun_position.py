"""The position of a sweep: nothing that changed is ever counted as certain too early."""

from hypothesis import given
from hypothesis import strategies as st

from connectors.jiandaoyun.position import Sweep


def test_a_change_behind_the_cursor_is_never_certain_when_the_sweep_ends() -> None:
    second = Sweep().after_page("b", 100).ended()
    # The first page is read; then its record changes at 150, and one of the second page at 200.
    third = second.after_page("a", 100).after_page("b", 200).ended()

    assert third.done_us <= 150
    assert third.ended().done_us == 200


def test_the_first_sweep_makes_nothing_certain_but_the_backfill() -> None:
    ended = Sweep().after_page("a", 100).ended()

    assert (ended.done_us, ended.cursor, ended.backfilled) == (0, "", True)


@given(st.builds(Sweep, st.text(), st.integers(0), st.integers(0), st.integers(0), st.booleans()))
def test_a_position_is_read_back_as_it_was(sweep: Sweep) -> None:
    assert Sweep.parse(sweep.position()) == sweep


@given(st.lists(st.lists(st.integers(0, 10**6), max_size=5), max_size=5))
def test_what_is_certain_only_grows(sweeps: list[list[int]]) -> None:
    sweep, certain = Sweep(), [0]
    for stamps in sweeps:
        for stamp in stamps:
            sweep = sweep.after_page("x", stamp)
        sweep = sweep.ended()
        certain.append(sweep.done_us)

    assert certain == sorted(certain)
