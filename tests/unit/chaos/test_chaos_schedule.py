"""The schedule and the table of the chaos runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.jiandaoyun.simulator.gate import KINDS
from connectors.salesforce.simulator.web import FAULTS
from tests.chaos.deck import brokers_of, kinds, schedule
from tests.chaos.kinds_far import SCRIPTS
from tests.chaos.table import BEGIN, END, enter

ROW: Mapping[str, Any] = {
    "date": "2026-01-01 10:00", "commit": "abc1234", "machine": "2 cores", "seed": 7, "brokers": 3, "disk": "tmpfs",
    "orders": 300, "felt": 2, "violated": 0, "parked_at_end": 1, "kinds": {"SIGKILL source": 2},
}  # fmt: skip


def test_a_seed_gives_the_same_schedule_every_time_and_another_seed_another() -> None:
    names = [[each.kind.name for each in schedule(seed, 50, 1)] for seed in (4, 4, 6)]
    assert names[0] == names[1] != names[2]
    assert schedule(4, 1, 1)[0].dice.random() == schedule(4, 1, 1)[0].dice.random()


@pytest.mark.parametrize("brokers", [1, 3])
def test_every_kind_of_a_world_is_drawn_before_any_comes_again(brokers: int) -> None:
    known = {each.name for each in kinds() if brokers in each.worlds}
    assert {each.kind.name for each in schedule(1, len(known), brokers)} == known


def test_seeds_alternate_between_one_broker_and_three() -> None:
    assert [brokers_of(seed) for seed in (2, 3, 4)] == [1, 3, 1]


def test_every_fault_that_a_stand_in_can_be_told_is_in_the_table() -> None:
    scripted = {(each.system, each.kind) for each in SCRIPTS}
    assert scripted == {*(("salesforce", kind) for kind in FAULTS), *(("jiandaoyun", kind) for kind in KINDS)}


def test_a_run_is_written_between_the_marks_and_adds_up_with_those_before(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Promises\n\nBefore.\n\n" + f"{BEGIN}\n{END}\n\nAfter.\n")
    enter(page, ROW)
    enter(page, {**ROW, "seed": 8, "felt": 3})
    enter(page, {**ROW, "seed": 8, "felt": 5})
    text = page.read_text()
    assert text.startswith("# Promises\n\nBefore.\n") and text.endswith("\nAfter.\n")
    assert "7 felt faults over 2 seeds, 0 violations" in text
    assert "| SIGKILL source | 4 |" in text
