"""The Salesforce source when things fail: streams, cursors, sessions, rights, and an org that does not answer."""

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
    asked = [str(entry.get("q")) for entry in rig.ledger("request")]
    limits = [query.rsplit(" ", 1)[1] for query in asked if " LIMIT " in query]
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
    patient = rig.config().model_copy(update={"timeout_s": 600.0})
    with reading(patient) as reader:
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
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("salesforce")]


def test_an_org_that_does_not_answer_is_a_transient_error(rig: Rig) -> None:
    config = rig.config()
    rig.simulator.stop()
    source = SalesforceSource(config)
    with pytest.raises(TransientError, match="not reachable"):
        source.open(None)
    source.close()
