from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.contract import Batch, Position
from connectors.testing.bench import Facts
from connectors.testing.conformance import Session, chosen
from connectors.testing.conformance.driven import DrivenSource
from schemas.document import Document, Fields
from tests.conformance.shop.bench import ShopBench

SILENT = (
    "a-silent-far-system-ends-a-poll",
    "a-silent-far-system-ends-a-write",
    "close-ends-a-poll-of-a-silent-far-system",
    "a-lost-answer-makes-one-record",
)


class Told:
    """A source that gives these batches, one in each poll, and nothing behind them."""

    def __init__(self, batches: Iterable[Batch | None]) -> None:
        self.left = list(batches)

    def open(self, position: Position | None) -> None:
        """Nothing is to be opened."""

    def poll(self, timeout: float) -> Batch | None:
        return self.left.pop(0) if self.left else None

    def close(self) -> None:
        """Nothing is to be closed."""


def batch(*names: str, complete: bool = True) -> Batch:
    return Batch([Document("Order", each, "1", {}) for each in names], {}, complete, "shop")


def driven(*batches: Batch | None) -> DrivenSource:
    return DrivenSource(Told(batches), Facts(quiet_s=0.0))


def names(source: DrivenSource) -> list[str]:
    source.lane.close()
    return [each.id for each in source.documents]


def test_catching_up_goes_on_until_the_first_reading_is_done_and_no_further() -> None:
    source = driven(batch("a", complete=False), None, batch("b"), batch("later"))
    source.catch_up()
    assert names(source) == ["a", "b"]


def test_one_poll_that_took_long_and_gave_nothing_is_not_taken_for_the_end() -> None:
    source = driven(batch("a"), None, batch("b"), None, None, batch("later"))
    source.drain()
    assert names(source) == ["a", "b"]


@pytest.mark.parametrize("name", SILENT)
def test_a_rule_that_waits_for_an_answer_that_never_comes_is_in_a_hurry(name: str, tmp_path: Path) -> None:
    waited: list[object] = []

    class Watched(ShopBench):
        facts = replace(ShopBench.facts, hurry={"timeout_s": 0.5})

        def __init__(self, folder: Path) -> None:
            super().__init__(folder)
            self.settings = self.watched

        def watched(self, **changes: object) -> Fields:
            waited.append(changes.get("timeout_s"))
            return self._far.settings(**changes)

    session = Session(Watched, tmp_path)
    outcome = session.run(chosen(names=[name])[0])
    session.close()
    assert (outcome.verdict, outcome.reason) == ("passed", "")
    assert 0.5 in waited
