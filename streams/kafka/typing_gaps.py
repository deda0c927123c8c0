"""The few places where confluent-kafka's types are silent or wrong, closed here and nowhere else."""

from __future__ import annotations

from typing import cast

from confluent_kafka.admin import OffsetSpec as OffsetSpec  # type: ignore[attr-defined]
from confluent_kafka.admin._resource import ResourceType as ResourceType
from confluent_kafka.cimpl import NewPartitions as NewPartitions
from confluent_kafka.cimpl import NewTopic as NewTopic


def earliest() -> OffsetSpec:
    """The OffsetSpec of a partition's first record."""
    return cast("OffsetSpec", OffsetSpec.earliest())  # type: ignore[no-untyped-call]


def latest() -> OffsetSpec:
    """The OffsetSpec of a partition's end."""
    return cast("OffsetSpec", OffsetSpec.latest())  # type: ignore[no-untyped-call]
