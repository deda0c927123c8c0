"""Both Tryton connectors against a real Tryton server, rule by rule: see tryton.yaml."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from connectors.contract import Connector, Position, Sink, Source
from connectors.errors import AuthError, ConfigError, DataError, FarError, PositionRefused, TransientError
from connectors.tryton import TrytonCrmConfig, TrytonMesConfig, crm, mes, productions, sales
from connectors.tryton.client import Client
from connectors.tryton.sink import TrytonSink, Writing
from connectors.tryton.source import TrytonSource
from deploy.tryton_server import TrytonServer
from deploy.tryton_server.people import Company
from schemas.document import Document, Fields, Value
from schemas.identity import revision_time_us
from tests.tryton_people import People

pytestmark = pytest.mark.timeout(900)

ROWS = yaml.safe_load(Path(__file__).with_name("tryton.yaml").read_text())["rows"]
NUMBERS = itertools.count(1)
QUIET_POLLS = 7
RESTLESS_BATCHES = 200


@dataclass
class Plant:
    """A company that sells and one that makes, on one running server."""

    selling: People
    making: People
    monkeypatch: pytest.MonkeyPatch


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrytonServer]:
    with TrytonServer(tmp_path_factory.mktemp("tryton"), "crm", "mes") as running:
        yield running


@pytest.fixture
def plant(server: TrytonServer, monkeypatch: pytest.MonkeyPatch) -> Plant:
    monkeypatch.setenv("TRYTON_KEY", server.key)
    return Plant(People(server, "crm"), People(server, "mes"), monkeypatch)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["proves"])
def test_the_real_server_and_the_connectors_agree_that(row: dict[str, str], plant: Plant) -> None:
    RULES[row["proves"]](plant)


def test_every_rule_is_a_row_of_the_contract() -> None:
    assert sorted(RULES) == sorted(row["proves"] for row in ROWS)


# reading


def opened(connector: Connector, people: People, position: Position | None = None, **more: Any) -> Source:
    assert connector.source is not None
    made = connector.source(connector.config.model_validate(people.config(**more)))
    made.open(position)
    return made


@dataclass(frozen=True)
class Told:
    """What a source told: its documents in order, and the position after each batch."""

    documents: list[Document]
    positions: list[Position]

    def of(self, id: int) -> list[Document]:
        return [each for each in self.documents if each.id == str(id)]

    def newest(self) -> dict[str, Document]:
        return {f"{each.type}/{each.id}": each for each in self.documents}


def told(reading: Source) -> Told:
    """Everything until it has nothing to say any more."""
    found, quiet = Told([], []), 0
    while quiet < QUIET_POLLS:
        batch = reading.poll(0.05)
        quiet = 0 if batch is not None and (batch.documents or not batch.complete) else quiet + 1
        if batch is not None:
            found.documents.extend(batch.documents)
            found.positions.append(batch.position)
        assert len(found.positions) < RESTLESS_BATCHES, "the source never comes to rest"
    return found


def read(connector: Connector, people: People, position: Position | None = None, **more: Any) -> Told:
    reading = opened(connector, people, position, **more)
    try:
        return told(reading)
    finally:
        reading.close()


def after(connector: Connector, people: People, act: Callable[[], object]) -> Told:
    """What a source that knows everything tells of what people then do."""
    reading = opened(connector, people)
    try:
        told(reading)
        act()
        return told(reading)
    finally:
        reading.close()


# writing


def job(**more: Any) -> Document:
    """A job order of its own for each call."""
    number = next(NUMBERS)
    fields: dict[str, Value] = {
        "version": f"{1:020d}",
        "desired": "released",
        "item": "P-100",
        "quantity": Decimal("5"),
        "unit": "u",
        "due": "2027-05-18",
        "reference": f"PO-{number}",
        "known": False,
    }
    return Document("Production", f"crm:{number}/{number}", "", {**fields, **more})


def later(document: Document, **more: Value) -> Document:
    """The same job order in its next version."""
    version = f"{int(str(document.fields['version'])) + 1:020d}"
    return Document(document.type, document.id, "", {**document.fields, "version": version, **more})


def written(connector: Connector, people: People, *documents: Document, **more: Any) -> dict[int, str]:
    """Write them; gives why some were rejected, by index."""
    assert connector.sink is not None
    sink = connector.sink(connector.config.model_validate(people.config(**more)))
    try:
        sink.open()
        return {each.index: str(each.error) for each in sink.write(documents)}
    finally:
        sink.close()


def made(plant: Plant, document: Document, **more: Any) -> Any:
    assert written(mes, plant.making, document, **more) == {}
    return plant.making.production(document.id)


def quantities(moves: Sequence[Any]) -> list[float]:
    return [each["quantity"] for each in moves]


# the rules


def series(plant: Plant) -> None:
    asked = {"id": 1, "method": "common.server.version", "params": []}
    answer = httpx.post(f"{plant.selling.server.url}/rpc/", json=asked, trust_env=False)
    assert answer.json() == {"id": 1, "result": "8.2"}


def client(people: People, **more: Any) -> Client:
    return Client(TrytonMesConfig.model_validate(people.config(**more)))


def refusal(people: People, **more: Any) -> FarError:
    with pytest.raises(FarError) as raised:
        opened(crm, people, **more)
    return raised.value


def wrong_key(plant: Plant) -> None:
    plant.monkeypatch.setenv("TRYTON_KEY", "wrong")
    error = refusal(plant.selling)
    assert isinstance(error, AuthError)
    assert "wrong, not validated" in str(error)


def forget_who_sees_what(plant: Plant) -> None:
    """Somebody changes his preferences; the server then works out anew which companies each user sees."""
    company = Company.of(plant.selling.server, plant.selling.database)
    company.person.call("res.user", "set_preferences", {"company_filter": "one"})
    company.close()


def wrong_company(plant: Plant) -> None:
    sale = plant.selling.draft()
    forget_who_sees_what(plant)
    error = refusal(plant.selling, company=999)
    assert isinstance(error, ConfigError)
    assert (error.field, "it sees 1" in str(error)) == ("company", True)
    assert len(read(crm, plant.selling).of(sale)) == 1


def wrong_database(plant: Plant) -> None:
    error = refusal(plant.selling, database="nowhere")
    assert isinstance(error, ConfigError)
    assert error.field == "database"


def no_context(plant: Plant) -> None:
    del plant.selling.http.headers["X-Tryton-Context"]
    who = plant.selling.facts["customers"]["Acme"]
    answer = plant.selling.http.post("sale.sale", json={"party": who["party"]})
    assert answer.status_code == 400
    assert "message" in answer.json()


def typed_values(plant: Plant) -> None:
    sale = plant.selling.draft(shipping_date={"__class__": "date", "year": 2027, "month": 5, "day": 20})
    asked = client(plant.selling)
    (found,) = asked.search("sale.sale", [["id", "=", sale]], ["shipping_date", "create_date", "lines.unit_price"])
    asked.close()
    assert found["shipping_date"] == "2027-05-20"
    assert str(found["create_date"]).endswith("Z")
    lines: Any = found["lines"]
    assert [line["unit_price"] for line in lines] == [Decimal("10.00")]


def html_error(plant: Plant) -> None:
    asked = client(plant.selling)
    with pytest.raises(TransientError, match="HTTP 500"):
        asked.search("no.such.model", [], ["id"])
    with pytest.raises(AuthError, match="HTTP 403"):
        asked.call("sale.sale", "no_such_method", {})
    asked.close()


def user_error(plant: Plant) -> None:
    sale = plant.selling.draft(invoice_address=None)
    asked = client(plant.selling)
    with pytest.raises(DataError, match="invoice address"):
        asked.call("sale.sale", f"{sale}/quote", {})
    asked.close()


def sale_document(plant: Plant) -> None:
    people = plant.selling
    lines = [people.line("P-100", 5), people.line("P-200", 2.5 + 0.5)]
    sale = people.draft(*lines, customer="Bolt & Söhne 有限公司", reference="PO-Ω")
    (document,) = read(crm, people).of(sale)
    assert document.type == "Sale"
    assert not document.deleted
    assert (document.fields["state"], document.fields["reference"]) == ("draft", "PO-Ω")
    assert document.fields["party"]["name"] == "Bolt & Söhne 有限公司"  # type: ignore[index,call-overload]
    found: Any = document.fields["lines"]
    assert [(each["product"]["code"], each["quantity"], each["unit"]["symbol"]) for each in found] == [
        ("P-100", Decimal(5), "u"),
        ("P-200", Decimal(3), "u"),
    ]
    ids = [each["id"] for each in found]
    people.write("sale.line", int(ids[0]), quantity=6)
    (again,) = read(crm, people).of(sale)
    assert [each["id"] for each in again.fields["lines"]] == ids  # type: ignore[index,union-attr,call-overload]


def sale_is_released(plant: Plant) -> None:
    sale = plant.selling.sell()
    (document,) = read(crm, plant.selling).of(sale)
    assert document.fields["state"] == "processing"
    assert document.fields["number"]


def no_on_change(plant: Plant) -> None:
    party = plant.selling.facts["customers"]["Acme"]["party"]
    sale = plant.selling.create("sale.sale", party=party)
    (found,) = plant.selling.find("sale.sale", [["id", "=", sale]], "invoice_address")
    assert found["invoice_address"] is None


def changed_line(plant: Plant) -> None:
    sale = plant.selling.draft()
    (line,) = plant.selling.sale(sale)["lines"]
    before = plant.selling.sale(sale)["last_modified_at"]
    found = after(crm, plant.selling, lambda: plant.selling.write("sale.line", line["id"], quantity=7))
    assert plant.selling.sale(sale)["last_modified_at"] == before
    (document,) = found.of(sale)
    assert document.fields["lines"][0]["quantity"] == 7  # type: ignore[index,call-overload]


def deleted_line(plant: Plant) -> None:
    sale = plant.selling.draft(plant.selling.line("P-100"), plant.selling.line("P-200"))
    first, second = plant.selling.sale(sale)["lines"]
    plant.selling.write("sale.line", second["id"], quantity=8)
    (known,) = read(crm, plant.selling).of(sale)
    found = after(crm, plant.selling, lambda: plant.selling.delete("sale.line", second["id"]))
    (document,) = found.of(sale)
    assert [each["id"] for each in document.fields["lines"]] == [str(first["id"])]  # type: ignore[index,union-attr,call-overload]
    assert revision_time_us(document.revision) > revision_time_us(known.revision)
    assert read(crm, plant.selling).of(sale) == [document]


def deleted_sale(plant: Plant) -> None:
    sale = plant.selling.draft()
    plant.selling.press("sale.sale", sale, "quote", "draft")
    number = plant.selling.sale(sale)["number"]
    everything = read(crm, plant.selling)
    (known,) = everything.of(sale)
    plant.selling.delete("sale.sale", sale)
    (document,) = read(crm, plant.selling, everything.positions[-1]).of(sale)
    assert document.deleted
    assert document.fields["number"] == number
    assert document.revision > known.revision


def complaint(plant: Plant) -> None:
    people = plant.selling
    sale = people.sell()
    kind = people.facts["complaint_type"]
    who = people.facts["customers"]["Acme"]["party"]
    made = people.create("sale.complaint", customer=who, type=kind, origin=f"sale.sale,{sale}", description="broken")
    found = read(crm, people, documents=["Complaint"])
    (document,) = found.of(made)
    assert document.type == "Complaint"
    assert document.fields["origin"] == f"sale.sale,{sale}"
    assert document.fields["customer"]["name"] == "Acme"  # type: ignore[index,call-overload]


def restart_everywhere(plant: Plant) -> None:
    people = plant.selling
    first = people.draft()
    reading = opened(crm, people)
    found = told(reading)
    gone = people.draft()
    people.press("sale.sale", first, "quote")
    more = told(reading)
    people.press("sale.sale", gone, "quote", "draft")
    people.delete("sale.sale", gone)
    people.press("sale.sale", first, "cancel")
    more = Told(
        [*found.documents, *more.documents, *(last := told(reading)).documents],
        [*found.positions, *more.positions, *last.positions],
    )
    reading.close()
    end = more.newest()
    for position in more.positions:
        again = {**{name: each for name, each in end.items() if not each.deleted}}
        resumed = read(crm, people, position).newest()
        assert all(end[name] == each for name, each in resumed.items()), position
        again.update(resumed)
        assert again[f"Sale/{first}"] == end[f"Sale/{first}"]
    assert end[f"Sale/{gone}"].deleted
    assert read(crm, people, found.positions[-1]).newest()[f"Sale/{gone}"].deleted


def positions_forward(plant: Plant) -> None:
    for _ in range(4):
        plant.selling.draft()
    found = read(crm, plant.selling, overlap_s=1, page_size=3)
    ranks = [(each["since_us"], each["began_us"]) for each in found.positions]
    assert ranks == sorted(ranks)
    assert len(found.positions) > 2


def there(found: Told) -> dict[str, Document]:
    return {name: each for name, each in found.newest().items() if not each.deleted}


def page_boundaries(plant: Plant) -> None:
    while (count := len(plant.selling.find("sale.sale", []))) < 4:
        plant.selling.draft()
    everything = there(read(crm, plant.selling))
    assert len(everything) == count
    for size in (1, count - 1, count, count + 1):
        assert there(read(crm, plant.selling, page_size=size)) == everything


class Counted(httpx.BaseTransport):
    """The network, and which models were asked for over it."""

    def __init__(self) -> None:
        self._network = httpx.HTTPTransport()
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path.rpartition("/")[2])
        return self._network.handle_request(request)

    def close(self) -> None:
        self._network.close()


def asks_ahead(plant: Plant) -> None:
    people, network = plant.selling, Counted()
    while (count := len(people.find("sale.sale", []))) < 6:
        people.draft()
    config = TrytonCrmConfig.model_validate(people.config())
    roots = [sales.ROOTS["Sale"]]
    reading = TrytonSource(Client(config, network), roots, "", people.company, page_size=2, interval_s=1, overlap_s=1)
    reading.open(None)
    network.asked.clear()
    assert reading.poll(5) is not None
    assert within(5, lambda: network.asked == ["sale.sale"] * 2), network.asked
    while not (batch := reading.poll(5)) or not batch.complete:
        pass
    assert network.asked == ["sale.sale"] * (count // 2 + 1)
    reading.close()
    assert not [each.name for each in threading.enumerate() if each.name.startswith("tryton")]


def within(seconds: float, true: Callable[[], bool]) -> bool:
    """Whether it becomes true in time."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()


