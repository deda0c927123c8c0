"""Pushes each document, signed after Standard Webhooks 1.0.0, to one address.

The id of a message follows from what it says, so every retry has the same one, and a receiver that keeps ids or
compares versions takes it once.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx

from connectors.classification import (
    Answers,
    misconfigured,
    page_text,
    passing,
    refused,
    throttled,
    wished,
)
from connectors.contract import Rejection
from connectors.errors import DataError, FarError
from connectors.http import retry_after_s, send
from connectors.pace import Pace
from connectors.record_fields import wire
from connectors.signatures import StandardWebhooks, standard_key
from connectors.webhook.config import Sending, WebhookConfig
from connectors.webhook.guarded import GuardedWay
from schemas.document import Document, Fields, to_json
from schemas.identity import content_hash

log = logging.getLogger(__name__)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PUSHES = "pushes"
SWITCHED_OFF = 404
"""Many tools answer so while their flow is switched off: this message is tried again later, the others go on."""

ANSWERS = Answers(
    {
        401: refused("the receiver does not take our signature, or our rights are gone"),
        403: refused("the receiver does not take our signature, or our rights are gone"),
        SWITCHED_OFF: passing,
        408: passing,
        410: refused(
            "the receiver has switched this address off for good: ask its owner for another, or take the route away"
        ),
        429: throttled(None),
        502: throttled(None),
        503: throttled(None),
        504: throttled(None),
        **dict.fromkeys(
            (300, 301, 302, 303, 307, 308), misconfigured("url", "Write down the address that it leads to.")
        ),
    }
)
"""The table of answers of Standard Webhooks; another client error is permanent, after any other nobody knows."""


class WebhookSink:
    """See `connectors.contract.Sink`."""

    def __init__(self, config: WebhookConfig) -> None:
        self._sending = {each.document: each for each in config.send}
        self._times = config.times
        self._pace = Pace(config.requests_per_second, {PUSHES: config.requests_per_second})
        self._config = config
        self._http: httpx.Client | None = None

    def take_share(self, share: float) -> None:
        """See `connectors.contract.Paced`."""
        self._pace.take_share(share)

    def open(self) -> None:
        """Make ready; a receiver cannot be asked anything. Where pushes are only taken there is nothing to do."""
        if self._config.url is None or self._config.send_secret is None:
            return
        way = GuardedWay(self._config.url.get_secret_value(), self._config.allow, self._config.ca_file)
        self._http = httpx.Client(base_url=way.shown, transport=way, timeout=self._config.timeout_s)
        self._signature = StandardWebhooks([standard_key(self._config.send_secret.get_secret_value())])

    def write(self, documents: Sequence[Document]) -> Sequence[Rejection]:
        """See `connectors.contract.Sink.write`."""
        rejected: list[Rejection] = []
        for index, document in enumerate(documents):
            try:
                answer = self._push(document)
                if not answer.is_success:
                    error = _meaning(answer)
                    if answer.status_code != SWITCHED_OFF:
                        raise error
                    rejected.append(Rejection(index, error))
            except DataError as error:
                rejected.append(Rejection(index, error))
        return rejected

    def close(self) -> None:
        """Close all connections. Safe twice."""
        if self._http is not None:
            self._http.close()

    def _push(self, document: Document) -> httpx.Response:
        sending = self._sending.get(document.type)
        if sending is None:
            raise DataError(
                f"nothing says how {document.type} is sent; there are {', '.join(self._sending) or 'none'}"
            )
        if not document.revision.isdecimal():
            raise DataError(f"{document.id}: version {document.revision!r} is no number")
        assert self._http is not None
        body = self._body(sending, document)
        id = f"msg_{content_hash([document.type, document.id, document.revision])}"
        headers = {"Content-Type": "application/json", **self._signature.sign(id, body)}
        self._pace.wait(PUSHES)
        return send(self._http, self._http.build_request("POST", "/", content=body, headers=headers), "writes")

    def _body(self, sending: Sending, document: Document) -> bytes:
        """The same for every retry: its time is that of the version, which is a clock's."""
        version = int(document.revision)
        at = EPOCH + timedelta(microseconds=version)
        data = {**wire(sending.fields, document.fields, self._times), "id": document.id, "version": version}
        told: Fields = {"type": sending.event, "timestamp": at.isoformat().replace("+00:00", "Z"), "data": data}
        return to_json(told).encode()


def _meaning(answer: httpx.Response) -> FarError:
    text = page_text(answer)[:200]
    error = ANSWERS.error_of(answer.status_code, "", text, "writes", answer.request.url.host)
    return wished(error, retry_after_s(answer.headers))
