"""What the stand-in must do over HTTPS, where a list of calls does not say it; one function per contract row."""

from __future__ import annotations

import datetime
import time
from typing import Any

import pytest
import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceMalformedRequest,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from schemas.document import Value
from tests.contract.salesforce_kit import Rig

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def token(rig: Rig, form: dict[str, str], **more: Any) -> tuple[int, dict[str, str]]:
    answer = rig.http.post(f"{rig.login_url}/services/oauth2/token", data=form, **more)
    return answer.status_code, answer.json()


def token_answer(rig: Rig) -> None:
    status, body = token(rig, {"grant_type": JWT_GRANT, "assertion": rig.assertion()})
    assert status == 200
    assert body["instance_url"] == rig.login_url
    assert (body["token_type"], body["scope"]) == ("Bearer", "api")
    assert body["id"].split("/")[-2] == "00Dxx0000001gEREAY"


def jwt_is_verified(rig: Rig) -> None:
    wrong: list[dict[str, object]] = [
        {"exp": int(time.time()) + 600},
        {"exp": 1},
        {"aud": "https://x.example"},
        {"iss": "y"},
    ]
    for claims in wrong:
        status, body = token(rig, {"grant_type": JWT_GRANT, "assertion": rig.assertion(**claims)})
        assert (status, body["error"]) in [(400, "invalid_grant"), (400, "invalid_client_id")], claims
    assert token(rig, {"grant_type": JWT_GRANT, "assertion": rig.assertion()[:-8] + "AAAAAAAA"})[0] == 400
    assert token(rig, {"grant_type": "password"})[1]["error"] == "unsupported_grant_type"


def not_approved(rig: Rig) -> None:
    status, body = token(rig, {"grant_type": JWT_GRANT, "assertion": rig.assertion(sub="else@acme.example")})
    assert status == 400
    assert body == {"error": "invalid_grant", "error_description": "user hasn't approved this consumer"}


def client_credentials(rig: Rig) -> None:
    form, key = {"grant_type": "client_credentials"}, str(rig.stand_in.config["consumer_key"])
    assert token(rig, form, auth=(key, "worth-nothing-4711"))[0] == 200
    assert token(rig, {**form, "client_id": key, "client_secret": "worth-nothing-4711"})[0] == 200
    assert token(rig, form, auth=(key, "wrong"))[0] == 401


def pages_of_two_thousand(rig: Rig) -> None:
    rows: list[Value] = [{"attributes": {"type": "Account"}, "Name": f"A{number}"} for number in range(200)]
    for _ in range(10):
        rig.made("POST", "composite/sobjects", {"allOrNone": True, "records": rows})
    first = rig.made("GET", "query?q=SELECT+Id+FROM+Account")
    assert (first["totalSize"], first["done"], len(first["records"])) == (2001, False, 2000)
    second = rig.made("GET", first["nextRecordsUrl"])
    assert (second["done"], len(second["records"])) == (True, 1)
    hinted = rig.data("GET", "query?q=SELECT+Id+FROM+Account", headers={"Sforce-Query-Options": "batchSize=200"})
    assert len(hinted.json()["records"]) == 200
    assert rig.data("GET", "query/01gxx0000000099AAA-2000").status_code == 400


def updated_and_deleted(rig: Rig) -> None:
    now = datetime.datetime.now(datetime.UTC)
    span = f"start={_at(now - datetime.timedelta(hours=1))}&end={_at(now + datetime.timedelta(minutes=2))}"
    assert rig.made("GET", f"sobjects/Order/updated/?{span}")["ids"] == [rig.known["order"]]
    rig.person("DELETE", f"Order/{rig.known['order']}")
    assert [row["id"] for row in rig.made("GET", f"sobjects/Order/deleted/?{span}")["deletedRecords"]] == [
        rig.known["order"]
    ]
    long_ago = f"start={_at(now - datetime.timedelta(days=40))}&end={_at(now)}"
    assert rig.data("GET", f"sobjects/Order/updated/?{long_ago}").status_code == 400


