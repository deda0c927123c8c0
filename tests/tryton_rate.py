"""How fast the Tryton connectors are beside the far server alone: `python -m tests.tryton_rate [--rounds N]`.

One line for each direction, from both in turn on one machine. The server alone: a bare loop asks the questions of the
connector's first look once more and throws the answers away, or sends the same records in calls of the same size. The
connector: all of its first look, or `write`. The ratio is the median of the rounds', with the lowest and the highest:
a slower machine makes all figures smaller and leaves the ratio as it is.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from connectors.contract import Connector, Source
from connectors.tryton import crm, mes, productions, sales
from connectors.tryton.client import Client
from connectors.tryton.config import TrytonConfig
from connectors.tryton.roots import Root
from connectors.tryton.source import TrytonSource
from deploy.tryton_server import TrytonServer
from deploy.tryton_server.making import Making
from deploy.tryton_server.people import Company
from deploy.tryton_server.selling import Selling
from schemas.document import Document, Fields, to_json
from tests.tryton_people import People

DATABASE = "rate"
PRODUCT = "P-100"
SALES, STATUSES, JOB_ORDERS = 1500, 100, 40
POLL_S = 5.0
COLUMNS = "{:<26}{:>14}{:>11}   {}"

Work = Callable[[], float]
"""Does some work and says how many records a second it was; what is made before and after does not count."""


@dataclass(frozen=True)
class Direction:
    """One way through a connector, by the server alone and by the connector."""

    name: str
    alone: Work
    connector: Work


@dataclass(frozen=True)
class Round:
    """Records a second in one round."""

    alone: float
    connector: float


def main(words: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.tryton_rate", description=str(__doc__).split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured, in turn")
    rounds = parser.parse_args(words).rounds
    print(COLUMNS.format("records a second", "server alone", "connector", "ratio (lowest to highest)"), flush=True)
    with tempfile.TemporaryDirectory() as folder, people(Path(folder)) as (bus, company):
        for direction in directions(bus, company):
            print(line(direction.name, measured(direction, rounds)), flush=True)
    return 0


@contextmanager
def people(folder: Path) -> Iterator[tuple[People, Company]]:
    """A running company that sells and makes: the bus's user in it, and its people."""
    with TrytonServer(folder, DATABASE, say=print) as server, closing(Company.of(server, DATABASE)) as company:
        os.environ["TRYTON_KEY"] = server.key
        yield People(server, DATABASE), company


def directions(bus: People, company: Company) -> Iterator[Direction]:
    """Each when its turn comes: the productions that were written are those that are read."""
    yield writing(bus, crm, fresh_statuses(company), ("lineshaft.status/tell", "statuses", sales.status, 50))
    yield writing(
        bus, mes, fresh_job_orders(company), ("production/lineshaft_want", "orders", productions.job_order, 10)
    )
    for _ in range(SALES):
        bus.draft(bus.line(), bus.line("P-200"))
    yield reading(bus, crm, sales.ROOTS["Sale"])
    yield reading(bus, mes, productions.ROOTS["Production"])


def fresh_statuses(company: Company) -> Callable[[], Sequence[Document]]:
    """A newer status of the same sales each time."""
    selling, versions = Selling(), itertools.count(1)

    def fresh() -> Sequence[Document]:
        version = next(versions)
        return [selling.document(company, number, version, {"percent": version}) for number in range(STATUSES)]

    fresh()
    return fresh


def fresh_job_orders(company: Company) -> Callable[[], Sequence[Document]]:
    """Others each time, of a product with material and work."""
    making, numbers = Making(), itertools.count(1)
    return lambda: [making.document(company, next(numbers), 1, {"item": PRODUCT}) for _ in range(JOB_ORDERS)]


def writing(
    bus: People,
    connector: Connector,
    fresh: Callable[[], Sequence[Document]],
    call: tuple[str, str, Callable[[Document], Fields], int],
) -> Direction:
    """`call` is the module's method, what it calls its records, how a document becomes one, how many go into one."""
    path, records, made, size = call
    assert connector.sink is not None
    sink = connector.sink(connector.config.model_validate(bus.config()))
    sink.open()

    def alone() -> float:
        documents = [made(each) for each in fresh()]
        bodies = [to_json({records: documents[start : start + size]}) for start in range(0, len(documents), size)]
        with Stopwatch() as watch:
            for body in bodies:
                bus.answer("POST", path, content=body, headers={"Content-Type": "application/json"})
        return watch.rate(len(documents))

    def by_connector() -> float:
        documents = fresh()
        with Stopwatch() as watch:
            assert not sink.write(documents)
        return watch.rate(len(documents))

    return Direction(f"{connector.name} writes", alone, by_connector)


def reading(bus: People, connector: Connector, root: Root) -> Direction:
    """Every record of one kind, by the connector's own questions."""
    count, config = len(bus.find(root.model, [])), TrytonConfig.model_validate(bus.config())
    heard = Heard()

    def by_connector() -> float:
        heard.questions.clear()
        client = Client(config, heard)
        return first_look(TrytonSource(client, [root], "rate", bus.company, config.page_size, 1.0, 60.0), count)

    def alone() -> float:
        pages = [each for each in heard.questions if each.path.endswith(f"/{root.model}")]
        with Stopwatch() as watch:
            for page in pages:
                assert bus.http.get(page).is_success
        return watch.rate(count)

    by_connector()
    return Direction(f"{connector.name} reads", alone, by_connector)


class Heard(httpx.HTTPTransport):
    """The network, and what was asked over it."""

    def __init__(self) -> None:
        super().__init__()
        self.questions: list[httpx.URL] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request."""
        self.questions.append(request.url)
        return super().handle_request(request)


def first_look(new: Source, count: int) -> float:
    """All that a new source tells until it has read everything."""
    found, complete = 0, False
    with closing(new) as source:
        source.open(None)
        with Stopwatch() as watch:
            while not complete:
                batch = source.poll(POLL_S)
                found, complete = (found + len(batch.documents), batch.complete) if batch else (found, False)
    assert found == count
    return watch.rate(count)


def measured(direction: Direction, rounds: int) -> list[Round]:
    """Both in turn, and once before to warm them up."""
    direction.alone()
    direction.connector()
    return [Round(direction.alone(), direction.connector()) for _ in range(rounds)]


class Stopwatch:
    """How long something takes."""

    def __enter__(self) -> Stopwatch:
        self._begun = time.monotonic()
        return self

    def __exit__(self, *error: object) -> None:
        self._took_s = time.monotonic() - self._begun

    def rate(self, count: int) -> float:
        """So many things, a second."""
        return count / self._took_s


def line(name: str, rounds: Sequence[Round]) -> str:
    """What is printed of one direction."""
    ratios = [each.connector / each.alone for each in rounds]
    alone = statistics.median(each.alone for each in rounds)
    connector = statistics.median(each.connector for each in rounds)
    spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    return COLUMNS.format(name, f"{alone:.1f}", f"{connector:.1f}", spread)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
