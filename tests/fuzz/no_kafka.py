"""A cluster without a broker: what is produced is counted as delivered, and every topic is empty.

Fuzzing looks at what the bus makes of its input; that Kafka keeps it is shown in tests/integration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from streams.kafka.cluster import Cluster


@dataclass
class Taken:
    """A producer that takes everything. `records` are what it was given, as (topic, key, value)."""

    records: list[tuple[str, bytes, bytes | None]] = field(default_factory=list)

    def init_transactions(self, timeout: float) -> None: ...

    def produce(
        self,
        topic: str,
        value: bytes | None,
        key: bytes,
        partition: int,
        headers: Sequence[tuple[str, str | bytes | None]],
        on_delivery: Callable[[None, None], None],
    ) -> None:
        assert all(isinstance(name, str) for name, _ in headers)
        self.records.append((topic, key, value))
        on_delivery(None, None)

    def poll(self, timeout: float) -> int:
        return 0

    def flush(self, timeout: float) -> int:
        return 0


class Silent:
    """A consumer to which nothing ever comes."""

    def consume(self, count: int, timeout: float) -> list[Any]:
        return []

    def assign(self, partitions: Sequence[Any]) -> None: ...

    def close(self) -> None: ...


class Empty:
    """An admin client of a cluster whose topics hold nothing."""

    def list_topics(self, topic: str | None = None, timeout: float = 0) -> Any:
        return SimpleNamespace(topics={topic: SimpleNamespace(error=None, partitions={0: None})})

    def list_offsets(self, asked: Mapping[Any, Any], request_timeout: float) -> Any:
        nothing = SimpleNamespace(result=lambda: SimpleNamespace(offset=0))
        return dict.fromkeys(asked, nothing)


@dataclass(frozen=True)
class NoKafka(Cluster):
    """The cluster; `taken` is its one producer."""

    taken: Taken = field(default_factory=Taken, compare=False)

    def admin(self) -> Any:
        return Empty()

    def group_consumer(self, group: str) -> Any:
        return Silent()

    def free_consumer(self, group: str = "reader") -> Any:
        return Silent()

    def producer(self) -> Any:
        return self.taken

    def transactional_producer(self, transactional_id: str) -> Any:
        return self.taken
