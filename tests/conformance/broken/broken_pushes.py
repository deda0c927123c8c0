"""The webhook, each promise broken alone."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from connectors.contract import Request
from connectors.errors import AuthError
from schemas.document import Document, from_json
from schemas.identity import revision
from tests.conformance.broken.changes import Patch, around
from tests.conformance.shop.connector import ShopWebhook, document_of, record_in

Receive = Callable[..., Sequence[Document]]


def received(patch: Patch, change: Callable[[Document], Document | None]) -> None:
    """Documents of pushes are others, or none."""

    def receive(original: Receive, self: ShopWebhook, request: Request) -> Sequence[Document]:
        return [made for each in original(self, request) if (made := change(each)) is not None]

    around(patch, ShopWebhook, "receive", receive)


def a_push_becomes_a_document(patch: Patch) -> None:
    received(patch, lambda document: None)


def as_of_now(document: Document) -> Document:
    """With the time of the push for a stamp."""
    return replace(document, revision=revision(time.time_ns() // 1000, document.fields))


def a_push_is_the_document_that_is_read(patch: Patch) -> None:
    received(patch, as_of_now)


def reordered_pushes_leave_the_newest(patch: Patch) -> None:
    received(patch, as_of_now)


def a_forged_push_is_refused(patch: Patch) -> None:
    def receive(self: ShopWebhook, request: Request) -> Sequence[Document]:
        if "x-shop-signature" not in request.headers:
            raise AuthError("the push has no signature")
        return [document_of(record_in(request.body))]

    patch.setattr(ShopWebhook, "receive", receive)


def a_repeated_push_adds_nothing(patch: Patch) -> None:
    numbers = itertools.count()
    received(patch, lambda document: replace(document, revision=f"{document.revision}{next(numbers)}"))


def a_new_instance_takes_the_push_again(patch: Patch) -> None:
    taken: set[bytes] = set()

    def receive(original: Receive, self: ShopWebhook, request: Request) -> Sequence[Document]:
        known = request.body in taken
        taken.add(request.body)
        return [] if known else original(self, request)

    around(patch, ShopWebhook, "receive", receive)


def a_pushed_deletion_is_told(patch: Patch) -> None:
    received(patch, lambda document: None if document.deleted else document)


def any_request_raises_only_far_errors(patch: Patch) -> None:
    def receive(original: Receive, self: ShopWebhook, request: Request) -> Sequence[Document]:
        push: Any = from_json(request.body)
        return original(self, request) if push["record"] else []

    around(patch, ShopWebhook, "receive", receive)
