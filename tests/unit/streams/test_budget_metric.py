"""The API budget of a far system is shown where it counts calls."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import REGISTRY

from connectors.contract import ApiBudget
from streams.metrics import show_budget


@dataclass
class Counting:
    api_budget: ApiBudget | None


def _shown(stage: str) -> float | None:
    return REGISTRY.get_sample_value("lineshaft_api_budget_used_ratio", {"stage": stage})


def test_the_used_share_of_the_budget_is_shown_once_the_far_system_has_told_it() -> None:
    show_budget("sink.counting", Counting(None))
    assert _shown("sink.counting") is None
    show_budget("sink.counting", Counting(ApiBudget(used=750, limit=1000)))
    assert _shown("sink.counting") == 0.75


def test_a_far_system_that_counts_nothing_has_no_budget() -> None:
    show_budget("sink.free", object())
    assert _shown("sink.free") is None
