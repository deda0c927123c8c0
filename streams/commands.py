"""An operator's commands to the task that owns a stage's parked records."""

from __future__ import annotations

import getpass
from collections.abc import Sequence

from schemas.catalog import command_topic
from schemas.event import Event, Record
from schemas.wire import Writer, headers_of, new_traceparent
from streams.clock import now_us
from streams.kafka.client import KafkaError
from streams.kafka.cluster import Cluster
from streams.kafka.transaction import Outgoing, produce

DELIVERY_S = 30.0


class NotSent(ConnectionError):
    """Kafka did not take a command; none of those that it did not take will be carried out."""


def redrive_command(stage: str, parked_id: str, partition: int, write: Writer) -> Outgoing:
    """The command to process one parked record again, encoded by `write`; for the partition that owns the record."""
    return _command("redrive", stage, parked_id, partition, write)


def discard_command(stage: str, parked_id: str, partition: int, write: Writer, reason: str) -> Outgoing:
    """The command to give one parked record up for good, for this reason."""
    return _command("discard", stage, parked_id, partition, write, reason=reason)


def edit_command(stage: str, parked_id: str, partition: int, write: Writer, content: bytes) -> Outgoing:
    """The command to give one parked record this content (`streams.edits`) and to process it again at once."""
    return _command("edit", stage, parked_id, partition, write, content=content)


def _command(name: str, stage: str, parked_id: str, partition: int, write: Writer, **more: str | bytes) -> Outgoing:
    at = now_us()
    command_id = f"{parked_id}/{at}"
    value: Record = {
        "command_id": command_id,
        "command": name,
        "parked_id": parked_id,
        "by": getpass.getuser(),
        "at": at,
        **more,
    }
    headers = {"traceparent": new_traceparent()}
    event = Event(
        "Command", parked_id, parked_id, f"commands/{stage}/{command_id}", "operator", at, at, value, headers
    )
    return Outgoing(command_topic(stage), parked_id, write(value), headers_of(event), partition)


def send(cluster: Cluster, commands: Sequence[Outgoing]) -> None:
    """Hand the commands to Kafka; each is durable when this returns. Raises NotSent, naming the first refusal."""
    failed: list[KafkaError] = []
    producer = cluster.producer()
    for command in commands:
        produce(producer, cluster, command, lambda error, _: None if error is None else failed.append(error))
    left = producer.flush(DELIVERY_S)
    if failed or left:
        reason = failed[0].str() if failed else f"no answer within {DELIVERY_S:.0f} s"
        raise NotSent(f"{len(failed) + left} of {len(commands)} commands were not sent: {reason}. Try again.")
