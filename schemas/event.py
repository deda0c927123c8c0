"""One event on the bus: a canonical record with its envelope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Canonical: TypeAlias = "bool | int | str | bytes | Sequence[Canonical] | Mapping[str, Canonical] | None"
"""A value inside the process: decimals are unscaled ints, dates days and instants microseconds since 1970."""

Record: TypeAlias = Mapping[str, Canonical]


@dataclass(frozen=True)
class Event:
    """A record about one subject, full state and never a delta.

    `record` is the name of its schema, `key` the order key that chooses the partition, `subject` the record's own
    id, `id` the CloudEvents id (a repeat has the same), `source` who made it, `time_us` when the fact became true
    (UTC microseconds), `version` the bus's own clock, the only thing guards compare.
    """

    record: str
    key: str
    subject: str
    id: str
    source: str
    time_us: int
    version: int
    value: Record
    headers: Mapping[str, str] = field(default_factory=dict)