def _at(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def too_many_rows(rig: Rig) -> None:
    rows: list[Value] = [
        {"attributes": {"type": "MES_Status__c"}, "MES_Key__c": str(number)} for number in range(201)
    ]
    path = "composite/sobjects/MES_Status__c/MES_Key__c"
    assert rig.data("PATCH", path, {"allOrNone": False, "records": rows}).status_code == 400
    assert rig.data("PATCH", path, {"allOrNone": False, "records": rows[:200]}).status_code == 200


def too_many_parts(rig: Rig) -> None:
    parts: list[Value] = [
        {"method": "GET", "url": "/services/data/v62.0/limits", "referenceId": f"r{number}"} for number in range(26)
    ]
    assert rig.data("POST", "composite", {"compositeRequest": parts}).status_code == 400
    assert rig.data("POST", "composite", {"compositeRequest": parts[:25]}).status_code == 200


def activated_lines(rig: Rig) -> None:
    rig.made("PATCH", f"sobjects/Order/{rig.known['order']}", {"Status": "Activated"})
    line = f"sobjects/OrderItem/{rig.known['line']}"
    assert rig.data("PATCH", line, {"Quantity": 4}).status_code == 204
    rig.settings(edit_activated_orders=False)
    assert rig.data("PATCH", line, {"Quantity": 5}).status_code == 400
    rig.settings(edit_activated_orders=True)
    assert rig.data("DELETE", line).status_code == 400


def header_stamp_stands(rig: Rig) -> None:
    (before,) = rig.soql("SELECT SystemModstamp FROM Order")
    rig.person("POST", f"OrderItem/{rig.known['line']}", {"Quantity": 7})
    (after,) = rig.soql("SELECT SystemModstamp FROM Order")
    assert before["SystemModstamp"] == after["SystemModstamp"]


def library_on(rig: Rig) -> Salesforce:
    session = requests.Session()
    session.trust_env = False  # REQUESTS_CA_BUNDLE would win over `verify`
    session.verify = str(rig.ca)
    return Salesforce(session_id=rig.token, instance_url=rig.login_url, version="62.0", session=session)


def works(rig: Rig) -> None:
    rig.settings(page_rows=1)
    second = rig.order(Work_Order__c="50% off's")
    org: Any = library_on(rig)
    first = org.query("SELECT Id FROM Order ORDER BY Id")
    more = org.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    assert [row["Id"] for row in (*first["records"], *more["records"])] == [rig.known["order"], second]
    assert org.query_all("SELECT Id FROM Order WHERE Work_Order__c LIKE '50%'")["records"][0]["Id"] == second
    assert org.query("SELECT COUNT() FROM Order WHERE Account.Name = 'acme'")["totalSize"] == 2
    assert org.Product2.create({"Name": "Valve", "ProductCode": "V-1"})["success"] is True
    assert org.MES_Status__c.upsert("MES_Key__c/J-1", {"State__c": "x"}) == 201
    assert org.MES_Status__c.get_by_custom_id("MES_Key__c", "J-1")["State__c"] == "x"
    assert org.Order.update(second, {"Priority__c": "High"}) == 204
    assert org.Order.get(second)["Priority__c"] == "High"
    assert org.Order.describe()["name"] == "Order"
    assert org.Order.delete(second) == 204
    assert org.limits()["DailyApiRequests"]["Max"] == 100000
    body = {"allOrNone": False, "records": [{"attributes": {"type": "MES_Status__c"}, "MES_Key__c": "J-2"}]}
    assert org.restful("composite/sobjects/MES_Status__c/MES_Key__c", method="PATCH", json=body)[0]["created"] is True
    assert org.api_usage["api-usage"].total == 100000
    org.session.close()


def errors(rig: Rig) -> None:
    org: Any = library_on(rig)
    with pytest.raises(SalesforceMalformedRequest):
        org.query("SELECT nothing")
    with pytest.raises(SalesforceResourceNotFound):
        org.Order.get("801xx0000009999AAA")
    rig.fault("throttle")
    with pytest.raises(SalesforceRefusedRequest):
        org.limits()
    org.session.close()
