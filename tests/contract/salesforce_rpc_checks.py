"""What the stand-in must do over gRPC, asked by a raw client; one function per contract row."""

from __future__ import annotations

import io
import json
import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import fastavro
import grpc
import pytest

from connectors.salesforce.proto import pubsub_api_pb2 as pb
from schemas.document import Value
from tests.contract.salesforce_kit import PATIENCE_S, Rig

ORDERS, LINES = "/data/OrderChangeEvent", "/data/OrderItemChangeEvent"
PREFIX = "sfdc.platform.eventbus.grpc."


class Asking:
    """One raw stream: requests go out through `send`, answers are read one by one."""

    def __init__(self, stub: Any, metadata: object) -> None:
        self._requests: queue.SimpleQueue[pb.FetchRequest | None] = queue.SimpleQueue()
        self._call = stub.Subscribe(iter(self._requests.get, None), metadata=metadata, timeout=PATIENCE_S)

    def send(self, topic: str = ORDERS, asked: int = 100, replay: bytes | None = None, preset: int = 1) -> None:
        request = pb.FetchRequest(topic_name=topic, num_requested=asked, replay_preset=cast("Any", preset))
        if replay is not None:
            request.replay_preset, request.replay_id = pb.CUSTOM, replay
        self._requests.put(request)

    def next(self) -> pb.FetchResponse:
        return cast("pb.FetchResponse", next(self._call))

    def events(self, count: int) -> list[pb.ConsumerEvent]:
        found: list[pb.ConsumerEvent] = []
        while len(found) < count:
            found.extend(self.next().events)
        return found

    def close(self) -> None:
        self._call.cancel()
        self._requests.put(None)


@contextmanager
def stream(rig: Rig, **first: Any) -> Iterator[Asking]:
    with rig.stub() as stub:
        asking = Asking(stub, rig.metadata)
        asking.send(**first)
        yield asking
        asking.close()


