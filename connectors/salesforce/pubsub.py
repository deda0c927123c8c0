"""The Pub/Sub API as a client: one channel, schemas cached for ever, one feed per topic (contract section 5)."""

from __future__ import annotations

import io
import json
import queue
from collections.abc import Mapping
from typing import Any, TypeVar, cast

import fastavro
import grpc

from connectors.errors import AuthError, ConfigError, FarError
from connectors.salesforce.client import Client
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.feed import MOST_OUTSTANDING, Feed, News
from connectors.salesforce.outcomes import SessionExpired, error_of_rpc
from connectors.salesforce.proto import pubsub_api_pb2 as pb
from connectors.salesforce.proto import pubsub_api_pb2_grpc as pb_grpc

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")


class PubSub:
    """The channel of one org."""

    def __init__(self, client: Client, config: SalesforceConfig) -> None:
        self._client = client
        self._timeout_s = config.timeout_s
        self._channel = grpc.secure_channel(config.pubsub_endpoint, grpc.ssl_channel_credentials(_roots(config)))
        self._stub = pb_grpc.PubSubStub(self._channel)
        self._schemas: dict[str, Mapping[str, Any]] = {}

    def check_topic(self, topic: str) -> None:
        """Raises ConfigError where the user may not subscribe to the topic."""
        request = pb.TopicRequest(topic_name=topic)
        info = self._unary(self._stub.GetTopic, request, f"GetTopic {topic}")
        if not info.can_subscribe:
            raise ConfigError(
                "topics", f"the integration user may not subscribe to {topic}.", "Grant View All on the object."
            )

    def schema(self, schema_id: str) -> Mapping[str, Any]:
        """The Avro schema of that id, parsed; asked once. Raises ValueError where the answer is none."""
        if schema_id not in self._schemas:
            request = pb.SchemaRequest(schema_id=schema_id)
            info = self._unary(self._stub.GetSchema, request, f"GetSchema {schema_id}")
            self._schemas[schema_id] = _parsed(schema_id, info.schema_json)
        return self._schemas[schema_id]

    def decoded(self, event: pb.ProducerEvent, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """An event as its own schema says it: one batch can hold several schemas."""
        read = fastavro.schemaless_reader(io.BytesIO(event.payload), cast("dict[str, Any]", schema))
        return cast("Mapping[str, Any]", read)

    def subscribe(
        self, topic: str, start: bytes | None, preset: pb.ReplayPreset.ValueType, inbox: queue.Queue[News]
    ) -> Feed:
        """A running feed behind the replay id `start`, or from the preset where there is none."""
        first = pb.FetchRequest(topic_name=topic, num_requested=MOST_OUTSTANDING, replay_preset=preset)
        if start is not None:
            first.replay_preset, first.replay_id = pb.CUSTOM, start
        return Feed(topic, first, lambda requests: self._stub.Subscribe(requests, metadata=self._metadata()), inbox)

    def close(self) -> None:
        """Close the channel with all that runs on it. Safe twice."""
        self._channel.close()

    def _unary(self, method: grpc.UnaryUnaryMultiCallable[Asked, Answered], request: Asked, where: str) -> Answered:
        token = self._client.token
        try:
            return method(request, timeout=self._timeout_s, metadata=self._metadata())
        except grpc.RpcError as error:
            failure = error_of_rpc(error, where)
            if not isinstance(failure, SessionExpired):
                raise failure from error
        self._client.renew(token)
        try:
            return method(request, timeout=self._timeout_s, metadata=self._metadata())
        except grpc.RpcError as error:
            raise refused_again(error_of_rpc(error, where)) from error

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        token = self._client.token
        return ("accesstoken", token.access), ("instanceurl", token.instance_url), ("tenantid", token.org_id)


def _parsed(schema_id: str, text: str) -> Mapping[str, Any]:
    try:
        return cast("Mapping[str, Any]", fastavro.parse_schema(json.loads(text)))
    except Exception as error:  # fastavro fails in its own and in Python's ways on what is no schema
        said = f"{type(error).__name__}: {str(error)[:200]}"
        raise ValueError(f"the schema {schema_id} is no Avro schema ({said})") from error


def refused_again(error: FarError) -> FarError:
    """The error of a call that was made with a token minted a moment ago."""
    if isinstance(error, SessionExpired):
        return AuthError(f"{error} The token was minted a moment ago: check the user's access to the Pub/Sub API.")
    return error


def _roots(config: SalesforceConfig) -> bytes | None:
    """The certificate authority that the endpoint is verified against; None for the public ones."""
    if config.ca_file is None:
        return None
    try:
        return config.ca_file.read_bytes()
    except OSError as error:
        raise ConfigError(
            "ca_file", f"{config.ca_file} cannot be read ({error.strerror}).", "Name a PEM file of certificates."
        ) from error