def quiet(plant: Plant) -> None:
    plant.selling.draft()
    assert after(crm, plant.selling, lambda: None).documents == []


def closing(plant: Plant) -> None:
    reading = opened(crm, plant.selling, poll_interval_s=600)
    while reading.poll(0) is not None:
        pass
    answers: list[object] = []
    waiting = threading.Thread(target=lambda: answers.append(reading.poll(600)))
    waiting.start()
    reading.close()
    waiting.join(30)
    assert answers == [None]
    reading.close()


def foreign_position(plant: Plant) -> None:
    with pytest.raises(PositionRefused):
        opened(crm, plant.selling, {"cursor": "of another connector"})


def told_status(number: str, **more: Value) -> Document:
    fields: Fields = {
        "number": number,
        "version": f"{5:020d}",
        "state": "running",
        "percent": 40,
        "good": Decimal("2"),
    }
    rest: Fields = {"scrap": Decimal(0), "rework": Decimal(0), "forecast": "2027-06-01", "late": True, "reason": None}
    return Document("Status", f"crm:{number}", "", {**fields, **rest, **more})


def shown(plant: Plant, sale: int) -> Any:
    names = ("state", "percent", "good", "forecast", "late", "version", "last_modified_at", "order_key")
    found = plant.selling.find("lineshaft.status", [["sale", "=", sale]], *names)
    assert len(found) < 2
    return found[0] if found else None


