"""Signed JSON pushed to the ingress, as documents. A repeat makes the same document, with the same revision."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from connectors.contract import Request
from connectors.errors import AuthError, DataError
from connectors.json_path import at, text_at
from connectors.record_fields import content, instant_us
from connectors.signatures import SignedHeader, StandardWebhooks, standard_key
from connectors.webhook.config import Receiving, WebhookConfig
from schemas.document import Document, Value, from_json
from schemas.identity import content_hash, revision

NOT_DELETED = (None, False, 0, "", "0", "false")


class WebhookReceiver:
    """See `connectors.contract.Webhook`."""

    def __init__(self, config: WebhookConfig, now: Callable[[], float] = time.time) -> None:
        self._config = config
        self._signature = _signature(config, now)

    def receive(self, request: Request) -> Sequence[Document]:
        """See `connectors.contract.Webhook.receive`. An event that nobody asked for gives nothing."""
        if self._signature is None:
            raise AuthError("no pushes are taken here: name what to `receive`, and its secret")
        self._signature.verify(request)
        push = _parsed(request.body)
        event = text_at(push, self._config.event)
        for each in self._config.receive:
            if event in each.deletions or event in each.events or not (each.events or each.deletions):
                return [self._document(each, record, event in each.deletions) for record in _records(each, push)]
        return []

    def _document(self, each: Receiving, record: Value, deleted: bool) -> Document:
        """The document of a record; one that cannot be read is parked as it came."""
        id = text_at(record, each.id)
        deleted = deleted or bool(each.deleted and at(record, each.deleted) not in NOT_DELETED)
        as_it_is = record if isinstance(record, Mapping) else {"record": record}
        stamp = 0
        try:
            if not id:
                raise DataError(f"the record has no {each.id}")
            stamp = max(0, instant_us(at(record, each.changed), self._config.times))
            fields = (
                {} if deleted and not _is_whole(each, record) else content(each.fields, record, self._config.times)
            )
        except DataError as error:
            known_as = id or f"without-id-{content_hash(record)}"
            return Document(each.document, known_as, revision(stamp, record), as_it_is, deleted, str(error))
        return Document(each.document, id, revision(stamp, record), fields, deleted)


def _signature(config: WebhookConfig, now: Callable[[], float]) -> StandardWebhooks | SignedHeader | None:
    if not config.receive:
        return None
    if config.signature == "standard":
        return StandardWebhooks([standard_key(each) for each in config.verifying], now)
    rule = config.signature
    keys = [each.encode() for each in config.verifying]
    return SignedHeader(rule.header, keys, rule.digest, rule.encoding, rule.prefix)


def _is_whole(each: Receiving, record: Value) -> bool:
    """A deletion often names the id alone."""
    return all(at(record, column.at or name) is not None for name, column in each.fields.items() if column.required)


def _parsed(body: bytes) -> Value:
    try:
        push = from_json(body)
    except ValueError as error:
        raise DataError(f"the push is not JSON: {body[:100]!r}") from error
    if not isinstance(push, Mapping | list):
        raise DataError(f"the push is neither an object nor a list: {body[:100]!r}")
    return push


def _records(each: Receiving, push: Value) -> Sequence[Value]:
    found = at(push, each.records)
    if found is None:
        raise DataError(f"the push has no {each.records}, where {each.document} should be")
    return found if isinstance(found, list) else [found]
