"""Answers of Salesforce that are not what was asked for: to reads, upserts and logins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import httpx

from connectors.errors import FarError
from connectors.salesforce.client import Client
from connectors.salesforce.documents import STATUS_FIELDS
from connectors.salesforce.login import Login
from connectors.salesforce.orders import Orders
from connectors.salesforce.position import Walk
from connectors.salesforce.rights import check_reading, check_writing
from schemas.document import Document
from streams.intake import Intake
from tests.fuzz import jiandaoyun_records
from tests.fuzz.case import ACCEPTED, Case, Ending, Maker, refused
from tests.fuzz.mutation import json_text, mutated
from tests.fuzz.on_the_bus import plan, quiet
from tests.fuzz.pushes import ending_of
from tests.fuzz.salesforce_org import (
    ORG,
    STAMP,
    STATUSES,
    TOKEN,
    Org,
    config,
    joined,
    line,
    logged_out,
    order,
    upserting,
)
from tests.unit.streams.orders_made_by_hand import Known

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

    with quiet():
        yield make


@contextmanager
def sink() -> Iterator[Maker]:
    """Upserts of three statuses."""

    def make(rng: Random) -> Case:
        org = Org(rng.getrandbits(64), rng.choice((0.4, 0.9)))
        written = upserting()
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
        body = json_text(mutated(good, rng) if rng.random() < 0.7 else good, rng)
        answer = httpx.Response(rng.choice(STATUSES), content=body)
        if rng.random() < 0.3:
            answer = jiandaoyun_records.wild_answer(rng, body)

        def play() -> Ending:
            minting._http = minting._endpoint._http = httpx.Client(
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
