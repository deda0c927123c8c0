"""Where a topic ends: an answer without an offset is no answer, for a state read up to it would be empty."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, cast

from confluent_kafka.admin import AdminClient

from streams.kafka.reading import end_offsets


@dataclass(frozen=True)
class Answer:
    offset: int


class Cluster:
    """An admin client whose answers lack a partition's offset until its leader is known again."""

    def __init__(self, *offsets: int) -> None:
        self._offsets = list(offsets)

    def list_topics(self, timeout: float) -> None:
        return None

    def list_offsets(self, asked: dict[Any, Any], request_timeout: float) -> dict[Any, Future[Answer]]:
        offset = self._offsets.pop(0)
        futures = {each: Future[Answer]() for each in asked}
        for future in futures.values():
            future.set_result(Answer(offset))
        return futures


def test_an_end_that_nobody_knows_at_the_moment_is_asked_for_again() -> None:
    admin = cast("AdminClient", Cluster(-1001, -1, 7))
    assert end_offsets(admin, [("bus.order-state", 0)]) == {("bus.order-state", 0): 7}


def test_a_topic_that_is_empty_ends_at_nought() -> None:
    assert end_offsets(cast("AdminClient", Cluster(0)), [("bus.order-state", 0)]) == {("bus.order-state", 0): 0}
