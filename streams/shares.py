"""Who may use which part of a far system's rate limits.

Many processes call one account: sink tasks, its source, the ingress. The parts below are of the whole limit; the
sinks' part is divided by the partitions that each task owns, so that the sum never exceeds it whoever joins or dies.
"""

from __future__ import annotations

from collections.abc import Mapping

from connectors.contract import Paced

PARTS: Mapping[str, float] = {"sink": 0.70, "source": 0.25, "ingress": 0.05}
"""Writing is what people wait for; the ingress calls only for field names and for pushes without a stamp."""

BULK_PART = 0.8
"""What the bulk lane may use of its sink's share: an urgent record finds the rest free at once."""


def sink_share(owned: int, partitions: int, bulk: bool) -> float:
    """The part of one sink task that owns `owned` of all partitions, for one lane."""
    return PARTS["sink"] * max(owned, 1) / partitions * (BULK_PART if bulk else 1.0)


def take(connector: object, share: float) -> None:
    """Tell a source, sink or webhook its part, where it keeps limits at all."""
    if isinstance(connector, Paced):
        connector.take_share(share)
