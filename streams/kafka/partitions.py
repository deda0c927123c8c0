"""Which partition a key belongs to: murmur2 as in Kafka's Java client (org.apache.kafka.common.utils.Utils)."""

from __future__ import annotations

MASK = 0xFFFFFFFF
SEED = 0x9747B28C
MULTIPLIER = 0x5BD1E995


def murmur2(data: bytes) -> int:
    """The 32-bit murmur2 hash with Kafka's seed, unsigned."""
    value = (SEED ^ len(data)) & MASK
    whole = len(data) & ~3
    for start in range(0, whole, 4):
        part = (int.from_bytes(data[start : start + 4], "little") * MULTIPLIER) & MASK
        part ^= part >> 24
        value = ((value * MULTIPLIER) & MASK) ^ ((part * MULTIPLIER) & MASK)
    if whole < len(data):
        value = ((value ^ int.from_bytes(data[whole:], "little")) * MULTIPLIER) & MASK
    value ^= value >> 13
    value = (value * MULTIPLIER) & MASK
    return value ^ (value >> 15)


def partition_of(key: str, partitions: int) -> int:
    """The partition of an order key among `partitions`."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions
