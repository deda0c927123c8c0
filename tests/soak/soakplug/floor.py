"""A shop floor that notes every job it is given, begins it at once, and closes it after its last word."""

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

from .ledger import Ledger, Place, read
from .story import CLOSED_AFTER_S, FIRST_QUANTITY, last_quantity

JOBS = "jobs"
PER_POLL = 300
GATHER_S = 0.25  # as in the shop


class FloorConfig(ConnectorConfig):
    """Where the floor keeps its book."""

    folder: Path = Setting(description="Where it notes its jobs.")


JOB = DocumentType(
    "Job",
    (Field("job", required=True), Field("quantity", Kind.DECIMAL, required=True), Field("desired", required=True)),
)
OPERATION = (
    Field("operation", required=True),
    Field("good", Kind.INTEGER, required=True),
    Field("at", Kind.INSTANT, required=True),
)
REPORT = DocumentType(
    "Report",
    (
        Field("job", required=True),
        Field("state", required=True, symbols=("running", "closed")),
        Field("at", Kind.INSTANT, required=True),
        Field("operations", Kind.LIST, OPERATION),
    ),
)


class FloorSource:
    """Reads the floor's own book twice: for what begins, and some seconds behind for what is closed."""

    def __init__(self, config: FloorConfig) -> None:
        self._folder = config.folder
        self._begun, self._closed = Place(), Place()
        self._said_where = self._behind = False

    def open(self, position: Position | None) -> None:
        """Go on behind the last report that is on the bus."""
        if position is not None:
            known = cast("dict[str, list[int]]", position)
            self._begun, self._closed = Place(*known["begun"]), Place(*known["closed"])

    def poll(self, timeout: float) -> Batch | None:
        """The reports that are due."""
        if not self._behind:
            time.sleep(min(timeout, GATHER_S))
        begun, self._begun = read(self._folder, JOBS, self._begun, PER_POLL)
        self._behind = len(begun) == PER_POLL
        documents = [_report(line, "running") for line, _ in begun if _quantity(line) == FIRST_QUANTITY]
        documents += self._closing()
        if not begun and not documents and self._said_where:
            return None
        self._said_where = True  # that there is nothing yet is news as well: until then the sinks stay shut
        position = {
            "begun": [self._begun.number, self._begun.offset],
            "closed": [self._closed.number, self._closed.offset],
        }
        return Batch(documents, position, system="soak")

    def _closing(self) -> list[Document]:
        """Jobs whose last word is old enough; the others wait for it."""
        lines, end = read(self._folder, JOBS, self._closed, PER_POLL)
        documents: list[Document] = []
        for line, behind in lines:
            if time.time_ns() // 1_000 - _at_us(line) < CLOSED_AFTER_S * 1e6:
                return documents
            self._closed = behind
            if _quantity(line) == last_quantity(_order(line)):
                documents.append(_report(line, "closed", int(CLOSED_AFTER_S * 1e6)))
        self._closed = end
        return documents

    def close(self) -> None:
        """Nothing is held."""


class FloorSink:
    """Notes each job: its id, quantity, what is wanted, version and time."""

    def __init__(self, config: FloorConfig) -> None:
        self._ledger = Ledger(config.folder, JOBS)

    def open(self) -> None:
        """It is open."""

    def write(self, documents: Sequence[Document]) -> Sequence[Rejection]:
        """Note all of them."""
        now_us = time.time_ns() // 1_000
        self._ledger.write(
            f"{each.id} {each.fields['quantity']} {each.fields['desired']} {each.revision} {now_us}"
            for each in documents
        )
        return []

    def close(self) -> None:
        """Release the ledger."""
        self._ledger.close()


def _report(line: str, state: str, later_us: int = 0) -> Document:
    job, at = line.split(" ", 1)[0], _at_us(line) + later_us
    iso = datetime.fromtimestamp(at / 1e6, UTC).isoformat(timespec="microseconds")
    good = _quantity(line) if state == "closed" else 0
    fields: Fields = {
        "job": job,
        "state": state,
        "at": iso,
        "operations": [{"operation": "Turning", "good": good, "at": iso}],
    }
    return Document("Report", job, revision(at, fields), fields)


def _quantity(line: str) -> int:
    return int(float(line.split(" ")[1]))


def _at_us(line: str) -> int:
    return int(line.rsplit(" ", 1)[1])


def _order(line: str) -> int:
    return int(line.split("/", 1)[0].split(":", 1)[1])


def _ours(config: ConnectorConfig) -> FloorConfig:
    assert isinstance(config, FloorConfig)
    return config


def _source(config: ConnectorConfig) -> Source:
    return FloorSource(_ours(config))


def _sink(config: ConnectorConfig) -> Sink:
    return FloorSink(_ours(config))


connector = Connector("soakfloor", FloorConfig, lambda _: (JOB, REPORT), source=_source, sink=_sink)
