"""The Salesforce source against the stand-in: whole orders from notices, whatever the notices leave out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.document import Value
from tests.contract.salesforce_kit import Rig, lines_of, reading, rig_in


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
    while not rig.soql("SELECT Id FROM OrderItem WHERE Description = 'a second later'"):
        rig.person("POST", f"OrderItem/{rig.known['line']}", {"Quantity": 12})
        (header,) = rig.soql("SELECT SystemModstamp FROM Order")
        (line,) = rig.soql("SELECT SystemModstamp FROM OrderItem")
        if line["SystemModstamp"] > header["SystemModstamp"]:
            rig.person("POST", f"OrderItem/{rig.known['line']}", {"Description": "a second later"})
    with reading(rig.config()) as reader:
        before = reader.documents[-1]
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
