"""Change events of Salesforce that do not fit their schema, schemas that are none, and damaged positions."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import fastavro

from connectors.errors import FarError
from connectors.salesforce.engine import Engine
from connectors.salesforce.feed import Delivery
from connectors.salesforce.position import FIRST_START, Standing, standing_of
from connectors.salesforce.proto import pubsub_api_pb2 as pb
from connectors.salesforce.pubsub import PubSub
from connectors.salesforce.simulator.avro import schema_json
from tests.fuzz.case import ACCEPTED, Case, Ending, Maker, refused
from tests.fuzz.mutation import bytes_changed, json_text, mutated
from tests.fuzz.on_the_bus import quiet
from tests.fuzz.salesforce_org import TOKEN, Org, config, joined, logged_out

HEADER = {
    "entityName": "Order",
    "recordIds": ["801xx0000000001AAA"],
    "changeType": "UPDATE",
    "changeOrigin": "com/salesforce/api/rest/62.0;client=Lineshaft",
    "transactionKey": "t",
    "sequenceNumber": 1,
    "commitTimestamp": 1_777_000_000_000,
    "commitNumber": 7,
    "commitUser": "005",
    "nulledFields": [],
    "diffFields": [],
    "changedFields": ["0x400001", "3-0x01"],
}


class Schemas(PubSub):
    """The Pub/Sub client without its channel: the schema is given."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._client = SimpleNamespace(token=TOKEN)  # type: ignore[assignment]
        self._schemas = {}
        self._timeout_s = 1.0
        self._stub = SimpleNamespace(GetSchema=self._schema)  # type: ignore[assignment]

    def _schema(self, *_: Any, **__: Any) -> pb.SchemaInfo:
        return pb.SchemaInfo(schema_json=self._text)


def event(rng: Random) -> tuple[bytes, str]:
    """The bytes of a change event and its schema, one of which is not what it should be."""
    text = schema_json(rng.choice(("Order", "OrderItem")), 1)
    schema = cast("dict[str, Any]", fastavro.parse_schema(json.loads(text)))
    header = mutated(HEADER, rng) if rng.random() < 0.6 else HEADER
    out = io.BytesIO()
    try:
        fastavro.schemaless_writer(out, schema, {"ChangeEventHeader": header})
    except Exception:  # the header does not fit the schema: then the bytes are what is wrong
        out = io.BytesIO(b"\x02\x0aOrder")
    payload = out.getvalue()
    if rng.random() < 0.4:
        payload = bytes_changed(payload, rng)
    if rng.random() < 0.2:
        text = json_text(mutated(json.loads(text), rng, 2), rng).decode("utf-8", "replace")
    return payload, text


@contextmanager
def events() -> Iterator[Maker]:
    """Deliveries of a feed, up to the documents that they lead to; and positions that somebody damaged."""

    def make(rng: Random) -> Case:
        org = Org(rng.getrandbits(64), 0.0)
        client = joined(org, logged_out())
        payload, text = event(rng)
        stored = FIRST_START.to_position()
        position = mutated(stored, rng) if rng.random() < 0.2 else stored
        events = [pb.ConsumerEvent(event=pb.ProducerEvent(schema_id="s", payload=payload), replay_id=b"r1")]
        feed = SimpleNamespace(topic=config().topics[0], taken=lambda _: None)
        delivery = Delivery(cast("Any", feed), pb.FetchResponse(events=events, latest_replay_id=b"r1"))

        def play() -> Ending:
            try:
                standing: Standing = standing_of(position)
                engine = Engine(client, Schemas(text), config(), standing)
                engine._digest([delivery])
                again = standing_of(engine._standing.to_position())
            except FarError as error:
                return refused(error)
            finally:
                client.close()
            assert again == engine._standing
            return ACCEPTED

        return Case(repr((payload, text, position)).encode(), play)

    with quiet():
        yield make