def status(plant: Plant) -> None:
    sale = plant.selling.sell()
    before = plant.selling.sale(sale)
    document = told_status(before["number"])
    assert written(crm, plant.selling, document) == {}
    found = shown(plant, sale)
    assert (found["state"], found["percent"], found["late"]) == ("running", 40, True)
    assert found["good"]["decimal"] == "2"
    assert found["order_key"] == f"crm:{before['number']}"
    assert written(crm, plant.selling, document) == {}
    assert shown(plant, sale) == found
    assert plant.selling.sale(sale)["last_modified_at"] == before["last_modified_at"]


def older_status(plant: Plant) -> None:
    number = plant.selling.sale(sale := plant.selling.sell())["number"]
    newer, older = told_status(number), told_status(number, version=f"{4:020d}", state="released")
    assert written(crm, plant.selling, newer, older) == {}
    assert shown(plant, sale)["state"] == "running"


def status_of_no_sale(plant: Plant) -> None:
    number = plant.selling.sale(sale := plant.selling.sell())["number"]
    rejected = written(crm, plant.selling, told_status("nobody's"), told_status(number))
    assert list(rejected) == [0]
    assert "0 sales" in rejected[0]
    assert shown(plant, sale)["state"] == "running"


def production_is_whole(plant: Plant) -> None:
    found = made(plant, job())
    assert (found["state"], found["quantity"], found["product"]["code"]) == ("waiting", 5, "P-100")
    assert found["number"]
    assert quantities(found["inputs"]) == [10]
    assert quantities(found["outputs"]) == [5]
    assert [each["operation"]["name"] for each in found["works"]] == ["sawing", "milling", "assembly"]
    assert found["planned_date"]["year"] == 2027
    plant.making.start(found["id"])
    running = plant.making.production(found_id(plant, found))
    assert (running["state"], running["inputs"][0]["state"]) == ("running", "done")


