"""What the ways to break the shop have in common: which part is changed, and into what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from connectors.contract import Batch
from connectors.testing.conformance import closing, driven, waiting
from schemas.document import Document, Fields
from schemas.identity import revision
from tests.conformance.shop import connector as shop
from tests.conformance.shop.bench import ShopBench
from tests.conformance.shop.connector import ShopSource

Patch = pytest.MonkeyPatch


def declared(patch: Patch, **changes: Any) -> None:
    """The plug-in says something else."""
    patch.setattr(ShopBench, "connector", replace(ShopBench.connector, **changes))


def around(patch: Patch, owner: Any, name: str, change: Callable[..., Any]) -> None:
    """`change(original, *arguments)` in the place of a method or function."""
    original = getattr(owner, name)
    patch.setattr(owner, name, lambda *args, **kwargs: change(original, *args, **kwargs))


def reading(patch: Patch, change: Callable[[Fields], Fields]) -> None:
    """Documents of records have other fields; the revision follows."""

    def made(original: Callable[..., Document], record: Any) -> Document:
        fields = change(original(record).fields)
        return replace(original(record), fields=fields, revision=revision(record["changed_us"], fields))

    around(patch, shop, "document_of", made)


def document(patch: Patch, change: Callable[[Document], Document]) -> None:
    """Documents of records are others."""
    around(patch, shop, "document_of", lambda original, record: change(original(record)))


def batches(patch: Patch, change: Callable[[Batch], Batch]) -> None:
    """Batches are others."""
    around(patch, ShopSource, "_batch", lambda original, self, documents: change(original(self, documents)))


def fetched(patch: Patch, change: Callable[[ShopSource, Sequence[Document]], Sequence[Document]]) -> None:
    """What is read because of notices is another."""
    around(patch, ShopSource, "_fetched", lambda original, self, ids: change(self, original(self, ids)))


def impatient(patch: Patch) -> None:
    """The suite waits less for what never comes."""
    for module in (driven, waiting):
        patch.setattr(module, "SLACK_S", 0.4)
    patch.setattr(closing, "PATIENCE_S", 1.0)
    patch.setattr(ShopBench, "facts", replace(ShopBench.facts, patience_s=1.5))
