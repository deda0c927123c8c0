"""The Salesforce sink against the stand-in: rows in one call, verdicts by row, older versions that never win."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from connectors.errors import AuthError, ConfigError, DataError, Throttled, TransientError
from connectors.salesforce.sink import ROUNDS, SalesforceSink
from schemas.document import Document, Value, from_json
from tests.contract.salesforce_kit import Rig, rig_in


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with rig_in(tmp_path) as running:
        yield running


@pytest.fixture
def sink(rig: Rig) -> Iterator[SalesforceSink]:
    opened = SalesforceSink(rig.config(), sleep=lambda seconds: None)
    opened.open()
    yield opened
    opened.close()


def status(key: str, version: int = 1, **fields: Value) -> Document:
    return Document("MES_Status__c", key, "", {"State__c": "running", "Bus_Version__c": f"{version:020d}", **fields})


def stored(rig: Rig, key: str) -> dict[str, object]:
    (record,) = rig.soql(f"SELECT State__c, Percent__c, Bus_Version__c FROM MES_Status__c WHERE MES_Key__c = '{key}'")
    return record


def row_counts(rig: Rig) -> list[int]:
    sent = [cast("dict[str, list[Value]]", from_json(entry["sent"])) for entry in calls(rig)]
    return [len(body["records"]) for body in sent]


def calls(rig: Rig) -> list[dict[str, Any]]:
    return [entry for entry in rig.ledger("request") if entry["method"] == "PATCH" and "MES_Status" in entry["path"]]


def test_documents_become_records_under_their_external_id(rig: Rig, sink: SalesforceSink) -> None:
    assert sink.write([status("crm:1/a/b", Percent__c=50)]) == []
    assert str(stored(rig, "crm:1/a/b")["Percent__c"]) == "50.0"


def test_the_same_documents_twice_change_nothing(rig: Rig, sink: SalesforceSink) -> None:
    sink.write([status("J-1")])
    assert sink.write([status("J-1")]) == []
    assert len(rig.soql("SELECT Id FROM MES_Status__c")) == 1


def test_a_newer_state_that_stands_counts_as_done(rig: Rig, sink: SalesforceSink) -> None:
    sink.write([status("J-1", 5)])
    assert sink.write([status("J-1", 4, State__c="planned")]) == []
    assert stored(rig, "J-1")["State__c"] == "running"


def test_450_documents_take_three_calls(rig: Rig, sink: SalesforceSink) -> None:
    assert sink.write([status(f"J-{number}") for number in range(450)]) == []
    assert row_counts(rig) == [200, 200, 50]


def test_one_id_twice_is_written_in_the_given_order(rig: Rig, sink: SalesforceSink) -> None:
    assert sink.write([status("J-1", 1, State__c="one"), status("J-1", 2, State__c="two")]) == []
    assert stored(rig, "J-1")["State__c"] == "two"


def test_a_row_that_can_never_succeed_is_returned_with_its_index_and_the_others_are_written(
    rig: Rig, sink: SalesforceSink
) -> None:
    (rejection,) = sink.write([status("J-1"), status("J-2", State__c="x" * 41), status("J-3")])
    assert rejection.index == 1
    assert isinstance(rejection.error, DataError)
    assert rejection.error.code == "STRING_TOO_LONG"
    assert len(rig.soql("SELECT Id FROM MES_Status__c")) == 2


def test_a_locked_row_is_sent_again_alone(rig: Rig, sink: SalesforceSink) -> None:
    rig.fault("row_lock", match={"key": "J-2"})
    assert sink.write([status("J-1"), status("J-2")]) == []
    assert row_counts(rig) == [2, 1]


def test_a_row_that_stays_locked_is_given_back_for_later_and_the_others_are_written(
    rig: Rig, sink: SalesforceSink
) -> None:
    rig.fault("row_lock", times=ROUNDS, match={"key": "J-2"})
    [rejection] = sink.write([status("J-1"), status("J-2")])
    assert (rejection.index, type(rejection.error)) == (1, TransientError)
    assert "UNABLE_TO_LOCK_ROW" in str(rejection.error)


def test_a_new_external_id_that_somebody_made_a_moment_ago_is_tried_once_more(rig: Rig, sink: SalesforceSink) -> None:
    rig.fault("duplicate_value", match={"key": "J-1"})
    assert sink.write([status("J-1")]) == []
    rig.fault("duplicate_value", times=2, match={"key": "J-2"})
    (rejection,) = sink.write([status("J-2")])
    assert "DUPLICATE_VALUE" in str(rejection.error)


def test_throttling_waits_for_minutes_and_is_no_rejection(rig: Rig, sink: SalesforceSink) -> None:
    rig.fault("throttle", match={"method": "PATCH"})
    with pytest.raises(Throttled) as caught:
        sink.write([status("J-1")])
    assert caught.value.retry_after_s == 120


@pytest.mark.parametrize("kind", ["unavailable", "server_error"])
def test_a_busy_org_is_a_transient_error(rig: Rig, sink: SalesforceSink, kind: str) -> None:
    rig.fault(kind, match={"method": "PATCH"})
    with pytest.raises(TransientError):
        sink.write([status("J-1")])


def test_an_expired_session_is_renewed_and_the_call_made_once_more_with_its_headers(
    rig: Rig, sink: SalesforceSink
) -> None:
    rig.fault("expired_session", match={"method": "PATCH"})
    assert sink.write([status("J-1")]) == []
    refused, made = calls(rig)
    assert (refused["status"], made["status"]) == (401, 200)
    assert refused["headers"] == made["headers"]


def test_a_session_that_expires_again_is_an_auth_error(rig: Rig, sink: SalesforceSink) -> None:
    rig.fault("expired_session", times=2, match={"method": "PATCH"})
    with pytest.raises(AuthError):
        sink.write([status("J-1")])
    assert len(calls(rig)) == 2


def test_an_answer_that_is_lost_after_the_write_is_made_good_by_the_same_write(rig: Rig) -> None:
    sink = SalesforceSink(rig.config(timeout_s=0.5))
    sink.open()
    rig.fault("store_then_hang", match={"method": "PATCH"})
    with pytest.raises(TransientError, match="no answer"):
        sink.write([status("J-1")])
    assert sink.write([status("J-1")]) == []
    assert len(rig.soql("SELECT Id FROM MES_Status__c")) == 1
    sink.close()


def test_every_call_carries_the_marker_and_allows_duplicates(rig: Rig, sink: SalesforceSink) -> None:
    sink.write([status("J-1")])
    headers = {name.lower(): value for name, value in calls(rig)[0]["headers"].items()}
    assert headers["sforce-call-options"] == "client=Lineshaft"
    assert headers["sforce-duplicate-rule-header"] == "allowSave=true"


def test_the_budget_of_calls_is_read_from_every_answer(rig: Rig, sink: SalesforceSink) -> None:
    first = sink.api_budget
    sink.write([status("J-1")])
    assert first is not None
    assert sink.api_budget is not None
    assert sink.api_budget.used == first.used + 1
    assert sink.api_budget.limit == 100000


def test_documents_that_are_none_of_the_sink_s_are_rejected(sink: SalesforceSink) -> None:
    rejected = sink.write(
        [
            Document("Order", "x", "", {}),
            Document("MES_Status__c", "J-1", "", {}, deleted=True),
            Document("MES_Status__c", "", "", {}),
        ]
    )
    assert [rejection.index for rejection in rejected] == [0, 1, 2]


@pytest.mark.parametrize("setting", ["hidden", "read_only"])
def test_a_field_that_may_not_be_written_stops_the_start(rig: Rig, setting: str) -> None:
    rig.settings(**{setting: ["MES_Status__c.Percent__c"]})
    sink = SalesforceSink(rig.config())
    with pytest.raises(ConfigError, match=r"MES_Status__c\.Percent__c"):
        sink.open()
    sink.close()


def test_an_external_id_that_is_none_stops_the_start(rig: Rig) -> None:
    sink = SalesforceSink(rig.config(status_external_id="Order_Number__c"))
    with pytest.raises(ConfigError, match="no unique external id"):
        sink.open()
    sink.close()


def test_a_status_object_that_is_not_there_stops_the_start(rig: Rig) -> None:
    sink = SalesforceSink(rig.config(status_object="Nothing__c"))
    with pytest.raises(ConfigError, match="status_object: the object Nothing__c"):
        sink.open()
    sink.close()


def test_client_credentials_log_in_as_well(rig: Rig) -> None:
    (rig.folder / "secret").write_text("worth-nothing-4711")
    config = rig.config(
        flow="client_credentials",
        username=None,
        private_key=None,
        audience=None,
        client_secret=f"${{file:{rig.folder / 'secret'}}}",
    )
    sink = SalesforceSink(config)
    sink.open()
    assert sink.write([status("J-1")]) == []
    sink.close()


def test_a_wrong_login_says_what_to_check(rig: Rig) -> None:
    sink = SalesforceSink(rig.config(username="somebody@else.example"))
    with pytest.raises(AuthError, match=r"invalid_grant.*pre-authorised"):
        sink.open()
    sink.close()
