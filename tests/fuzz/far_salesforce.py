"""Answers of Salesforce that are not what was asked for: to reads, upserts and logins; change events."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from random import Random
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

import fastavro
import httpx
import requests
from pydantic import SecretStr
from requests.adapters import BaseAdapter

from connectors.errors import FarError
from connectors.salesforce.client import Client
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.documents import STATUS_FIELDS
from connectors.salesforce.engine import Engine
from connectors.salesforce.feed import Delivery
from connectors.salesforce.login import Login, Token
from connectors.salesforce.orders import Orders
from connectors.salesforce.position import FIRST_START, Standing, Walk, standing_of
from connectors.salesforce.proto import pubsub_api_pb2 as pb
from connectors.salesforce.pubsub import PubSub
from connectors.salesforce.rights import check_reading, check_writing
from connectors.salesforce.simulator.avro import schema_json
from connectors.salesforce.sink import SalesforceSink
from schemas.document import Document
from streams.intake import Intake
from tests.fuzz import jiandaoyun_records
from tests.fuzz.case import ACCEPTED, Case, Ending, Maker, refused
from tests.fuzz.mutation import bytes_changed, json_text, mutated, nasty
from tests.fuzz.on_the_bus import plan, quiet
from tests.fuzz.pushes import ending_of
from tests.unit.streams.orders_made_by_hand import Known

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
        self.said: list[bytes] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        here = Random(f"{self._seed}/{len(self.said)}")
        answer = good_answer(str(request.method), str(request.url))
        status, headers = 200, {}
        if here.random() < self._spoilt:
            status, headers = here.choice(STATUSES), here.choice(jiandaoyun_records.HEADERS)
            answer = self._wrong(answer, status, here)
            body = json_text(answer, here)
        else:
            body = json.dumps(answer).encode()
        self.said.append(body)
        return _response(request, status, headers, body)

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


def _response(
    request: requests.PreparedRequest, status: int, headers: Mapping[str, str], body: bytes
) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url, response.request = status, str(request.url), request
    response.headers.update({"Content-Type": "application/json;charset=UTF-8", **headers})
    response.raw = io.BytesIO(body)
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)
    return response


def logged_out() -> Client:
    with patch("connectors.salesforce.login.tls", jiandaoyun_records.tls):
        return Client(config())


def _sink() -> SalesforceSink:
    with patch("connectors.salesforce.login.tls", jiandaoyun_records.tls):
        return SalesforceSink(config(), sleep=lambda _: None)


def joined(org: Org, client: Client) -> Client:
    """The connector's own client with the org in the place of the network, logged in already."""
    client._session.mount("https://", org)
    client._token = TOKEN
    client._login.mint = lambda: TOKEN  # type: ignore[method-assign]
    return client


# ------------------------------------------------------------------------------------------- reading and writing


def _reads(client: Client, rng: Random) -> Callable[[], list[Document]]:
    """One of the ways that the source reads."""
    orders = Orders(client, config())
    wanted = {order(number)["Id"]: 1_777_000_000_000_000 for number in (1, 2, 3)}
    lines = {line(number)["Id"]: 1_777_000_000_000_000 for number in (1, 2, 3)}

    def found_by_lines() -> list[Document]:
        return orders.fetch(orders.orders_of(lines)[0], lines)

    def rights() -> list[Document]:
        check_reading(client, config())
        check_writing(client, config())
        return []

    walks = [Walk("Order", "backfill", deleted=False), Walk("OrderItem", "reconcile", STAMP, (STAMP, "802"))]
    walk = rng.choice(walks)
    ways = (lambda: orders.fetch(wanted), found_by_lines, lambda: orders.page(walk)[0], rights)
    return rng.choice(ways)


@contextmanager
def reads() -> Iterator[Maker]:
    """Queries, walks and descriptions; the orders go on through the mapping."""
    intake = Intake("crm", "salesforce", 1, plan(), Known())

    def make(rng: Random) -> Case:
        org = Org(rng.getrandbits(64), rng.choice((0.4, 0.9)))
        client = joined(org, logged_out())
        read = _reads(client, rng)

        def play() -> Ending:
            try:
                documents = read()
            except FarError as error:
                return refused(error)
            finally:
                client.close()
            return ending_of([intake.take(each, 1) for each in documents])

        return Case(b"\n".join(org.said) or repr(org._seed).encode(), play)

    yield make


@contextmanager
def sink() -> Iterator[Maker]:
    """Upserts of three statuses."""

    def make(rng: Random) -> Case:
        org = Org(rng.getrandbits(64), rng.choice((0.4, 0.9)))
        written = _sink()
        joined(org, written._client)
        fields = {field.name: None for field in STATUS_FIELDS}
        documents = [Document(config().status_object, f"crm:{n}", "1", {**fields}) for n in range(3)]

        def play() -> Ending:
            try:
                written.open()
                rejections = written.write(documents)
            except FarError as error:
                return refused(error)
            finally:
                written.close()
            assert all(isinstance(each.error, FarError) for each in rejections)
            return refused(rejections[0].error) if rejections else ACCEPTED

        return Case(b"\n".join(org.said) or repr(org._seed).encode(), play)

    yield make


# ---------------------------------------------------------------------------------------------------- the login


@contextmanager
def login() -> Iterator[Maker]:
    """Answers of the token endpoint."""
    minting = Login(config())

    def make(rng: Random) -> Case:
        good = {
            "access_token": "t",
            "instance_url": TOKEN.instance_url,
            "id": f"https://x/id/{ORG}/005",
            "scope": "api",
        }
        body = json_text(mutated(good, rng), rng)
        answer = httpx.Response(rng.choice(STATUSES), content=body)
        if rng.random() < 0.3:
            answer = jiandaoyun_records.wild_answer(good, rng, body)

        def play() -> Ending:
            minting._http = httpx.Client(
                transport=httpx.MockTransport(lambda _: answer), verify=jiandaoyun_records.tls()
            )
            try:
                minting.mint()
            except FarError as error:
                return refused(error)
            finally:
                minting._http.close()
            return ACCEPTED

        return Case(repr((answer.status_code, body)).encode(), play)

    yield make


# ------------------------------------------------------------------------------------------------- change events


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