def found_id(plant: Plant, production: Any) -> str:
    (found,) = plant.making.find("production", [["id", "=", production["id"]]], "lineshaft_id")
    return str(found["lineshaft_id"])


def stamp(plant: Plant, document: Document) -> Any:
    (found,) = plant.making.find("production", [["lineshaft_id", "=", document.id]], "last_modified_at")
    return found["last_modified_at"]


def production_repeat(plant: Plant) -> None:
    document = job()
    found, at = made(plant, document), stamp(plant, document)
    assert made(plant, document) == found
    assert stamp(plant, document) == at


def older_production(plant: Plant) -> None:
    older = job()
    newer = later(older, quantity=Decimal(9))
    assert written(mes, plant.making, newer, older) == {}
    assert plant.making.production(older.id)["quantity"] == 9


class LosesAnswers(httpx.HTTPTransport):
    """Delivers the first writes and then loses their answers."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = times

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        if request.method == "POST" and self.left:
            self.left -= 1
            answer.read()
            raise httpx.ReadTimeout("lost", request=request)
        return answer


def lost_answer(plant: Plant) -> None:
    document = job()
    config = TrytonMesConfig.model_validate(plant.making.config())
    writing = Writing("production", "lineshaft_want", "orders", 10, productions.job_order)
    sink: Sink = TrytonSink(Client(config, LosesAnswers(2)), writing)
    assert sink.write([document]) == []
    sink.close()
    found = plant.making.production(document.id)
    assert quantities(found["outputs"]) == [5]


def two_writers(plant: Plant) -> None:
    document = job()
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(written, mes, plant.making, document) for _ in range(2)]
        assert [each.result() for each in both] == [{}, {}]
    assert plant.making.production(document.id)["state"] == "waiting"


def one_bad(plant: Plant) -> None:
    good, bad, other = job(), job(item="P-404"), job(unit="kg")
    digits = job(quantity=Decimal("1.5"))
    nonsense = job(desired="burned")
    rejected = written(mes, plant.making, good, bad, other, digits, nonsense)
    assert sorted(rejected) == [1, 2, 3, 4]
    assert "P-404" in rejected[1]
    assert "not measured in 'kg'" in rejected[2]
    assert "more digits" in rejected[3]
    assert "burned" in rejected[4]
    assert plant.making.production(good.id)["state"] == "waiting"
    assert plant.making.production(bad.id) is None


def refused_by_tryton(plant: Plant) -> None:
    good, bad, more = job(), job(quantity=Decimal(-5)), job()
    rejected = written(mes, plant.making, good, bad, more)
    assert list(rejected) == [1]
    assert "HTTP 400" in rejected[1]
    assert plant.making.production(good.id)["state"] == "waiting"
    assert plant.making.production(more.id)["state"] == "waiting"
    assert plant.making.production(bad.id) is None


def held(plant: Plant) -> None:
    first = job()
    number = made(plant, first)["number"]
    wait = later(first, desired="held")
    assert made(plant, wait)["state"] == "draft"
    found = made(plant, later(wait, desired="released"))
    assert (found["state"], found["number"]) == ("waiting", number)
    assert len(found["works"]) == 3


def changed_quantity(plant: Plant) -> None:
    first = job()
    made(plant, first)
    found = made(plant, later(first, quantity=Decimal(7)))
    assert (found["state"], found["quantity"]) == ("waiting", 7)
    assert quantities(found["inputs"]) == [14]
    assert quantities(found["outputs"]) == [7]
    assert len(found["works"]) == 3


def planners_edit(plant: Plant) -> None:
    first = job()
    found = made(plant, first)
    day = {"__class__": "date", "year": 2028, "month": 1, "day": 2}
    plant.making.press("production", found["id"], "draft")
    plant.making.write("production", found["id"], planned_date=day, reference="the planner's")
    plant.making.press("production", found["id"], "wait")
    changed = made(plant, later(first, quantity=Decimal(6)))
    assert (changed["quantity"], changed["reference"], changed["planned_date"]) == (6, "the planner's", day)


def cancelled(plant: Plant) -> None:
    first = job()
    made(plant, first)
    assert made(plant, later(first, desired="cancelled"))["state"] == "cancelled"


def running(plant: Plant) -> None:
    first = job()
    found = made(plant, first)
    plant.making.start(found["id"])
    off = later(first, desired="cancelled", quantity=Decimal(3))
    kept = made(plant, off)
    assert (kept["state"], kept["quantity"], kept["lineshaft_desired"]) == ("running", 5, "cancelled")
    (document,) = read(mes, plant.making).of(found["id"])
    assert document.fields["cancel_requested"] is True


def cancel_unknown(plant: Plant) -> None:
    document = job(desired="cancelled", known=True)
    assert written(mes, plant.making, document) == {}
    assert plant.making.production(document.id) is None


def gone(plant: Plant) -> None:
    first = job()
    found = made(plant, first)
    plant.making.press("production", found["id"], "draft")
    plant.making.delete("production", found["id"])
    rejected = written(mes, plant.making, later(first, known=True))
    assert "is gone" in rejected[0]
    assert plant.making.production(first.id) is None


def assigned(plant: Plant) -> None:
    assert made(plant, job(), assign=True)["state"] == "assigned"
    short = made(plant, job(quantity=Decimal(90_000_000)), assign=True)
    assert short["state"] == "waiting"
    plant.making.press("production", short["id"], "cancel")  # it holds what material there was


def operations(document: Document) -> dict[str, tuple[Any, Any, Any, Any]]:
    found: Any = document.fields["operations"]
    return {each["operation"]: (each["good"], each["scrap"], each["rework"], each["lots"]) for each in found}


def work_adds_up(plant: Plant) -> None:
    first = job()
    found = made(plant, first)
    plant.making.start(found["id"])
    sawing, milling, _ = (each["id"] for each in plant.making.production(first.id)["works"])
    (document,) = after(mes, plant.making, lambda: plant.making.report(sawing, 3, scrap=1)).of(found["id"])[-1:]
    assert operations(document)["sawing"] == (3, 1, 0, [])
    plant.making.report(sawing, 2, rework=1)
    plant.making.report(milling, 4)
    (document,) = read(mes, plant.making).of(found["id"])
    assert operations(document) == {"sawing": (5, 1, 1, []), "milling": (4, 0, 0, []), "assembly": (0, 0, 0, [])}
    assert document.fields["job_order_id"] == first.id
    assert document.fields["state"] == "running"
    rows: Any = document.fields["operations"]
    assert rows[0]["started_at"] < rows[0]["ended_at"] <= document.fields["changed_at"]
    assert (rows[0]["work_center"], rows[2]["ended_at"]) == ("SAW-1", None)


def outputs_count(plant: Plant) -> None:
    first = job()
    found = made(plant, first)
    plant.making.start(found["id"])
    for work in plant.making.production(first.id)["works"]:
        plant.making.report(work["id"], 0)
    lot = plant.making.create("stock.lot", number=f"L-{first.id}", product=plant.making.facts["products"]["P-100"])
    (output,) = plant.making.production(first.id)["outputs"]
    plant.making.write("stock.move", output["id"], lot=lot)
    plant.making.press("production", found["id"], "do")
    (document,) = read(mes, plant.making).of(found["id"])
    assert document.fields["state"] == "done"
    assert operations(document)["assembly"] == (5, 0, 0, [f"L-{first.id}"])


def deleted_production(plant: Plant) -> None:
    first = job()
    found = made(plant, first)
    everything = read(mes, plant.making)
    plant.making.press("production", found["id"], "draft")
    plant.making.delete("production", found["id"])
    document = read(mes, plant.making, everything.positions[-1]).of(found["id"])[-1]
    assert document.deleted
    assert document.fields["job_order_id"] == first.id
    assert document.fields["changed_at"]


def quality(plant: Plant) -> None:
    people = plant.making
    lot = people.create("stock.lot", number="LOT-7", product=people.facts["products"]["P-100"])
    control = people.facts["control"]
    production = made(plant, job())
    origin = f"production,{production['id']}"
    inspection = people.create("quality.inspection", control=control, origin=origin)
    alert = people.create("quality.alert", title="Scratched", origin=f"quality.inspection,{inspection}")
    found = read(mes, people, documents=["Lot", "Inspection", "Alert"]).newest()
    assert found[f"Lot/{lot}"].fields["number"] == "LOT-7"
    assert found[f"Inspection/{inspection}"].fields["origin"] == origin
    assert found[f"Inspection/{inspection}"].fields["control"]["name"] == "Gauge"  # type: ignore[index,call-overload]
    assert found[f"Alert/{alert}"].fields["title"] == "Scratched"


RULES: dict[str, Callable[[Plant], None]] = {row["proves"]: globals()[row["proves"]] for row in ROWS}
