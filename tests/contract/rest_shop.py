"""The stand-in of the REST connector with its people, and what connectors make of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from connectors.contract import Position, Sink, Source, StandIn
from connectors.http import connect
from connectors.rest import RestConfig, connector
from connectors.rest.simulator.declaration import reading
from schemas.document import Document, Fields, Value, from_json, to_json

QUIET_POLLS = 6
RESTLESS_BATCHES = 200
READ = ("whole", "cursor", "offset", "keyset", "link", "odata")
PAGE = 3


@dataclass
class Told:
    """What a source told: its documents in order, and the position after each batch."""

    documents: list[Document] = field(default_factory=list)
    positions: list[Position] = field(default_factory=list)

    def newest(self) -> Mapping[str, Document]:
        return {each.id: each for each in self.documents}


@dataclass
class ShopBench:
    """One running shop: its people, its vendor, and the connector's configuration for it."""

    stand_in: StandIn
    folder: Path
    http: httpx.Client

    def control(self, path: str, body: Value = None, method: str = "POST", **query: str) -> Fields:
        content = None if body is None else to_json(body)
        answer = self.http.request(method, f"{self.stand_in.control}/{path}", content=content, params=query)
        answer.raise_for_status()
        found = from_json(answer.content) if answer.content else {}
        assert isinstance(found, dict)
        return found

    def make(self, **values: Value) -> str:
        return str(self.control("person/order", values)["id"])

    def change(self, id: str, **values: Value) -> None:
        self.control(f"person/order/{id}", values)

    def fault(self, kind: str, times: int = 1, match: Fields | None = None, **arguments: Value) -> None:
        self.control("faults", {"kind": kind, "times": times, "match": match or {}, "arguments": arguments})

    def jobs(self) -> list[Fields]:
        found = self.control("person/jobs", method="GET")["jobs"]
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

    def status(self, key: str) -> Fields:
        return self.control(f"person/statuses/{key}", method="GET")

    def requests(self) -> list[Fields]:
        found = self.control("ledger", method="GET", kind="request")["entries"]
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

    def secret(self, name: str) -> str:
        """A reference to a file that holds one of the shop's secrets."""
        file = self.folder / f"secret-{name}"
        file.write_text(str(self.stand_in.person[name]))
        return f"${{file:{file}}}"

    def config(self, style: str = "keyset", **changes: Any) -> RestConfig:
        """The shop's own declaration, secrets as references, with quick looks."""

        login = {**dict(self.stand_in.config["login"]), "client_secret": self.secret("client_secret")}  # type: ignore[arg-type]
        usual = {**self.stand_in.config, "login": login, "reads": {"Order": reading(style)}, "poll_interval_s": 0.01}
        return RestConfig.model_validate({**usual, **changes})

    def source(self, config: RestConfig, position: Position | None = None) -> Source:
        assert connector.source is not None
        with ExitStack() as opening:
            made = connector.source(config)
            opening.callback(made.close)
            made.open(position)
            opening.pop_all()
        return made

    def read(self, config: RestConfig, position: Position | None = None) -> Told:
        """Everything a source has to say behind the position."""
        source = self.source(config, position)
        try:
            return told(source)
        finally:
            source.close()

    @contextmanager
    def sink(self, **changes: Any) -> Iterator[Sink]:
        assert connector.sink is not None
        made = connector.sink(self.config(**changes))
        try:
            made.open()
            yield made
        finally:
            made.close()


def told(source: Source) -> Told:
    """What the source says until it has nothing to say any more."""
    found, quiet = Told(), 0
    while quiet < QUIET_POLLS:
        batch = source.poll(0.05)
        quiet = 0 if batch is not None and (batch.documents or not batch.complete) else quiet + 1
        if batch is not None:
            found.documents.extend(batch.documents)
            found.positions.append(batch.position)
        assert len(found.positions) < RESTLESS_BATCHES, "the source never comes to rest"
    return found


@contextmanager
def running(folder: Path) -> Iterator[ShopBench]:
    """A shop in a folder, small pages."""
    assert connector.simulator is not None
    simulator = connector.simulator(folder / "shop")
    stand_in = simulator.start()
    try:
        with connect(10.0, stand_in.ca_file) as http:
            bench = ShopBench(stand_in, folder, http)
            bench.control("page_size", {"size": PAGE})
            yield bench
    finally:
        simulator.stop()
