"""A shop that sells so many orders a second, changes every fifth, and notes every status that it is told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from pydantic import Field as Setting

from connectors.config import ConnectorConfig
from connectors.contract import Batch, Connector, Position, Rejection, Sink, Source
from schemas.document import Document, DocumentType, Field, Fields, Kind
from schemas.identity import revision

from .ledger import Ledger
from .story import CHANGE_AFTER_S, CHANGED_EVERY, CHANGED_QUANTITY, FIRST_QUANTITY, ITEM, number_of

STATUSES = "statuses"
PER_POLL = 300
GATHER_S = 0.25
"""As a feed would: a poll that returns with each single order makes a transaction of each."""

BEFORE_THE_FIRST_US = 5_000_000
"""Time for the reference data to reach every process."""


class ShopConfig(ConnectorConfig):
    """How much the shop sells."""

    folder: Path = Setting(description="Where it notes what it is told.")
    rate: float = Setting(gt=0, description="Orders per second.")
    orders: int = Setting(ge=1, description="How many orders in all.")


ORDER = DocumentType(
    "Order",
    (
        Field("number", required=True),
        Field("quantity", Kind.INTEGER, required=True),
        Field("item", required=True),
        Field("placed", Kind.INSTANT, required=True),
        Field("changed", Kind.INSTANT, required=True),
        Field("lines", Kind.LIST, (Field("id", required=True), Field("item"), Field("quantity", Kind.INTEGER))),
    ),
)
ITEM_TYPE = DocumentType("Item", (Field("item", required=True), Field("site", required=True)))
STATUS = DocumentType("Status", (Field("number", required=True), Field("state", required=True)))


class ShopSource:
    """Orders as their time comes; the position says how many were placed and changed."""

    def __init__(self, config: ShopConfig) -> None:
        self._config = config
        self._began_us = self._placed = self._changed = 0
        self._behind = False

    def open(self, position: Position | None) -> None:
        """Go on behind the last order that is on the bus."""
        if position is not None:
            known = cast("dict[str, int]", position)
            self._began_us, self._placed, self._changed = known["began_us"], known["placed"], known["changed"]

    def poll(self, timeout: float) -> Batch | None:
        """What happened since the last poll."""
        if not self._began_us:
            self._began_us = _now_us() + BEFORE_THE_FIRST_US
            fields: Fields = {"item": ITEM, "site": "floor"}
            return self._batch([Document("Item", ITEM, revision(self._began_us, fields), fields)])
        if not self._behind:
            time.sleep(min(timeout, GATHER_S))
        elapsed_s = (_now_us() - self._began_us) / 1e6
        placed = range(self._placed, min(self._due(elapsed_s), self._placed + PER_POLL))
        last = -(-min(self._due(elapsed_s - CHANGE_AFTER_S), placed.stop) // CHANGED_EVERY)
        changed = range(self._changed, min(last, self._changed + PER_POLL))
        self._behind = len(placed) == PER_POLL
        if not placed and not changed:
            return None
        self._placed, self._changed = placed.stop, max(changed.stop, self._changed)
        documents = [self._document(order, 0.0, FIRST_QUANTITY) for order in placed]
        documents += [self._document(n * CHANGED_EVERY, CHANGE_AFTER_S, CHANGED_QUANTITY) for n in changed]
        return self._batch(documents)

    def _due(self, elapsed_s: float) -> int:
        return max(0, min(self._config.orders, int(elapsed_s * self._config.rate)))

    def _document(self, order: int, later_s: float, quantity: int) -> Document:
        placed_us = self._began_us + int(order / self._config.rate * 1e6)
        changed_us = placed_us + int(later_s * 1e6)
        number = number_of(order)
        fields: Fields = {
            "number": number,
            "quantity": quantity,
            "item": ITEM,
            "placed": _iso(placed_us),
            "changed": _iso(changed_us),
            "lines": [{"id": "L1", "item": ITEM, "quantity": quantity}],
        }
        return Document("Order", number, revision(changed_us, fields), fields)

    def _batch(self, documents: Sequence[Document]) -> Batch:
        position = {"began_us": self._began_us, "placed": self._placed, "changed": self._changed}
        return Batch(documents, position, system="soak")

    def close(self) -> None:
        """Nothing is held."""


class ShopSink:
    """Notes each status: order number, state, version."""

    def __init__(self, config: ShopConfig) -> None:
        self._ledger = Ledger(config.folder, STATUSES)

    def open(self) -> None:
        """It is open."""

    def write(self, documents: Sequence[Document]) -> Sequence[Rejection]:
        """Note all of them."""
        self._ledger.write(f"{each.fields['number']} {each.fields['state']} {each.revision}" for each in documents)
        return []

    def close(self) -> None:
        """Release the ledger."""
        self._ledger.close()


def _now_us() -> int:
    return time.time_ns() // 1_000


def _iso(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1e6, UTC).isoformat(timespec="microseconds")


def _ours(config: ConnectorConfig) -> ShopConfig:
    assert isinstance(config, ShopConfig)
    return config


def _source(config: ConnectorConfig) -> Source:
    return ShopSource(_ours(config))


def _sink(config: ConnectorConfig) -> Sink:
    return ShopSink(_ours(config))


connector = Connector("soakshop", ShopConfig, lambda _: (ORDER, ITEM_TYPE, STATUS), source=_source, sink=_sink)
