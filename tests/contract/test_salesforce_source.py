"""The Salesforce source against the stand-in: whole orders from notices, and nothing lost when the notices fail."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.errors import AuthError, ConfigError, Throttled, TransientError
from connectors.salesforce.client import Client
from connectors.salesforce.engine import Engine
from connectors.salesforce.position import FIRST_START
from connectors.salesforce.pubsub import PubSub
from connectors.salesforce.source import SalesforceSource
from schemas.document import Value
from tests.contract.salesforce_kit import Reader, Rig, lines_of, reading, replay_of, rig_in


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with rig_in(tmp_path) as running:
        running.settings(keep_alive_s=0)
        yield running


def test_the_first_start_reads_every_order_and_its_position_holds_replay_ids(rig: Rig) -> None:
    second = rig.order(Work_Order__c="WO-2")
    with reading(rig.config()) as reader:
        assert {document.id for document in reader.documents} == {rig.known["order"], second}
        assert [batch.complete for batch in reader.batches][-1] is True
        assert reader.batches[0].complete is False
        assert set(reader.replay) == {"/data/OrderChangeEvent", "/data/OrderItemChangeEvent"}
        assert {batch.system for batch in reader.batches} == {"00Dxx0000001gEREAY"}


def test_a_document_is_the_soql_record_with_plain_lines_and_nested_relations(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        (document,) = reader.documents
    assert document.type == "Order"
    assert document.fields["Account"] == {"Name": "Acme"}
    assert "attributes" not in document.fields
    (line,) = lines_of(document)
    assert line["Product2"] == {"ProductCode": "P-100", "Name": "Pump"}
    assert str(line["Quantity"]) == "10.0"


def test_an_order_without_lines_has_an_empty_list(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        empty = reader.next_about(rig.order())
        assert empty.fields["OrderItems"] == []


def test_a_change_after_the_subscription_leads_to_the_whole_order(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        rig.person("POST", f"Order/{rig.known['order']}", {"Priority__c": "Urgent"})
        document = reader.next_about(rig.known["order"])
    assert document.fields["Priority__c"] == "Urgent"
    assert len(lines_of(document)) == 1


def test_a_line_event_without_an_order_id_finds_its_order(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        position = reader.position
    rig.person("POST", f"OrderItem/{rig.known['line']}", {"Quantity": 12})
    with reading(rig.config(), position) as reader:
        reader.until(lambda each: each.documents)
    assert {document.id for document in reader.documents} == {rig.known["order"]}


def test_a_line_event_that_the_channel_enriches_needs_no_query_for_its_order(rig: Rig) -> None:
    rig.settings(enrich=["OrderItem.OrderId"])
    with reading(rig.config()) as reader:
        position = reader.position
    rig.person("POST", f"OrderItem/{rig.known['line']}", {"Quantity": 12})
    with reading(rig.config(), position) as reader:
        reader.until(lambda each: each.documents)
    asked = [str(entry["q"]) for entry in rig.ledger("request") if entry.get("q")]
    assert not [soql for soql in asked if soql.startswith("SELECT Id, OrderId FROM OrderItem")]


def test_a_deleted_line_is_gone_from_its_order_and_the_revision_moves_on(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        before = reader.documents[-1]
        position = reader.position
    rig.person("DELETE", f"OrderItem/{rig.known['line']}")
    with reading(rig.config(), position) as reader:
        reader.until(lambda each: each.documents)
    after = reader.documents[-1]
    assert after.fields["OrderItems"] == []
    assert after.revision.split("-")[0] >= before.revision.split("-")[0]
    assert after.revision != before.revision


def test_a_line_purged_at_once_does_not_set_the_revision_back(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        rig.person("POST", f"OrderItem/{rig.known['line']}", {"Quantity": 12})
        before = reader.next_about(rig.known["order"])
        rig.person("DELETE", f"OrderItem/{rig.known['line']}?purge=true")
        after = reader.next_about(rig.known["order"])
    assert after.fields["OrderItems"] == []
    assert after.revision.split("-")[0] >= before.revision.split("-")[0]


def test_a_line_that_nobody_knows_any_more_leads_to_a_resync(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        position = reader.position
    rig.person("DELETE", f"OrderItem/{rig.known['line']}?purge=true")
    with reading(rig.config(), position) as reader:
        reader.until(lambda each: each.documents)
    assert reader.documents[-1].fields["OrderItems"] == []


def test_a_deleted_order_comes_deleted_with_the_fields_still_known(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        rig.person("DELETE", f"Order/{rig.known['order']}")
        document = reader.next_about(rig.known["order"])
    assert document.deleted
    assert document.fields["OrderNumber"] == "00000001"


def test_an_order_that_cannot_be_found_at_all_comes_deleted_with_its_id_alone(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        position = reader.position
    rig.person("DELETE", f"Order/{rig.known['order']}?purge=true")
    with reading(rig.config(), position) as reader:
        reader.until(lambda each: each.documents)
    document = reader.documents[-1]
    assert document.deleted
    assert document.fields == {"Id": rig.known["order"]}


def test_one_event_about_many_orders_leads_to_all_of_them(rig: Rig) -> None:
    orders = [rig.order() for _ in range(5)]
    with reading(rig.config()) as reader:
        begun = len(reader.documents)
        rows: Value = [{"attributes": {"type": "Order"}, "Id": each, "Priority__c": "High"} for each in orders]
        rig.made("PATCH", "composite/sobjects", {"allOrNone": False, "records": rows})
        reader.until(lambda each: {d.id for d in each.documents[begun:]} >= set(orders))


@pytest.mark.parametrize("kind", ["gap", "overflow", "wildcard"])
def test_a_notice_without_data_still_leads_to_the_order(rig: Rig, kind: str) -> None:
    with reading(rig.config()) as reader:
        rig.fault(kind)
        rig.person("POST", f"Order/{rig.known['order']}", {"Priority__c": "Low"})
        document = reader.next_about(rig.known["order"])
        reader.until(lambda each: each.caught_up)
    assert document.fields["Priority__c"] == "Low"


def test_events_of_two_schemas_in_one_batch_are_each_read_by_their_own(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        position = reader.position
    orders = [rig.order() for _ in range(2)]
    rig.fault("schema_change")
    orders.append(rig.order())
    with reading(rig.config(), position) as reader:
        reader.until(lambda each: {d.id for d in each.documents} >= set(orders))
    assert len({entry["schema"] for entry in rig.ledger("rpc") if entry["name"] == "GetSchema"}) == 2


def test_more_events_than_may_be_outstanding_all_arrive(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        position = reader.position
    orders = {rig.order() for _ in range(230)}
    with reading(rig.config(), position) as reader:
        reader.until(lambda each: {d.id for d in each.documents} >= orders)


def test_a_keep_alive_moves_the_position_without_documents(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        before = reader.replay["/data/OrderItemChangeEvent"]
        rig.person("POST", f"Order/{rig.known['order']}", {"Priority__c": "Low"})
        reader.until(lambda each: each.replay["/data/OrderItemChangeEvent"] != before)


def test_a_dropped_stream_goes_on_where_it_was(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        rig.fault("dropped_stream", times=2)
        rig.person("POST", f"Order/{rig.known['order']}", {"Priority__c": "Low"})
        assert reader.next_about(rig.known["order"]).fields["Priority__c"] == "Low"


def test_events_delivered_twice_do_no_harm(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        rig.fault("duplicate_events")
        rig.person("POST", f"Order/{rig.known['order']}", {"Priority__c": "Low"})
        assert reader.next_about(rig.known["order"]).fields["Priority__c"] == "Low"


def test_an_expired_session_of_the_stream_is_renewed_once(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        logins = len(rig.ledger("token"))
        rig.fault("expired_session", match={"path": "Subscribe"})
        rig.fault("dropped_stream")
        rig.person("POST", f"Order/{rig.known['order']}", {"Priority__c": "Low"})
        reader.next_about(rig.known["order"])
        reader.until(lambda each: not rig.faults()["pending"])
        rig.person("POST", f"Order/{rig.known['order']}", {"Priority__c": "High"})
        assert reader.next_about(rig.known["order"]).fields["Priority__c"] == "High"
    assert len(rig.ledger("token")) >= logins + 1


def test_a_session_that_expires_at_once_again_is_an_auth_error(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        rig.fault("expired_session", times=4, match={"path": "Subscribe"})
        rig.fault("dropped_stream")
        with pytest.raises(AuthError, match="minted a moment ago"):
            reader.until(lambda each: False)


def test_the_quota_of_deliveries_pauses_the_source(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        rig.fault("quota")
        with pytest.raises(Throttled) as caught:
            reader.until(lambda each: False)
    assert caught.value.retry_after_s == 900


def test_a_lost_cursor_is_forgotten_and_what_was_missed_is_read(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        position = reader.position
    rig.person("POST", f"Order/{rig.known['order']}", {"Priority__c": "High"})
    rig.fault("lost_cursor", match={"topic": "/data/OrderChangeEvent"})
    with reading(rig.config(), position) as reader:
        reader.until(lambda each: any(d.fields.get("Priority__c") == "High" for d in each.documents))
        presets = [entry["preset"] for entry in rig.ledger("rpc") if entry["name"] == "Subscribe"]
    assert "/data/OrderChangeEvent" not in replay_of(reader.batches[0])
    assert presets[-1] == "EARLIEST"


def test_a_damaged_replay_id_is_never_sent_twice(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        replay: Value = {**reader.replay, "/data/OrderChangeEvent": "AAAA"}
        position = {**reader.position, "replay": replay}
    with reading(rig.config(), position) as reader:
        assert reader.replay["/data/OrderChangeEvent"] != "AAAA"


def test_after_more_than_the_retention_orders_are_reconciled(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        position = reader.position
    rig.person("POST", f"OrderItem/{rig.known['line']}", {"Quantity": 7})
    rig.settings(retention_s=0)
    rig.order()
    with reading(rig.config(), position) as reader:
        reader.until(lambda each: any(d.id == rig.known["order"] for d in each.documents))
    lines = [lines_of(document) for document in reader.documents if document.id == rig.known["order"]]
    assert str(lines[-1][0]["Quantity"]) == "7.0"


def test_a_backfill_goes_on_from_its_cursor_after_a_restart(rig: Rig) -> None:
    expected = {rig.known["order"], *(rig.order() for _ in range(450))}
    reader = Reader(rig.config())
    reader.until(lambda each: each.batches and each.position["walks"] and each.position["walks"][0]["after"])
    reader.source.close()
    seen, position = {document.id for document in reader.documents}, reader.position
    assert not reader.batches[-1].complete
    with reading(rig.config(), position) as again:
        pass
    assert seen | {document.id for document in again.documents} == expected
    assert len(again.documents) < len(expected)


def test_the_position_survives_a_restart_of_the_org(rig: Rig) -> None:
    with reading(rig.config()) as reader:
        position = reader.position
    rig.person("POST", f"Order/{rig.known['order']}", {"Priority__c": "High"})
    rig.restart()
    with reading(rig.config(), position) as reader:
        reader.until(lambda each: each.documents)
    assert reader.documents[-1].fields["Priority__c"] == "High"


def test_pages_of_an_order_s_lines_are_followed(rig: Rig) -> None:
    rig.settings(page_rows=2)
    for quantity in range(5):
        rig.line(rig.known["order"], quantity + 1)
    with reading(rig.config()) as reader:
        assert len(lines_of(reader.documents[-1])) == 6


def test_a_query_that_takes_too_long_is_asked_in_smaller_parts(rig: Rig) -> None:
    rig.fault("query_timeout", times=2, match={"path": "query"})
    with reading(rig.config()) as reader:
        assert {document.id for document in reader.documents} == {rig.known["order"]}
    limits = [str(entry["q"]).rsplit(" ", 1)[1] for entry in rig.ledger("request") if entry.get("q")]
    assert limits == ["200", "100", "50"]


def test_a_hidden_field_stops_the_start_and_names_object_field_and_remedy(rig: Rig) -> None:
    rig.settings(hidden=["Order.Priority__c"])
    source = SalesforceSource(rig.config())
    with pytest.raises(ConfigError, match=r"Order\.Priority__c .* field-level security.*Grant Read"):
        source.open(None)
    source.close()


def test_a_field_hidden_later_is_found_by_the_hourly_check(rig: Rig) -> None:
    config, hour = rig.config(), iter([0.0])
    client = Client(config)
    engine = Engine(client, PubSub(client, config), config, FIRST_START, clock=lambda: next(hour, 3600.0))
    rig.settings(hidden=["OrderItem.Unit__c"])
    engine.start()
    outcome = engine.outbox.get(timeout=20)
    engine.close()
    client.close()
    assert isinstance(outcome, ConfigError)
    assert "OrderItem.Unit__c" in str(outcome)


def test_a_hidden_field_of_a_relation_is_named_with_its_own_object(rig: Rig) -> None:
    rig.settings(hidden=["Product2.ProductCode"])
    source = SalesforceSource(rig.config())
    with pytest.raises(ConfigError, match=r"line_fields: Product2\.ProductCode"):
        source.open(None)
    source.close()


def test_a_topic_that_is_not_there_stops_the_start(rig: Rig) -> None:
    source = SalesforceSource(rig.config(topics=("/data/AccountChangeEvent",)))
    with pytest.raises(ConfigError, match=r"topic\.not\.found"):
        source.open(None)
    source.close()


def test_poll_returns_while_the_org_holds_its_answer_and_close_leaves_nothing(rig: Rig) -> None:
    with reading(rig.config(timeout_s=600)) as reader:
        rig.fault("hang", match={"path": "queryAll"})
        rig.person("POST", f"Order/{rig.known['order']}", {"Priority__c": "High"})
        reader.until(lambda each: rig.faults()["held"])
        while reader.source.poll(0.05) is not None:
            pass
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("salesforce")]


def test_close_in_any_state_is_safe(rig: Rig) -> None:
    never = SalesforceSource(rig.config())
    never.close()
    never.close()
    opened = Reader(rig.config())
    opened.source.close()
    opened.source.close()


def test_an_org_that_does_not_answer_is_a_transient_error(rig: Rig) -> None:
    config = rig.config()
    rig.simulator.stop()
    source = SalesforceSource(config)
    with pytest.raises(TransientError, match="not reachable"):
        source.open(None)
    source.close()
