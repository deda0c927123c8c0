"""The vendor's data push: verified, repeats dropped, its records made the same documents as fetched ones."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing

from connectors.contract import Request
from connectors.errors import AuthError, DataError
from connectors.jiandaoyun.client import Client
from connectors.jiandaoyun.documents import Reader, deleted
from connectors.jiandaoyun.names import FieldNames
from connectors.pace import Pace
from connectors.signatures import check_fresh, is_one_of
from schemas.document import Document, Fields, Value, from_json

MAX_AGE_S = 300
MAX_AHEAD_S = 60
REMEMBERED = 10_000

FETCHED = frozenset({"data_create", "data_update", "data_recover"})
REMOVED = "data_remove"
FORM_CHANGED = "form_update"


def signature(nonce: str, body: bytes, secret: str, timestamp: str) -> str:
    """Contract section 6: sha1 over `{nonce}:{raw body}:{secret}:{timestamp}`, in hex."""
    text = b":".join([nonce.encode(), body, secret.encode(), timestamp.encode()])
    return hashlib.sha1(text).hexdigest()  # noqa: S324 - the vendor's choice


class JianDaoYunWebhook:
    """Documents of pushes; `connect` makes a client for the rare question to the API.

    A repeated DeliverId gives nothing, so a new instance must follow a failure: what a failed one gave comes again
    with the vendor's next try, and a new one remembers nothing.
    """

    def __init__(
        self,
        connect: Callable[[], Client],
        reader: Reader,
        secret: str,
        form_id: tuple[str, str],
        now: Callable[[], float] = time.time,
        pace: Pace | None = None,
    ) -> None:
        self._connect, self._pace = connect, pace
        self._reader = reader
        self._secret = secret
        self._form_id = form_id
        self._now = now
        self._names = FieldNames(connect)
        self._delivered: OrderedDict[str, None] = OrderedDict()

    def take_share(self, share: float) -> None:
        """See `connectors.contract.Paced`; for all the clients that are made for it."""
        if self._pace is not None:
            self._pace.take_share(share)

    def receive(self, request: Request) -> Sequence[Document]:
        """See `connectors.contract.Webhook.receive`."""
        self._verify(request)
        delivery = request.headers.get("x-jdy-deliverid", "")
        if delivery and delivery in self._delivered:
            return []
        documents = self._documents(*_parse(request.body))
        self._remember(delivery)
        return documents

    def _verify(self, request: Request) -> None:
        timestamp, nonce = request.query.get("timestamp", ""), request.query.get("nonce", "")
        expected = signature(nonce, request.body, self._secret, timestamp)
        given = request.headers.get("x-jdy-signature", "").lower()
        if not is_one_of(given, [expected]):
            raise AuthError("the push's X-JDY-Signature is wrong: compare webhook_secret with the form's data push")
        check_fresh(timestamp, self._now(), MAX_AGE_S, MAX_AHEAD_S)

    def _documents(self, operation: str, data: Fields) -> Sequence[Document]:
        if operation == FORM_CHANGED:
            self._names.forget()
            return []
        self._check_form(data)
        if operation == REMOVED:
            return [deleted(self._reader.read(self._removed(data)))]
        if operation not in FETCHED:
            raise DataError(f"a push of the unknown operation {operation!r}")
        record = self._whole(data)
        return [] if record is None else [self._reader.read(record)]

    def _whole(self, data: Fields) -> Fields | None:
        """The record of a push; one without its stamp has no revision, so the record is fetched."""
        if data.get("updateTime"):
            return self._names.by_alias(data)
        with closing(self._connect()) as client:
            return client.record(str(data["_id"]))

    def _removed(self, data: Fields) -> Fields:
        """A removed record cannot be fetched; where its stamp is missing it is removed as of now."""
        stamped: Mapping[str, Value] = {"updateTime": int(self._now() * 1000), **data}
        return self._names.by_alias(stamped)

    def _check_form(self, data: Fields) -> None:
        pushed = (str(data.get("appId")), str(data.get("entryId")))
        if pushed != self._form_id:
            raise DataError(
                f"a push of the form {'/'.join(pushed)} came for {'/'.join(self._form_id)}: correct the address of "
                "one of the two data pushes"
            )

    def _remember(self, delivery: str) -> None:
        if delivery:
            self._delivered[delivery] = None
        if len(self._delivered) > REMEMBERED:
            self._delivered.popitem(last=False)


def _parse(body: bytes) -> tuple[str, Fields]:
    try:
        push = from_json(body)
    except ValueError as error:
        raise DataError(f"the push is not JSON: {body[:100]!r}") from error
    if not isinstance(push, dict) or not isinstance(push.get("op"), str):
        raise DataError(f"the push has no operation: {body[:100]!r}")
    operation, data = push["op"], push.get("data", {})
    if not isinstance(data, dict) or (operation != FORM_CHANGED and not data.get("_id")):
        raise DataError(f"the push {operation} has no record: {body[:100]!r}")
    return str(operation), data
