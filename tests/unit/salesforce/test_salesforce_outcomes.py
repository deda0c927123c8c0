"""Error codes and rows become errors of our tree."""

from __future__ import annotations

import pytest

from connectors.errors import DataError, Throttled, TransientError
from connectors.salesforce.documents import STATUS_FIELDS, documents
from connectors.salesforce.login import org_id_of
from connectors.salesforce.outcomes import Failure, error_of_answer, failures_of
from connectors.salesforce.sink import may_pass, unfit, verdict
from schemas.document import Document, Kind


def doc(key: str) -> Document:
    return Document("MES_Status__c", key, "", {})


def test_the_code_decides_and_not_the_http_status() -> None:
    body = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
    assert isinstance(error_of_answer(403, body, "x"), Throttled)


def test_an_unknown_code_is_permanent_below_500_and_passing_from_500_on() -> None:
    body = [{"errorCode": "SOMETHING_NEW", "message": "?"}]
    assert isinstance(error_of_answer(400, body, "x"), DataError)
    assert isinstance(error_of_answer(503, body, "x"), TransientError)


def test_a_body_that_is_no_error_array_is_judged_by_its_status() -> None:
    assert isinstance(error_of_answer(502, "<html>", "x"), TransientError)
    assert isinstance(error_of_answer(404, "<html>", "x"), DataError)


def test_a_known_code_is_found_behind_an_unknown_one() -> None:
    body = [{"errorCode": "NEW"}, {"errorCode": "UNABLE_TO_LOCK_ROW", "message": "locked"}]
    assert isinstance(error_of_answer(400, body, "x"), TransientError)


def test_an_oauth_error_is_an_object() -> None:
    (failure,) = failures_of({"error": "invalid_grant", "error_description": "no"})
    assert failure == Failure("invalid_grant", "no")


def test_a_refused_older_version_is_done() -> None:
    error = {"statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "LINESHAFT_OLDER_VERSION: 7 is stored"}
    assert verdict({"success": False, "errors": [error]}) is None


def test_another_validation_rule_is_a_failure() -> None:
    error = {"statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "Percent over 100"}
    failure = verdict({"success": False, "errors": [error]})
    assert failure is not None
    assert not may_pass(failure, was_duplicate=False)


def test_of_a_row_s_errors_the_lasting_one_counts() -> None:
    errors = [{"statusCode": "UNABLE_TO_LOCK_ROW", "message": ""}, {"statusCode": "STRING_TOO_LONG", "message": ""}]
    failure = verdict({"success": False, "errors": errors})
    assert failure is not None
    assert failure.code == "STRING_TOO_LONG"


def test_a_row_that_failed_without_an_error_may_pass() -> None:
    failure = verdict({"success": False, "errors": []})
    assert failure is not None
    assert may_pass(failure, was_duplicate=False)


def test_a_duplicate_value_is_tried_once_more_and_not_twice() -> None:
    failure = Failure("DUPLICATE_VALUE", "")
    assert may_pass(failure, was_duplicate=False)
    assert not may_pass(failure, was_duplicate=True)


def test_a_throttled_row_stops_the_batch() -> None:
    with pytest.raises(Throttled):
        may_pass(Failure("REQUEST_LIMIT_EXCEEDED", ""), was_duplicate=False)


def test_documents_of_another_type_are_unfit() -> None:
    assert unfit(Document("Order", "x", "", {}), "MES_Status__c") is not None
    assert unfit(doc("x"), "MES_Status__c") is None


def test_the_org_id_is_the_second_last_part() -> None:
    assert org_id_of("https://login.salesforce.com/id/00Dxx0000001gEREAY/005xx") == "00Dxx0000001gEREAY"


def test_the_documents_are_trees_with_relations_as_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    from connectors.salesforce import SalesforceConfig

    monkeypatch.setenv("SF_KEY", "pem")
    config = SalesforceConfig.model_validate({"consumer_key": "k", "username": "u", "private_key": "${env:SF_KEY}"})
    order, status = documents(config)
    by_name = {field.name: field for field in order.fields}
    assert [field.name for field in by_name["Account"].fields] == ["Name"]
    lines = {field.name: field for field in by_name["OrderItems"].fields}
    assert [field.name for field in lines["Product2"].fields] == ["ProductCode", "Name"]
    assert (lines["Quantity"].kind, by_name["Requested_Delivery__c"].kind) == (Kind.DECIMAL, Kind.DATE)
    assert status.fields == STATUS_FIELDS
