"""How beginnings are counted in the commits' metadata, by a consumer that only keeps what it was told to commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.beginnings import IDLE_TURNS, Beginnings, Count, count_in
from streams.kafka.client import KafkaError, KafkaException, TopicPartition

TOPIC = "sink.crm"


class Commits:
    """The group's committed offsets."""

    def __init__(self) -> None:
        self.offsets: dict[int, tuple[int, str]] = {}
        self.calls = 0
        self.refuses = False

    def commit(self, offsets: Sequence[TopicPartition], asynchronous: bool) -> None:
        self.calls += 1
        if self.refuses:
            raise KafkaException(KafkaError(KafkaError.ILLEGAL_GENERATION))
        for each in offsets:
            self.offsets[each.partition] = (each.offset, each.metadata or "")


class At:
    """A message that only has a place."""

    def __init__(self, offset: int, partition: int = 0) -> None:
        self._offset, self._partition = offset, partition

    def topic(self) -> str:
        return TOPIC

    def partition(self) -> int:
        return self._partition

    def offset(self) -> int:
        return self._offset


class Group:
    """Members that follow each other on the same commits."""

    def __init__(self, *offsets: int) -> None:
        self.commits = Commits()
        self.commits.offsets = {number: (offset, "") for number, offset in enumerate(offsets or (7,))}

    def member(self) -> Beginnings:
        made = Beginnings(self.commits)  # type: ignore[arg-type]
        committed = [
            TopicPartition(TOPIC, number, offset, metadata=metadata)
            for number, (offset, metadata) in self.commits.offsets.items()
        ]
        made.taken_over(committed)
        return made

    def killed(self, *offsets: int) -> Beginnings:
        """A new member begins these and dies."""
        made = self.member()
        made._begin([At(offset) for offset in offsets])  # type: ignore[misc]
        return made

    def finishes(self, member: Beginnings, *offsets: int) -> None:
        with member.counted([At(offset) for offset in offsets]):  # type: ignore[misc]
            pass
        done = member.to_commit([TopicPartition(TOPIC, 0, offsets[-1] + 1)])
        self.commits.commit(done, asynchronous=False)
        member.committed(done)

    @property
    def tries(self) -> int:
        return count_in(self.commits.offsets[0][1]).tries


def kills(member: Beginnings, offset: int) -> bool:
    return member.kills(At(offset))  # type: ignore[arg-type]


def test_three_deaths_over_one_record_set_it_aside_and_the_rest_of_the_batch_is_suspected() -> None:
    group = Group(7)
    assert not group.killed(7, 8, 9).careful
    assert not group.killed(7, 8, 9).careful
    third = group.member()
    assert (third.careful, kills(third, 7), group.tries) == (True, False, 2)
    group.killed(7)
    fourth = group.member()
    assert kills(fourth, 7)
    group.finishes(fourth, 7)
    assert (fourth.careful, kills(fourth, 8), group.tries) == (True, False, 2)
    group.finishes(fourth, 8)
    group.finishes(fourth, 9)
    assert (fourth.careful, group.commits.offsets[0]) == (False, (10, ""))


def test_a_record_in_the_middle_of_the_batch_is_set_aside_after_its_third_death_too() -> None:
    group = Group(7)
    group.killed(7, 8, 9)
    group.killed(7, 8, 9)
    careful = group.member()
    group.finishes(careful, 7)
    assert not kills(careful, 8)
    careful._begin([At(8)])  # type: ignore[list-item]
    assert kills(group.member(), 8)


def test_who_was_handed_a_whole_batch_with_the_assignment_keeps_one_record_of_it() -> None:
    group, sought = Group(7), []
    calm = group.killed(7, 8, 9)
    group.killed(7, 8, 9)
    careful = group.member()

    class Seeks:
        def seek(self, where: TopicPartition) -> None:
            sought.append(where.offset)

    batch: Any = [At(7), At(8), At(9)]
    assert [each.offset() for each in careful.narrowed(batch, Seeks())] == [7]  # type: ignore[arg-type]
    assert sought == [8]
    assert calm.narrowed(batch, Seeks()) == batch  # type: ignore[arg-type]


def test_only_what_every_dead_batch_held_is_suspected() -> None:
    group = Group(7)
    group.killed(7, 8)
    group.killed(7, 8, 9, 10)
    careful = group.member()
    group.finishes(careful, 7)
    group.finishes(careful, 8)
    assert not careful.careful


def test_a_batch_that_ends_leaves_nothing_behind() -> None:
    group = Group(7)
    group.finishes(group.killed(7), 7, 8)
    assert group.commits.offsets[0] == (9, "")
    member = group.member()
    group.finishes(member, 9)
    calls = group.commits.calls
    with member.counted([At(10)]):  # type: ignore[list-item]
        pass
    assert group.commits.calls == calls  # only the first batch after a take-over is counted


def test_an_error_a_revoke_and_a_wait_are_no_kills() -> None:
    group = Group(7)
    member = group.member()
    with pytest.raises(RuntimeError), member.counted([At(7)]):  # type: ignore[list-item]
        raise RuntimeError("a registry that is away")
    assert group.tries == 0
    member._begin([At(7)])  # type: ignore[list-item]
    assert group.tries == 1
    seen: list[int] = []

    class Lease:
        def check(self) -> None:
            seen.append(-1)

        def wait(self, seconds: float) -> None:
            seen.append(group.tries)

    waiting = member.waiting(Lease())
    waiting.check()
    waiting.wait(600)
    assert (seen, group.tries) == ([-1, 0], 1)
    member.given_away()
    assert (group.tries, member.careful) == (0, False)


def test_a_count_that_cannot_be_committed_is_told_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    group = Group(7)
    member = group.killed(7)
    group.commits.refuses = True
    with member.counted([At(8)]):  # type: ignore[list-item]
        pass
    member.given_away()
    assert "could not be counted" in caplog.text


def test_the_offsets_of_other_partitions_keep_their_count() -> None:
    group = Group(7, 3)
    group.commits.offsets[1] = (3, Count(1).metadata)
    member = group.member()
    kept = member.to_commit([TopicPartition(TOPIC, 0, 7), TopicPartition(TOPIC, 1, 3)])
    assert [count_in(each.metadata).tries for each in kept] == [0, 1]


def test_when_nothing_is_left_to_read_nothing_is_left_to_fear() -> None:
    group = Group(7)
    for _ in range(2):
        group.killed(7)
    member = group.member()
    for _ in range(IDLE_TURNS):
        assert member.careful
        member.idle()
    assert not member.careful


@given(st.text() | st.sampled_from(["[]", '{"tries": "3"}', '{"common_to": null}', '{"tries": 2, "x": 1}']))
def test_what_somebody_else_wrote_into_a_commit_stops_nobody(metadata: str) -> None:
    found: Any = count_in(metadata)
    assert isinstance(found, Count)
