"""Batches keep the order within a subject, and a refused one gives up its culprits alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.batching import batches, halved, runs
from connectors.config import ConnectorConfig, narrowed
from connectors.errors import DataError, TransientError

ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers()), max_size=30)
Row = tuple[int, int]


@given(ROWS, st.integers(1, 7))
def test_a_batch_never_holds_a_subject_twice_and_never_more_than_may_be(rows: list[Row], most: int) -> None:
    found = list(batches(rows, most, lambda row: row[0]))
    assert [row for batch in found for row in batch] == rows
    assert all(0 < len(batch) <= most for batch in found)
    assert all(len({row[0] for row in batch}) == len(batch) for batch in found)


@given(ROWS, st.integers(1, 7))
def test_runs_are_all_rows_in_their_order(rows: list[Row], most: int) -> None:
    found = list(runs(rows, most))
    assert [row for run in found for row in run] == rows
    assert all(0 < len(run) <= most for run in found)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40, unique=True), st.sets(st.integers(0, 50)))
def test_of_a_refused_call_every_good_row_is_written_once_and_every_bad_one_stands_alone(
    rows: list[int], bad: set[int]
) -> None:
    written: list[int] = []

    def send(some: Sequence[int]) -> list[str]:
        if bad & set(some):
            raise DataError("one of these")
        written.extend(some)
        return ["done"] * len(some)

    verdicts = halved(rows, send, lambda row, error: "refused")
    assert verdicts == ["refused" if row in bad else "done" for row in rows]
    assert sorted(written) == sorted(set(rows) - bad)


def test_an_error_that_is_no_row_s_fault_is_not_halved() -> None:
    asked: list[int] = []

    def send(some: Sequence[int]) -> list[str]:
        asked.append(len(some))
        raise TransientError("down")

    with pytest.raises(TransientError):
        halved([1, 2, 3], send, lambda row, error: "refused")
    assert asked == [3]


class OursConfig(ConnectorConfig):
    """The configuration of one connector."""


def test_a_configuration_of_another_connector_is_a_defect_that_is_named() -> None:
    assert narrowed(OursConfig(), OursConfig) == OursConfig()
    with pytest.raises(TypeError, match="a OursConfig is needed, not ConnectorConfig"):
        narrowed(ConnectorConfig(), OursConfig)
