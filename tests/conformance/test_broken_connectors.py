"""Every rule catches a connector that breaks its promise and nothing else: the healthy one of test_shop keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import isfunction
from pathlib import Path

import pytest

from connectors.testing.conformance import RULES, Rule, Session
from tests.conformance.broken import broken_ends, broken_plugin, broken_pushes, broken_source, broken_writing
from tests.conformance.broken.changes import Patch
from tests.conformance.shop.bench import ShopBench

MODULES = (broken_plugin, broken_source, broken_pushes, broken_writing, broken_ends)

FUNCTIONS: Mapping[str, Callable[[Patch], None]] = {
    name.replace("_", "-"): function
    for module in MODULES
    for name, function in vars(module).items()
    if isfunction(function) and function.__module__ == module.__name__
}


def test_there_is_a_broken_connector_for_every_rule() -> None:
    assert [rule.name for rule in RULES if rule.name not in FUNCTIONS] == []


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_connector_that_breaks_the_promise_is_caught(
    rule: Rule, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    FUNCTIONS[rule.name](monkeypatch)
    session = Session(ShopBench, tmp_path)
    outcome = session.run(rule)
    session.close()

    assert outcome.verdict == "failed"
    assert "could not be tried" not in outcome.reason, outcome.reason
