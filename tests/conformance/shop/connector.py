"""The shop's connector: every promise kept, as short as that can be."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from connectors.config import ConnectorConfig
from connectors.contract import Batch, Connector, Position, Rejection, Request
from connectors.errors import AuthError, Conflict, DataError, LostCursor, PositionRefused, TransientError
from schemas.document import Document, DocumentType, Field, Kind, from_json, to_json
from schemas.identity import revision
from tests.conformance.shop.client import Client, ShopConfig
from tests.conformance.shop.far import PAGE, Shop

RECORD = DocumentType(
    "Record",
    (
        Field("id", required=True, writable=False),
        Field("title", required=True),
        Field("due", Kind.DATE),
        Field("at", Kind.INSTANT),
    ),
)
ORDER = DocumentType(
    "Order", (Field("title", required=True), Field("due", Kind.DATE), Field("version", required=True))
)


@dataclass(frozen=True)
class Standing:
    """`seq` is the last notice that was read; `walk` the last id of a reading of all records, None between them."""

    seq: int
    walk: str | None = ""
    complete: bool = False

    @classmethod
    def parse(cls, position: Position) -> Standing:
        try:
            return STANDING.validate_json(to_json(position), strict=True, extra="forbid")
        except ValidationError as error:
            raise PositionRefused(f"this is no position of a shop: {to_json(position)[:200]}") from error


STANDING = TypeAdapter(Standing)


def document_of(record: dict[str, Any]) -> Document:
    fields = {name: record[name] for name in ("id", "title", "due", "at")}
    return Document("Record", record["id"], revision(record["changed_us"], fields), fields, record["deleted"])


class ShopSource:
    """Notices say which records to read; a gap in their numbers, or a forgotten place, has all read again."""

    def __init__(self, config: ShopConfig) -> None:
        self._client, self._every_s = Client(config), config.look_every_s
        self._closed = threading.Event()
        self._standing = Standing(0)
        self._shop = ""

    def open(self, position: Position | None) -> None:
        """See `connectors.contract.Source.open`."""
        if position is None:
            self._standing = Standing(self._tip())
        else:
            self._standing = Standing.parse(position)
            self._tip()

    def poll(self, timeout: float) -> Batch | None:
        """See `connectors.contract.Source.poll`."""
        if self._closed.is_set():
            return None
        if self._standing.walk is not None:
            return self._walk(self._standing.walk)
        deadline = time.monotonic() + timeout
        while (batch := self._news()) is None and (left := deadline - time.monotonic()) > 0:
            if self._closed.wait(min(left, self._every_s)):
                return None
        return batch

    def close(self) -> None:
        """See `connectors.contract.Source.close`."""
        self._closed.set()
        self._client.close()

    def _tip(self) -> int:
        answer = self._client.get("changes", after="-1")
        self._shop = answer["shop"]
        return int(answer["last"])

    def _walk(self, after: str) -> Batch:
        records = self._client.get("records", after=after)["records"]
        ended = len(records) < PAGE
        told = [each for each in records if self._standing.complete or not each["deleted"]]
        at = None if ended else records[-1]["id"]
        self._standing = replace(self._standing, walk=at, complete=self._standing.complete or ended)
        return self._batch([document_of(each) for each in told])

    def _news(self) -> Batch | None:
        try:
            entries = self._client.get("changes", after=str(self._standing.seq))["entries"]
        except LostCursor:
            return self._all_again()
        if not entries:
            return None
        if entries[-1]["seq"] - self._standing.seq != len(entries):
            return self._all_again()
        self._standing = replace(self._standing, seq=entries[-1]["seq"])
        ids = list(dict.fromkeys(each["id"] for each in entries if each["id"]))
        return self._batch(self._fetched(ids))

    def _fetched(self, ids: Sequence[str]) -> list[Document]:
        records = self._client.get("records", ids=",".join(ids))["records"] if ids else []
        return [document_of(each) for each in records]

    def _all_again(self) -> Batch:
        self._standing = replace(self._standing, seq=self._tip(), walk="")
        return self._batch([])

    def _batch(self, documents: Sequence[Document]) -> Batch:
        return Batch(documents, asdict(self._standing), self._standing.complete, self._shop)


class ShopWebhook:
    """Signed with HMAC-SHA256 over the raw body."""

    def __init__(self, config: ShopConfig) -> None:
        self._secret = config.webhook_secret.get_secret_value().encode()

    def receive(self, request: Request) -> Sequence[Document]:
        """See `connectors.contract.Webhook.receive`."""
        expected = hmac.new(self._secret, request.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), request.headers.get("x-shop-signature", "").encode()):
            raise AuthError("the push's signature is wrong: compare webhook_secret with the shop's")
        return [document_of(record_in(request.body))]


def record_in(body: bytes) -> dict[str, Any]:
    push = from_json(body)
    record = push.get("record") if isinstance(push, dict) else None
    if not isinstance(record, dict):
        raise DataError("the push has no record")
    return dict(record)


class ShopSink:
    """One guarded write per document, by the bus's own key."""

    def __init__(self, config: ShopConfig) -> None:
        self._client = Client(config)

    def take_share(self, share: float) -> None:
        """See `connectors.contract.Paced`."""
        self._client.take_share(share)

    def open(self) -> None:
        """See `connectors.contract.Sink.open`."""
        self._client.get("changes", after="-1")

    def write(self, documents: Sequence[Document]) -> Sequence[Rejection]:
        """See `connectors.contract.Sink.write`."""
        rejected: list[Rejection] = []
        for index, document in enumerate(documents):
            try:
                self._settle(document)
            except DataError as error:
                if error.code != "older":
                    rejected.append(Rejection(index, error))
            except (TransientError, Conflict) as error:
                if not str(error).endswith("locked"):
                    raise
                rejected.append(Rejection(index, error))
        return rejected

    def close(self) -> None:
        """See `connectors.contract.Sink.close`."""
        self._client.close()

    def _settle(self, document: Document) -> None:
        self._client.put(document.id, document.fields)


def ours(config: ConnectorConfig) -> ShopConfig:
    assert isinstance(config, ShopConfig)
    return config


connector = Connector(
    name="shop",
    config=ShopConfig,
    documents=lambda config: (RECORD, ORDER),
    source=lambda config: ShopSource(ours(config)),
    webhook=lambda config: ShopWebhook(ours(config)),
    sink=lambda config: ShopSink(ours(config)),
    simulator=Shop,
    summary="A small shop that keeps every promise.",
)
