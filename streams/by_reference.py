"""Parked records that were too large to be kept: read again from where they came."""

from __future__ import annotations

from dataclasses import replace

from streams.incoming import BY_REFERENCE, Incoming
from streams.kafka.cluster import Cluster
from streams.kafka.reading import message_at
from streams.outcome import Gone


def whole(cluster: Cluster, incoming: Incoming) -> Incoming:
    """The record with its content. Raises Gone where nobody has it any more."""
    if incoming.content_type != BY_REFERENCE:
        return incoming
    if not incoming.topic:
        raise Gone(f"{incoming.subject} was too large to be kept; change it in the far system, and it comes again")
    message = message_at(cluster, incoming.topic, incoming.partition, incoming.offset)
    if message is None:
        raise Gone(
            f"{incoming.topic}[{incoming.partition}] no longer has the record at {incoming.offset}: its retention "
            "took it; change the record in the far system, and it comes again"
        )
    return replace(incoming, content=message.value() or b"", content_type="avro")
