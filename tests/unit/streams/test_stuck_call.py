"""A call of the Kafka client that never returns ends the task: the client itself does not keep its deadline."""

from __future__ import annotations

from threading import Event as Flag
from typing import Any, cast

import pytest

from streams.kafka.client import Producer
from streams.kafka.cluster import Cluster
from streams.kafka.transaction import Stuck, Transaction


class Coordinator:
    """A producer whose group coordinator is gone: `send_offsets_to_transaction` waits until it is let go."""

    def __init__(self) -> None:
        self.let_go = Flag()

    def send_offsets_to_transaction(self, *_: Any) -> None:
        self.let_go.wait()


def test_offsets_that_are_never_answered_end_the_task_instead_of_holding_it_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.kafka.transaction.STUCK_AFTER_S", 0.05)
    coordinator = Coordinator()
    transaction = Transaction(Cluster("nowhere:1"), cast("Producer", coordinator))
    with pytest.raises(Stuck, match="send_offsets"):
        transaction.send_offsets([], object())
    coordinator.let_go.set()


def test_what_the_call_itself_raises_is_raised() -> None:
    class Refusing:
        def send_offsets_to_transaction(self, *_: Any) -> None:
            raise ValueError("no group")

    with pytest.raises(ValueError, match="no group"):
        Transaction(Cluster("nowhere:1"), cast("Producer", Refusing())).send_offsets([], object())