def refusal(call: Callable[[], object]) -> str:
    """The trailer `error-code` of a refused call, without its prefix."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    trailers = {item.key: item.value for item in caught.value.trailing_metadata()}
    code = str(trailers["error-code"])
    assert code.startswith(PREFIX)
    return code.removeprefix(PREFIX)


def decoded(rig: Rig, event: pb.ConsumerEvent) -> dict[str, Any]:
    with rig.stub() as stub:
        info = stub.GetSchema(pb.SchemaRequest(schema_id=event.event.schema_id), metadata=rig.metadata)
    read = fastavro.schemaless_reader(io.BytesIO(event.event.payload), json.loads(info.schema_json))
    return cast("dict[str, Any]", read)


def newest(rig: Rig, topic: str, act: Callable[[], object]) -> dict[str, Any]:
    """The event that an action leads to."""
    with stream(rig, topic=topic, preset=pb.LATEST) as asking:
        assert not asking.next().events
        act()
        return decoded(rig, asking.events(1)[0])


def metadata_is_needed(rig: Rig) -> None:
    with rig.stub() as stub:
        ask = pb.TopicRequest(topic_name=ORDERS)
        assert refusal(lambda: stub.GetTopic(ask, metadata=rig.metadata[:2])) == "service.auth.headers.invalid"


def bad_tokens_are_refused(rig: Rig) -> None:
    with rig.stub() as stub:
        ask, gone = pb.TopicRequest(topic_name=ORDERS), (("accesstoken", "gone"), *rig.metadata[1:])
        assert refusal(lambda: stub.GetTopic(ask, metadata=gone)) == "service.auth.error"


def topic_and_schema(rig: Rig) -> None:
    with rig.stub() as stub:
        info = stub.GetTopic(pb.TopicRequest(topic_name=ORDERS), metadata=rig.metadata)
        schema = stub.GetSchema(pb.SchemaRequest(schema_id=info.schema_id), metadata=rig.metadata)
    assert (info.can_subscribe, info.can_publish, info.tenant_guid) == (True, False, "00Dxx0000001gEREAY")
    assert json.loads(schema.schema_json)["fields"][0]["name"] == "ChangeEventHeader"


def unknown_topics_are_refused(rig: Rig) -> None:
    with rig.stub() as stub:
        ask = pb.TopicRequest(topic_name="/data/NopeChangeEvent")
        assert refusal(lambda: stub.GetTopic(ask, metadata=rig.metadata)) == "topic.not.found"


def unknown_schemas_are_refused(rig: Rig) -> None:
    with rig.stub() as stub:
        ask = pb.SchemaRequest(schema_id="nope")
        assert refusal(lambda: stub.GetSchema(ask, metadata=rig.metadata)).startswith("schema.")


def latest_begins_at_the_tip(rig: Rig) -> None:
    with stream(rig, preset=pb.LATEST) as asking:
        keep_alive = asking.next()
        assert not keep_alive.events
        assert keep_alive.latest_replay_id
        made = rig.order()
        assert decoded(rig, asking.events(1)[0])["ChangeEventHeader"]["recordIds"] == [made]


def earliest_and_custom(rig: Rig) -> None:
    rig.order()
    with stream(rig, preset=pb.EARLIEST) as asking:
        first, second = asking.events(2)
    with stream(rig, replay=first.replay_id) as asking:
        assert asking.events(1)[0].replay_id == second.replay_id


def a_hundred_at_most(rig: Rig) -> None:
    for _ in range(104):
        rig.order()
    with stream(rig, asked=500) as asking:
        first = asking.next()
        while not first.events:
            first = asking.next()
        assert (len(first.events), first.pending_num_requested) == (100, 0)
        assert not asking.next().events, "a keep-alive while nothing is pending"
        asking.send(asked=5)
        assert len(asking.events(5)) == 5


def zero_is_invalid(rig: Rig) -> None:
    with stream(rig, asked=0) as asking:
        assert refusal(lambda: asking.events(1)) == "subscription.fetch.requested.events.invalid"


def another_topic_is_refused(rig: Rig) -> None:
    with stream(rig) as asking:
        asking.send(topic=LINES)
        assert refusal(lambda: asking.events(99)) == "subscription.fetch.topic.mismatch"


def idle_streams_close(rig: Rig) -> None:
    rig.settings(idle_close_s=0, keep_alive_s=60)
    with stream(rig, asked=1) as asking:
        asking.events(1)
        with pytest.raises(StopIteration):
            asking.next()


def old_ids_are_refused(rig: Rig) -> None:
    with stream(rig) as asking:
        (first,) = asking.events(1)
    rig.settings(retention_s=0)
    rig.order()
    rig.order()
    with stream(rig, replay=first.replay_id) as asking:
        assert refusal(lambda: asking.events(1)) == "subscription.fetch.replayid.corrupted"


def restored_ids_are_refused(rig: Rig) -> None:
    control = rig.stand_in.control
    assert rig.http.post(f"{control}/backup/old").status_code == 200
    order = rig.order()
    with stream(rig) as asking:
        last = asking.events(2)[-1]
    assert rig.http.post(f"{control}/restore/old").status_code == 200
    assert rig.data("GET", f"sobjects/Order/{order}").status_code == 404
    with stream(rig, replay=last.replay_id) as asking:
        assert refusal(lambda: asking.events(1)) == "subscription.fetch.replayid.corrupted"


def damaged_ids_are_refused(rig: Rig) -> None:
    with stream(rig, replay=b"damaged") as asking:
        assert refusal(lambda: asking.events(1)) == "subscription.fetch.replayid.corrupted"


def custom_needs_an_id(rig: Rig) -> None:
    with stream(rig, replay=b"") as asking:
        assert refusal(lambda: asking.events(1)) == "subscription.fetch.replayid.validation.failed"


def quota_ends_the_stream(rig: Rig) -> None:
    rig.fault("quota")
    with stream(rig) as asking:
        assert refusal(lambda: asking.events(99)) == "subscription.limit.exceeded"


def update_event(rig: Rig) -> None:
    change: Value = {"Status": "Activated", "Work_Order__c": None}
    rig.person("POST", f"Order/{rig.known['order']}", {"Work_Order__c": "WO-1"})
    event = newest(rig, ORDERS, lambda: rig.person("POST", f"Order/{rig.known['order']}", change))
    header = event["ChangeEventHeader"]
    assert (header["entityName"], header["changeType"]) == ("Order", "UPDATE")
    assert (event["Status"], event["Work_Order__c"], event["Priority__c"]) == ("Activated", None, None)
    assert isinstance(event["LastModifiedDate"], int)
    assert bits(rig, header["nulledFields"][0]) == ["Work_Order__c"]
    assert set(bits(rig, header["changedFields"][0])) == {"Status", "Work_Order__c", "LastModifiedDate"}


def bits(rig: Rig, bitmap: str) -> list[str]:
    with rig.stub() as stub:
        info = stub.GetTopic(pb.TopicRequest(topic_name=ORDERS), metadata=rig.metadata)
        schema = stub.GetSchema(pb.SchemaRequest(schema_id=info.schema_id), metadata=rig.metadata)
    names = [field["name"] for field in json.loads(schema.schema_json)["fields"]]
    return [name for place, name in enumerate(names) if int(bitmap, 16) >> place & 1]


def compound_fields(rig: Rig) -> None:
    change: Value = {"ShippingStreet": "Mill Lane 1", "ShippingCity": "Leeds"}
    event = newest(rig, ORDERS, lambda: rig.person("POST", f"Order/{rig.known['order']}", change))
    assert event["ShippingAddress"]["City"] == "Leeds"
    (compound,) = [each for each in event["ChangeEventHeader"]["changedFields"] if "-" in each]
    assert compound.endswith("-0x3")


def marker_comes_back(rig: Rig) -> None:
    headers = {"Sforce-Call-Options": "client=OurMiddleware"}
    path = f"sobjects/Order/{rig.known['order']}"
    event = newest(rig, ORDERS, lambda: rig.data("PATCH", path, {"Priority__c": "Low"}, headers))
    assert event["ChangeEventHeader"]["changeOrigin"] == "com/salesforce/api/rest/62.0;client=OurMiddleware"


def merged_events(rig: Rig) -> None:
    orders = [rig.known["order"], rig.order()]
    rows: list[Value] = [{"attributes": {"type": "Order"}, "Id": each, "Priority__c": "High"} for each in orders]
    body: Value = {"allOrNone": False, "records": rows}
    event = newest(rig, ORDERS, lambda: rig.made("PATCH", "composite/sobjects", body))
    assert event["ChangeEventHeader"]["recordIds"] == orders


def wildcard_events(rig: Rig) -> None:
    rig.fault("wildcard")
    assert newest(rig, ORDERS, rig.order)["ChangeEventHeader"]["recordIds"] == ["801*"]


def gap_events(rig: Rig) -> None:
    for kind, wanted in (("gap", "GAP_CREATE"), ("overflow", "GAP_OVERFLOW")):
        rig.fault(kind)
        event = newest(rig, ORDERS, rig.order)
        assert event["ChangeEventHeader"]["changeType"] == wanted
        assert all(value is None for name, value in event.items() if name != "ChangeEventHeader")


def change_types(rig: Rig) -> None:
    order = f"Order/{rig.known['order']}"
    deleted = newest(rig, ORDERS, lambda: rig.person("DELETE", order))
    undeleted = newest(rig, ORDERS, lambda: rig.person("POST", f"{order}/undelete"))
    assert deleted["ChangeEventHeader"]["changeType"] == "DELETE"
    assert undeleted["ChangeEventHeader"]["changeType"] == "UNDELETE"


def line_events(rig: Rig) -> None:
    line = f"OrderItem/{rig.known['line']}"
    assert newest(rig, LINES, lambda: rig.line(rig.known["order"]))["OrderId"] == rig.known["order"]
    assert newest(rig, LINES, lambda: rig.person("POST", line, {"Quantity": 3}))["OrderId"] is None
    rig.settings(enrich=["OrderItem.OrderId"])
    assert newest(rig, LINES, lambda: rig.person("DELETE", line))["OrderId"] == rig.known["order"]


def hidden_fields_are_absent(rig: Rig) -> None:
    rig.settings(hidden=["Order.Priority__c"])
    event = newest(rig, ORDERS, lambda: rig.order(Work_Order__c="WO-9"))
    assert (event["Work_Order__c"], event["Priority__c"]) == ("WO-9", None)
    names = [field["name"] for field in rig.made("GET", "sobjects/Order/describe")["fields"]]
    assert "Priority__c" not in names


def two_schemas(rig: Rig) -> None:
    rig.fault("schema_change")
    rig.order()
    with stream(rig) as asking:
        events = asking.events(2)
    assert len({event.event.schema_id for event in events}) == 2
    assert decoded(rig, events[1])["Added_2__c"] is None


def channels(rig: Rig) -> None:
    for topic in ("/data/ChangeEvents", "/data/Orders__chn"):
        with stream(rig, topic=topic) as asking:
            names = [decoded(rig, event)["ChangeEventHeader"]["entityName"] for event in asking.events(2)]
        assert names == ["Order", "OrderItem"]


def publishing_is_not_offered(rig: Rig) -> None:
    with grpc.secure_channel(
        str(rig.stand_in.config["pubsub_endpoint"]), grpc.ssl_channel_credentials(rig.ca.read_bytes())
    ) as channel:
        publish: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            "/eventbus.v1.PubSub/Publish", request_serializer=bytes
        )
        with pytest.raises(grpc.RpcError) as caught:
            publish(b"", metadata=rig.metadata)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
