"""One subscription to one topic: a gRPC stream, read by a thread of its own into the source's inbox."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import grpc

from connectors.salesforce.proto import pubsub_api_pb2 as pb

MOST_OUTSTANDING = 100
ASK_AT = 50
"""How few outstanding events make us ask for more (contract section 5: at most 100 are)."""

SILENCE_S = 300.0
"""A keep-alive comes within 270 s; a stream that is silent for longer is dead though nobody said so."""


@dataclass(frozen=True)
class Delivery:
    """One answer of a feed; without events it is a keep-alive."""

    feed: Feed
    response: pb.FetchResponse

    @property
    def replay_id(self) -> bytes:
        """The place behind this answer."""
        events = self.response.events
        return events[-1].replay_id if events else self.response.latest_replay_id


@dataclass(frozen=True)
class Broken:
    """A feed has ended; `error` is None where the server closed it in good order."""

    feed: Feed
    error: grpc.RpcError | None


News: TypeAlias = "Delivery | Broken"


class Stream(Protocol):
    """What a Subscribe call gives: answers one after the other, until it is cancelled."""

    def __iter__(self) -> Iterator[pb.FetchResponse]: ...

    def cancel(self) -> bool:
        """End the call."""
        ...


class Feed:
    """A running stream. The reading thread only delivers; who takes a delivery calls `taken`."""

    def __init__(
        self,
        topic: str,
        first: pb.FetchRequest,
        call: Callable[[Iterator[pb.FetchRequest]], Stream],
        inbox: queue.Queue[News],
    ) -> None:
        self.topic = topic
        self.resumed = first.replay_preset == pb.CUSTOM
        self.answered = False
        self.renewed = False  # whether it was begun with a token minted because the one before was refused
        self._inbox = inbox
        self._outstanding = first.num_requested
        self._heard_at = time.monotonic()
        self._requests: queue.SimpleQueue[pb.FetchRequest | None] = queue.SimpleQueue()
        self._requests.put(first)
        self._stream = call(iter(self._requests.get, None))
        self._thread = threading.Thread(target=self._read, name=f"salesforce-{topic}", daemon=True)
        self._thread.start()

    @property
    def silent(self) -> bool:
        """Whether not even a keep-alive came in time."""
        return time.monotonic() - self._heard_at > SILENCE_S

    def taken(self, delivery: Delivery) -> None:
        """Count a delivery's events and ask for more when few are outstanding."""
        self.answered = True
        self._outstanding -= len(delivery.response.events)
        if self._outstanding <= ASK_AT:
            more = min(MOST_OUTSTANDING, MOST_OUTSTANDING - self._outstanding)
            self._outstanding += more
            self._requests.put(pb.FetchRequest(topic_name=self.topic, num_requested=more))

    def close(self) -> None:
        """End the stream and its threads. Safe twice."""
        self._stream.cancel()
        self._requests.put(None)
        self._thread.join()

    def _read(self) -> None:
        error: grpc.RpcError | None = None
        try:
            for response in self._stream:
                self._heard_at = time.monotonic()
                self._inbox.put(Delivery(self, response))
        except grpc.RpcError as failure:
            error = failure
        self._inbox.put(Broken(self, error))
