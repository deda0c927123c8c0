"""Good records and answers of a Salesforce org, and the connector around an org that answers wrongly."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any
from unittest.mock import patch

import requests
from pydantic import SecretStr
from requests.adapters import BaseAdapter

from connectors.salesforce.client import Client
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.documents import STATUS_FIELDS
from connectors.salesforce.login import Token
from connectors.salesforce.sink import SalesforceSink
from tests.fuzz import jiandaoyun_records
from tests.fuzz.mutation import json_text, mutated, nasty

ORG = "00D000000000001AAA"
STAMP = "2026-05-01T09:30:00.123+0000"
TOKEN = Token("access", "https://acme.my.salesforce.invalid", ORG)
CODES: tuple[Any, ...] = (
    "UNABLE_TO_LOCK_ROW", "QUERY_TIMEOUT", "REQUEST_LIMIT_EXCEEDED", "INVALID_SESSION_ID", "INVALID_FIELD",
    "NOT_FOUND", "DUPLICATE_VALUE", "SOMETHING_NEW", None, 7, {"a": 1}, [],
)  # fmt: skip
STATUSES = (200, 200, 200, 201, 204, 300, 301, 400, 401, 403, 404, 405, 409, 414, 415, 429, 431, 500, 502, 503, 599)


@cache
def config() -> SalesforceConfig:
    """An org, secrets in clear."""
    default = SalesforceConfig.model_construct(consumer_key="key", flow="client_credentials")
    return default.model_copy(
        update={"client_secret": SecretStr("s"), "login_url": "https://acme.my.salesforce.invalid"}
    )


def line(number: int) -> dict[str, Any]:
    return {
        "attributes": {"type": "OrderItem"},
        "Id": f"802xx000000000{number}AAA",
        "OrderItemNumber": f"{number:010d}",
        "OrderId": "801xx0000000001AAA",
        "Product2Id": "01t1",
        "Product2": {"attributes": {}, "ProductCode": "P-1", "Name": "Bracket"},
        "Quantity": 12.5,
        "ServiceDate": "2026-05-18",
        "Description": None,
        "Unit__c": "kg",
        "SystemModstamp": STAMP,
        "IsDeleted": False,
    }


def order(number: int) -> dict[str, Any]:
    return {
        "attributes": {"type": "Order"},
        "Id": f"801xx000000000{number}AAA",
        "OrderNumber": f"{number:08d}",
        "Status": "Activated",
        "Type": None,
        "EffectiveDate": "2026-05-01",
        "AccountId": "001xx0000001AAA",
        "Account": {"attributes": {}, "Name": "Acme 精密"},
        "Work_Order__c": "WO-7",
        "Priority__c": "Urgent",
        "Requested_Delivery__c": "2026-05-20",
        "SystemModstamp": STAMP,
        "CreatedDate": "2026-05-01T08:00:00.000+0000",
        "LastModifiedDate": STAMP,
        "IsDeleted": False,
        "OrderItems": {"totalSize": 2, "done": True, "records": [line(1), line(2)]},
    }


def page(records: list[Any], rest: str = "") -> dict[str, Any]:
    more = {"nextRecordsUrl": rest} if rest else {}
    return {"totalSize": len(records), "done": not rest, "records": records, **more}


@cache
def _fields() -> list[dict[str, Any]]:
    writable = {"createable": True, "updateable": True, "externalId": True, "unique": True}
    names = {path.split(".")[-1] for path in (*config().order_fields, *config().line_fields)}
    names |= {field.name for field in STATUS_FIELDS} | {config().status_external_id}
    relations = {"AccountId": ("Account", ["Account"]), "Product2Id": ("Product2", ["Product2"])}
    plain: list[dict[str, Any]] = [
        {"name": name, "relationshipName": None, "referenceTo": [], **writable} for name in sorted(names)
    ]
    lookups = [
        {"name": f"{n}x", "relationshipName": r, "referenceTo": t, **writable} for n, (r, t) in relations.items()
    ]
    return [*plain, *lookups]


def good_answer(method: str, url: str) -> Any:
    """What an org in good order answers."""
    if "/describe" in url:
        return {"fields": _fields()}
    if "/composite/" in url:
        return [{"id": "a01", "success": True, "errors": [], "created": True} for _ in range(3)]
    if "OrderItem+WHERE" in url or "FROM+OrderItem+" in url:
        return page([line(1), line(2)])
    return page([order(1), order(2)])


class Org(BaseAdapter):
    """The org behind the session: answers wrongly now and then; what it said is kept for the repeat."""

    def __init__(self, seed: int, spoilt: float) -> None:
        super().__init__()
        self._seed, self._spoilt = seed, spoilt
        self._shape_only = Random(seed).random() < 0.5  # a good answer whose records alone are wrong
        self.said: list[bytes] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        here = Random(f"{self._seed}/{len(self.said)}")
        answer = good_answer(str(request.method), str(request.url))
        status, headers = 200, {}
        if here.random() < self._spoilt:
            if self._shape_only:
                body = json.dumps(mutated(answer, here, 4), default=str).encode()
            else:
                status, headers = here.choice(STATUSES), here.choice(jiandaoyun_records.HEADERS)
                body = json_text(self._wrong(answer, status, here), here)
        else:
            body = json.dumps(answer).encode()
        self.said.append(body)
        return response_of(request, status, headers, body)

    def _wrong(self, answer: Any, status: int, here: Random) -> Any:
        if status >= 400:
            code, message = here.choice(CODES), here.choice(("no", None, {"a": 1}, "x" * 60_000, "\ud800"))
            return mutated([{"errorCode": code, "message": message, "fields": nasty(here)}], here, 2)
        if here.random() < 0.1:
            return page(
                [order(1)], here.choice(("/services/data/v62.0/query/again", "again", "https://[", "//x/../"))
            )
        return mutated(answer, here, 4)

    def close(self) -> None: ...


def response_of(
    request: requests.PreparedRequest, status: int, headers: Mapping[str, str], body: bytes
) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url, response.request = status, str(request.url), request
    response.headers.update({"Content-Type": "application/json;charset=UTF-8", **headers})
    response.raw = io.BytesIO(body)
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)
    return response


def logged_out() -> Client:
    with patch("connectors.http.trusted", jiandaoyun_records.tls):
        return Client(config())


def upserting() -> SalesforceSink:
    with patch("connectors.http.trusted", jiandaoyun_records.tls):
        return SalesforceSink(config(), sleep=lambda _: None)


def joined(org: Org, client: Client) -> Client:
    """The connector's own client with the org in the place of the network, logged in already."""
    client._session.mount("https://", org)
    client._login.mint = lambda: TOKEN  # type: ignore[method-assign]
    return client
