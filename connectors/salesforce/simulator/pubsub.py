"""The Pub/Sub API of the stand-in (contract section 5): GetTopic, GetSchema and Subscribe."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Never

import grpc

from connectors.salesforce.proto import pubsub_api_pb2 as pb
from connectors.salesforce.proto import pubsub_api_pb2_grpc as pb_grpc
from connectors.salesforce.simulator import avro
from connectors.salesforce.simulator.auth import ORG_ID, Sessions
from connectors.salesforce.simulator.eventlog import LoggedEvent, replay_id, sequence_of
from connectors.salesforce.simulator.model import CAPTURED, topic_of
from connectors.salesforce.simulator.org import Org
from connectors.testing import Ledger

PREFIX = "sfdc.platform.eventbus.grpc."
MOST_OUTSTANDING = 100
LOOK_EVERY_S = 0.05
ALL_CHANGES = "/data/ChangeEvents"


class Requests:
    """The client's side of one stream: how many events it will take, read in a thread of its own."""

    def __init__(self, incoming: Iterator[pb.FetchRequest], changed: threading.Condition) -> None:
        self._incoming = incoming
        self._changed = changed
        self.first = next(incoming, None)
        self.pending = 0
        self.problem: tuple[grpc.StatusCode, str] | None = None
        self.closed = False
        self.asked_at = time.monotonic()
        if self.first is not None:
            self._add(self.first)

    def follow(self) -> None:
        """Take further requests until the client ends its side."""
        with suppress(grpc.RpcError):  # the call was cancelled; the other side of it sees the same
            for request in self._incoming:
                self._add(request)
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def take(self, count: int) -> None:
        """Count delivered events down."""
        with self._changed:
            self.pending -= count

    def _add(self, request: pb.FetchRequest) -> None:
        with self._changed:
            if request.num_requested <= 0:
                self.problem = grpc.StatusCode.INVALID_ARGUMENT, "subscription.fetch.requested.events.invalid"
            elif self.first is not None and request.topic_name not in ("", self.first.topic_name):
                self.problem = grpc.StatusCode.INVALID_ARGUMENT, "subscription.fetch.topic.mismatch"
            self.pending = min(MOST_OUTSTANDING, self.pending + max(0, request.num_requested))
            self.asked_at = time.monotonic()
            self._changed.notify_all()


