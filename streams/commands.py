"""An operator's commands to the task that owns a stage's parked records."""

from __future__ import annotations

import getpass
import logging
from collections.abc import Sequence

from schemas.catalog import command_topic
from schemas.codec import CodecError
from schemas.event import Event, Record
from schemas.wire import Reader, Writer, headers_of, new_traceparent
from streams.clock import now_us
from streams.kafka.client import KafkaError, Message
from streams.kafka.cluster import Cluster
from streams.kafka.consuming import place
from streams.kafka.transaction import Outgoing, produce
from streams.parking import Entry, Parking

log = logging.getLogger(__name__)

DELIVERY_S = 30.0


class NotSent(ConnectionError):
    """Kafka did not take a command; none of those that it did not take will be carried out."""


def redrive_command(stage: str, parked_id: str, partition: int, write: Writer) -> Outgoing:
    """The command to process one parked record again, encoded by `write`; for the partition that owns the record."""
    at = now_us()
    value: Record = {"command": "redrive", "parked_id": parked_id, "by": getpass.getuser(), "at": at}
    event_id = f"commands/{stage}/{parked_id}/{at}"
    headers = {"traceparent": new_traceparent()}
    event = Event("Command", parked_id, parked_id, event_id, "operator", at, at, value, headers)
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


def redrives(message: Message, parking: Parking, read: Reader) -> list[Entry]:
    """The parked record that a command names, decoded by `read`; none where it was resolved already."""
    try:
        command = read(message.value())
    except CodecError as error:
        log.error("%s: a command that nobody understands was left out: %s", parking.stage, error)
        return []
    entry = parking.entry(place(message)[1], str(command["parked_id"]))
    return [] if entry is None else [entry]
