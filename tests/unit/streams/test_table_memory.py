"""What a table keeps of a partition that was given away, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from streams import state
from streams.kafka.cluster import Cluster

Where = tuple[str, int]


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The offset at which each reading of the topic began; every reading ends at 7."""
    found: list[int] = []

    def read(_: Cluster, begin: Mapping[Where, int], __: Callable[..., None]) -> dict[Where, int]:
        found.extend(begin.values())
        return dict.fromkeys(begin, 7)

    monkeypatch.setattr(state, "read_to_end", read)
    return found


def test_a_partition_that_comes_back_soon_is_caught_up_from_where_its_reading_stopped(begun: list[int]) -> None:
    table = state.Table(Cluster("nowhere:1"), "bus.order-state")
    table.restore([3])
    table.disown()
    table.restore([3])
    assert begun == [0, 7]


def test_a_partition_that_was_away_for_long_is_read_anew(begun: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Tombstones written meanwhile may be compacted away, and what they removed would stay for ever."""
    table = state.Table(Cluster("nowhere:1"), "bus.order-state")
    table.restore([3])
    table.put(3, "crm:1", b"stale")
    table.merge()
    table.disown()
    monkeypatch.setattr(state, "KEPT_S", -1)
    table.restore([3])
    assert begun == [0, 0]
    assert table.get(3, "crm:1") is None
