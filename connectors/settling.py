"""Writing until it is certain: what nobody answered is looked up and sent again; one bad record stops no other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from connectors.contract import Rejection
from connectors.errors import Conflict, DataError, FarError, UnknownOutcome
from schemas.document import Document

Settled = TypeVar("Settled")

TRIES = 3


def until_known(attempt: Callable[[], Settled], what: str) -> Settled:
    """What an attempt gives, made again while nobody knows what the last one did, or somebody came in between.

    An attempt finds out first what is there already, or its call itself makes no difference when it is repeated.
    """
    for _ in range(TRIES - 1):
        with contextlib.suppress(UnknownOutcome, Conflict):
            return attempt()
    try:
        return attempt()
    except UnknownOutcome as error:
        raise UnknownOutcome(f"{what}: {TRIES} times without an answer ({error})") from error


def one_by_one(
    documents: Sequence[Document],
    write: Callable[[int, Document], None],
    alone: Callable[[DataError | Conflict], FarError] = lambda error: error,
) -> list[Rejection]:
    """Write each document; those that cannot be written now or ever are the rejections. Other errors go through."""
    rejected = []
    for index, document in enumerate(documents):
        try:
            write(index, document)
        except (DataError, Conflict) as error:
            rejected.append(Rejection(index, alone(error)))
    return rejected
