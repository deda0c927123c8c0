"""Complete scripted doubles of a connector's sides: what they are told to answer, and what they were asked."""

from __future__ import annotations

import asyncio
import queue
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from connectors.config import ConnectorConfig
from connectors.contract import Batch, Connector, Position, Rejection, Request
from connectors.errors import AuthError, DataError, FarError
from mappings import DefinitionFile, definition
from schemas.document import Document, DocumentType, Field, Kind, from_json
from schemas.identity import revision
from streams.bus import Attached, Bus
from streams.definitions import activate
from streams.kafka import topics
from streams.kafka.cluster import Cluster
from tests.bus_on_kafka import BusOnKafka
from tests.raw_kafka import RawKafka

ORDER = DocumentType("Order", (Field("No", required=True), Field("Ready", Kind.BOOLEAN), Field("Note")))
STATUS = DocumentType("Status", (Field("Order", required=True), Field("Percent", Kind.INTEGER), Field("Reason")))
DEFINITIONS: Sequence[str] = (
    """
mapping: far-order
version: 1
from: far.Order
to: lineshaft.SalesOrder
fields:
  number: {from: No, required: true}
  type: {const: sale}
  released: {from: Ready, required: true}
  cancelled: {const: false}
  reference: Note
""",
    """
mapping: far-status
version: 1
from: lineshaft.OrderStatus
to: far.Status
fields:
  Order: number
  Percent: percent
  Reason: {from: reason, link: {kind: reason, from: $connector, to: $destination}}
""",
)


def order(number: str, at: int = 1, **fields: Any) -> Document:
    whole = {"No": number, "Ready": True, **fields}
    return Document("Order", number, revision(at, whole), whole)


Step = Batch | FarError


@dataclass
class Script:
    """What the far system does next, and what happened to it. One per test, shared by every instance."""

    steps: deque[Step] = field(default_factory=deque)
    opened: list[Position | None] = field(default_factory=list)
    closed: int = 0
    answers: deque[Callable[[Sequence[Document]], Sequence[Rejection]]] = field(default_factory=deque)
    writes: list[list[Document]] = field(default_factory=list)
    never: frozenset[str] = frozenset()
    called: queue.Queue[str] = field(default_factory=queue.Queue)

    @property
    def written(self) -> list[str]:
        return [each.id for write in self.writes for each in write]


class ScriptedSource:
    """Plays the script from the position that it was opened with; every position is {"at": steps done}."""

    def __init__(self, script: Script, history: Sequence[Batch] = ()) -> None:
        self._script, self._history, self._at = script, history, 0

    def open(self, position: Position | None) -> None:
        self._script.opened.append(position)
        self._at = 0 if position is None else int(str(position["at"]))

    def poll(self, timeout: float) -> Batch | None:
        if self._at < len(self._history):
            self._at += 1
            return self._history[self._at - 1]
        if not self._script.steps:
            queue_wait(timeout)
            return None
        step = self._script.steps.popleft()
        if isinstance(step, FarError):
            raise step
        return step

    def close(self) -> None:
        self._script.closed += 1


def queue_wait(timeout: float) -> None:
    try:
        queue.Queue[None]().get(timeout=min(timeout, 0.1))
    except queue.Empty:
        return


class ScriptedSink:
    """Answers every write as the script says; without a say it takes all but what can never succeed."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def open(self) -> None:
        self._script.opened.append(None)

    def write(self, documents: Sequence[Document]) -> Sequence[Rejection]:
        self._script.called.put("write")
        if self._script.answers:
            return self._script.answers.popleft()(documents)
        if any(each.id in self._script.never for each in documents) and len(documents) > 1:
            raise DataError("one of these can never succeed")
        if documents[0].id in self._script.never:
            raise DataError("this can never succeed")
        self._script.writes.append(list(documents))
        return ()

    def close(self) -> None:
        self._script.closed += 1


class ScriptedWebhook:
    """Takes a JSON list of orders under the signature `good`."""

    def receive(self, request: Request) -> Sequence[Document]:
        if request.headers.get("x-signature") != "good":
            raise AuthError("the signature is wrong")
        try:
            listed: Any = from_json(request.body)
            return [order(str(each.pop("No")), int(each.pop("at", 1)), **each) for each in listed]
        except (ValueError, AttributeError, KeyError) as error:
            raise DataError(f"the body is no list of orders: {error}") from error


class Http:
    """Asks the application without a socket."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    def ask(self, method: str, path: str, **named: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://ingress") as client:
                return await client.request(method, path, **named)

        return asyncio.run(asked())


def attached(name: str, **sides: Any) -> Attached:
    connector = Connector("far", ConnectorConfig, lambda _: (ORDER, STATUS), **sides)
    return Attached(name, connector, ConnectorConfig())


def definitions() -> list[DefinitionFile]:
    return [definition(text, f"{number}.yaml") for number, text in enumerate(DEFINITIONS)]


def far_bus(raw: RawKafka, prefix: str, partitions: int, far: Mapping[str, Attached]) -> BusOnKafka:
    """A bus of scripted far systems, whose mappings are live."""
    bus = Bus(Cluster(raw.bootstrap, prefix), partitions, far)
    topics.apply(bus.cluster, bus.topics, bus.groups)
    activate(bus.cluster, definitions(), "a test")
    return BusOnKafka(bus, raw)


class LedgerSink:
    """Writes a line for every document into a file: id and version."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger

    def open(self) -> None:
        """Nothing has to be opened."""

    def write(self, documents: Sequence[Document]) -> Sequence[Rejection]:
        with self._ledger.open("a") as file:
            file.writelines(f"{each.id} {each.revision}\n" for each in documents)
        return ()

    def close(self) -> None:
        """Nothing was opened."""