class PubSub(pb_grpc.PubSubServicer):
    """Answers for one org until `stop`."""

    def __init__(self, org: Org, sessions: Sessions, ledger: Ledger) -> None:
        self._org = org
        self._sessions = sessions
        self._ledger = ledger
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End all streams."""
        self._stopped.set()
        with self._org.log.changed:
            self._org.log.changed.notify_all()

    def GetTopic(self, request: pb.TopicRequest, context: grpc.ServicerContext) -> pb.TopicInfo:  # noqa: N802
        self._authorise(context, "GetTopic")
        entities = self._entities(request.topic_name, context)
        version = int(self._org.settings.number("schema_version"))
        schema = avro.schema_id(entities[0], version) if len(entities) == 1 else ""
        return pb.TopicInfo(
            topic_name=request.topic_name,
            tenant_guid=ORG_ID,
            can_publish=False,
            can_subscribe=True,
            schema_id=schema,
            rpc_id=str(uuid.uuid4()),
        )

    def GetSchema(self, request: pb.SchemaRequest, context: grpc.ServicerContext) -> pb.SchemaInfo:  # noqa: N802
        self._authorise(context, "GetSchema")
        self._ledger.record("rpc", name="GetSchema", schema=request.schema_id)
        text = self._schema(request.schema_id)
        if text is None:
            _refuse(context, grpc.StatusCode.INVALID_ARGUMENT, "schema.validation.failed", "no such schema id")
        return pb.SchemaInfo(schema_json=text, schema_id=request.schema_id, rpc_id=str(uuid.uuid4()))

    def Subscribe(  # noqa: N802
        self, request_iterator: Iterator[pb.FetchRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.FetchResponse]:
        self._authorise(context, "Subscribe")
        requests = Requests(request_iterator, self._org.log.changed)
        if requests.first is None:
            return
        topic = requests.first.topic_name
        entities = self._entities(topic, context)
        place = self._start(requests.first, context)
        self._ledger.record(
            "rpc", name="Subscribe", topic=topic, preset=pb.ReplayPreset.Name(requests.first.replay_preset)
        )
        reader = threading.Thread(target=requests.follow, name=f"stand-in-subscriber-{topic}", daemon=True)
        reader.start()
        yield from self._deliver(requests, topic, entities, place, context)

    def _deliver(
        self, requests: Requests, topic: str, entities: Sequence[str], place: int, context: grpc.ServicerContext
    ) -> Iterator[pb.FetchResponse]:
        last_sent, restores = time.monotonic(), self._org.log.restores
        while context.is_active() and not self._stopped.is_set() and not requests.closed:
            self._spoil(requests, topic, context)
            if self._org.log.restores != restores:
                context.abort(grpc.StatusCode.UNAVAILABLE, "the org was restored from a backup")
            events, place = self._await(requests, place, entities)
            now = time.monotonic()
            if events:
                requests.take(len(events))
                if self._org.faults.take("duplicate_events", topic=topic):
                    events = [*events, *events]
            elif now - last_sent < self._org.settings.number("keep_alive_s"):
                if requests.pending == 0 and now - requests.asked_at > self._org.settings.number("idle_close_s"):
                    return
                continue
            last_sent = now
            yield _response(events, place, requests.pending)

    def _await(self, requests: Requests, place: int, entities: Sequence[str]) -> tuple[list[LoggedEvent], int]:
        """Events that may be delivered now, after a short wait for some, and the place behind them.

        A client that takes no more stands still; one that is up to date stands at the end of the log.
        """
        log = self._org.log
        with log.changed:
            events = log.after(place, entities, requests.pending)
            if not events and requests.problem is None:
                log.changed.wait(LOOK_EVERY_S)
                events = log.after(place, entities, requests.pending)
            if events:
                return events, events[-1].sequence
            return [], log.last if requests.pending else place

    def _spoil(self, requests: Requests, topic: str, context: grpc.ServicerContext) -> None:
        if requests.problem is not None:
            _refuse(context, *requests.problem, "see the code")
        if self._org.faults.take("dropped_stream", topic=topic):
            context.abort(grpc.StatusCode.UNAVAILABLE, "connection dropped")
        if self._org.faults.take("quota", topic=topic):
            _refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED, "subscription.limit.exceeded", "24 h quota")

    def _start(self, first: pb.FetchRequest, context: grpc.ServicerContext) -> int:
        """The place that a new stream begins behind."""
        log = self._org.log
        if first.replay_preset == pb.LATEST:
            return log.last
        if first.replay_preset == pb.EARLIEST:
            return log.earliest()
        if not first.replay_id:
            _refuse(
                context,
                grpc.StatusCode.INVALID_ARGUMENT,
                "subscription.fetch.replayid.validation.failed",
                "CUSTOM needs a replay id",
            )
        place = sequence_of(first.replay_id)
        if self._org.faults.take("lost_cursor", topic=first.topic_name) or place is None or not log.holds(place):
            _refuse(
                context,
                grpc.StatusCode.INVALID_ARGUMENT,
                "subscription.fetch.replayid.corrupted",
                "the replay id is damaged or too old",
            )
        return place

    def _entities(self, topic: str, context: grpc.ServicerContext) -> tuple[str, ...]:
        if topic == ALL_CHANGES or topic.endswith("__chn"):
            return CAPTURED
        entities = tuple(entity for entity in CAPTURED if topic_of(entity) == topic)
        if not entities:
            _refuse(context, grpc.StatusCode.NOT_FOUND, "topic.not.found", f"no topic {topic}")
        return entities

    def _schema(self, wanted: str) -> str | None:
        versions = range(1, int(self._org.settings.number("schema_version")) + 1)
        return next(
            (
                avro.schema_json(entity, version)
                for entity in CAPTURED
                for version in versions
                if avro.schema_id(entity, version) == wanted
            ),
            None,
        )

    def _authorise(self, context: grpc.ServicerContext, rpc: str) -> None:
        metadata = {str(key): str(value) for key, value in context.invocation_metadata()}
        if not all(metadata.get(name) for name in ("accesstoken", "instanceurl", "tenantid")):
            _refuse(context, grpc.StatusCode.UNAUTHENTICATED, "service.auth.headers.invalid", "headers are missing")
        if self._org.faults.take("expired_session", path=rpc):
            self._sessions.expire(metadata["accesstoken"])
        if metadata["tenantid"] != ORG_ID or not self._sessions.holds(metadata["accesstoken"]):
            _refuse(context, grpc.StatusCode.UNAUTHENTICATED, "service.auth.error", "the session is not valid")


def _refuse(context: grpc.ServicerContext, status: grpc.StatusCode, code: str, details: str) -> Never:
    context.set_trailing_metadata((("error-code", PREFIX + code),))
    context.abort(status, details)


def _response(events: Sequence[LoggedEvent], place: int, pending: int) -> pb.FetchResponse:
    consumed = [
        pb.ConsumerEvent(
            event=pb.ProducerEvent(id=str(uuid.uuid4()), schema_id=event.schema_id, payload=event.payload),
            replay_id=event.replay_id,
        )
        for event in events
    ]
    return pb.FetchResponse(
        events=consumed, latest_replay_id=replay_id(place), rpc_id=str(uuid.uuid4()), pending_num_requested=pending
    )
