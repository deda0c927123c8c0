"""Connector and stand-in together, over real sockets: what a task would see."""

import queue
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from connectors.contract import Request as Pushed
from connectors.contract import Sink, Source, StandIn
from connectors.errors import AuthError, ConfigError, PositionRefused, TransientError
from connectors.jiandaoyun import JianDaoYunConfig, connector
from connectors.jiandaoyun.simulator import Simulator
from connectors.testing import Served, issue, kept_port
from schemas.document import Document, Value

Json = dict[str, Any]


@dataclass
class Plant:
    folder: Path
    simulator: Simulator
    stand_in: StandIn
    http: httpx.Client

    def config(self, **changes: Value) -> JianDaoYunConfig:
        values: dict[str, Value] = {
            **self.stand_in.config,
            "sweep_interval_s": Decimal("0.001"),
            "timeout_s": 12,
            **changes,
        }
        for name in ("api_key", "webhook_secret"):
            file = self.folder / name
            file.write_text(str(values[name]))
            values[name] = f"${{file:{file}}}"
        return JianDaoYunConfig.model_validate(values)

    def control(self, path: str, body: Any) -> Json:
        answer = self.http.post(f"{self.stand_in.control}/{path}", json=body)
        assert answer.status_code == 200, answer.text
        result: Json = answer.json()
        return result

    def writes(self) -> list[Json]:
        answer = self.http.get(f"{self.stand_in.control}/ledger", params={"kind": "write"})
        entries: list[Json] = answer.json()["entries"]
        return entries

    def held(self) -> int:
        return int(self.http.get(f"{self.stand_in.control}/faults").json()["held"])

    def sink(self, **changes: Value) -> Sink:
        assert connector.sink is not None
        return connector.sink(self.config(**changes))

    def source(self) -> Source:
        assert connector.source is not None
        return connector.source(self.config())


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    simulator = Simulator(tmp_path / "far")
    stand_in = simulator.start()
    trust = ssl.create_default_context(cafile=str(stand_in.ca_file))
    with httpx.Client(verify=trust, timeout=60) as client:
        yield Plant(tmp_path, simulator, stand_in, client)
    simulator.stop()


@pytest.fixture
def sink(plant: Plant) -> Iterator[Sink]:
    sink = plant.sink()
    sink.open()
    yield sink
    sink.close()


@pytest.fixture
def source(plant: Plant) -> Iterator[Source]:
    source = plant.source()
    yield source
    source.close()


def wanted(number: int = 1, version: int = 1, **changes: Value) -> Document:
    fields: dict[str, Value] = {
        "bus_version": f"{version:020d}",
        "item": "P-1",
        "quantity": Decimal("5.50"),
        "unit": "EA",
        "due": "2026-06-01",
        "state": "released",
    }
    return Document("work_order", f"crm:1/{number}", "r", {**fields, **changes})


def swept(source: Source) -> list[Document]:
    """Everything that one more sweep of a small form finds, deletions included."""
    return [document for _ in range(2) if (batch := source.poll(5)) for document in batch.documents]


def test_a_written_order_is_read_back_as_it_was_wanted(plant: Plant, sink: Sink, source: Source) -> None:
    assert sink.write([wanted()]) == []
    source.open(None)
    (document,) = swept(source)

    names = ("job_order_id", "bus_version", "item", "quantity", "unit", "due", "state", "operations")
    assert [document.fields[name] for name in names] == [
        *("crm:1/1", f"{1:020d}", "P-1", Decimal("5.5"), "EA", "2026-06-01", "released", [])
    ]


def test_a_batch_is_written_in_its_order_and_a_repeat_changes_nothing(plant: Plant, sink: Sink) -> None:
    batch = [wanted(1), wanted(2), wanted(1, 2, quantity=Decimal(7)), wanted(3, state="cancelled")]
    assert sink.write(batch) == []
    made = len(plant.writes())
    assert sink.write(batch) == []

    assert [write["operation"] for write in plant.writes()] == ["batch_create", "batch_create", "update"]
    assert len(plant.writes()) == made


def test_a_change_that_overtakes_the_creation_makes_the_order_and_the_older_record_changes_nothing(
    plant: Plant, sink: Sink, source: Source
) -> None:
    assert sink.write([wanted(1, 2, quantity=Decimal(7))]) == []
    assert sink.write([wanted(1, 1)]) == []
    source.open(None)
    (document,) = swept(source)
    assert (document.fields["quantity"], document.fields["bus_version"]) == (Decimal(7), f"{2:020d}")
    assert [write["operation"] for write in plant.writes()] == ["batch_create"]


def test_a_cancellation_that_overtakes_the_creation_holds_when_it_comes_again_behind_it(
    sink: Sink, source: Source
) -> None:
    for document in (wanted(1, 2, state="cancelled"), wanted(1, 1), wanted(1, 2, state="cancelled")):
        assert sink.write([document]) == []
    source.open(None)
    (document,) = swept(source)
    assert (document.fields["state"], document.fields["bus_version"]) == ("cancelled", f"{2:020d}")


def test_a_write_that_is_stored_and_then_hangs_makes_one_work_order(plant: Plant) -> None:
    plant.control("faults", {"kind": "store_then_hang", "match": {"call": "batch_create"}})
    sink = plant.sink(timeout_s=1)
    assert sink.write([wanted()]) == []
    sink.close()

    assert len(plant.writes()) == 1


@pytest.mark.parametrize("kind", ["store_then_drop", "store_then_502", "drop_connection", "bad_gateway"])
@pytest.mark.parametrize("call", ["batch_create", "update"])
def test_a_write_whose_answer_is_lost_happens_once(plant: Plant, sink: Sink, kind: str, call: str) -> None:
    if call == "update":
        sink.write([wanted()])
    before = len(plant.writes())
    plant.control("faults", {"kind": kind, "match": {"call": call}})
    assert sink.write([wanted(version=2, quantity=Decimal(9))]) == []

    assert len(plant.writes()) == before + 1


def test_a_lock_or_a_throttle_makes_the_whole_batch_wait(plant: Plant, sink: Sink) -> None:
    plant.control("faults", {"kind": "lock"})
    with pytest.raises(TransientError):
        sink.write([wanted()])

    assert sink.write([wanted()]) == []


def test_a_record_that_was_there_and_is_deleted_asks_and_is_not_made_over_what_people_reported(
    plant: Plant, sink: Sink
) -> None:
    assert sink.write([wanted()]) == []
    found = {"match": {"job_order_id": "crm:1/1"}}
    plant.control("person/delete", found)
    before = len(plant.writes())
    (rejection,) = sink.write([wanted(version=2)])
    assert "was here and is gone" in str(rejection.error)
    assert sink.write([wanted(version=3, state="cancelled")]) == []
    assert len(plant.writes()) == before


def test_what_another_sink_made_and_people_began_since_the_look_up_of_the_batch_is_not_overwritten(
    plant: Plant, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind: Any = type(sink)
    other, looked_up = plant.sink(), kind._look_up
    other.open()
    rows = [{"operation": "cut", "good": 3}]

    def and_meanwhile(self: Any, ids: Any) -> Any:
        found = looked_up(self, ids)
        if self is sink:
            monkeypatch.setattr(kind, "_look_up", looked_up)
            other.write([wanted()])
            plant.control("person/update", {"match": {"job_order_id": "crm:1/1"}, "data": {"operations": rows}})
        return found

    monkeypatch.setattr(kind, "_look_up", and_meanwhile)
    assert sink.write([wanted(2), wanted(version=2)]) == []
    other.close()
    last = plant.writes()[-1]["records"][0]
    assert [row["good"] for row in last["operations"]] == [3]
    assert last["bus_version"] == f"{2:020d}"


def test_two_records_with_our_key_are_named_and_left_alone(plant: Plant, sink: Sink) -> None:
    data = {"job_order_id": "crm:1/1", "item": "P-1", "quantity": 1, "state": "released"}
    ids = [plant.control("person/create", {"data": data})["data"]["_id"] for _ in range(2)]
    (rejection,) = sink.write([wanted()])

    assert all(data_id in str(rejection.error) for data_id in ids)
    assert "delete all but one" in str(rejection.error)


def test_a_person_who_starts_the_order_is_not_overruled(plant: Plant, sink: Sink) -> None:
    sink.write([wanted()])
    rows = [{"operation": "cut", "good": 3}]
    plant.control(
        "person/update", {"match": {"job_order_id": "crm:1/1"}, "data": {"state": "running", "operations": rows}}
    )
    sink.write([wanted(version=2, quantity=Decimal(8)), wanted(version=3, state="cancelled")])

    last = plant.writes()[-1]["records"][0]
    assert (last["state"], last["quantity"]) == ("cancel_requested", 5.5)
    assert last["operations"][0]["good"] == 3


def test_an_order_made_within_the_hour_and_deleted_by_a_person_is_not_made_again(plant: Plant, sink: Sink) -> None:
    sink.write([wanted()])
    plant.control("person/delete", {"match": {"job_order_id": "crm:1/1"}})
    (rejection,) = sink.write([wanted(version=2)])

    assert "was here and is gone" in str(rejection.error)


def test_a_wrong_key_and_a_hidden_field_stop_the_start(plant: Plant) -> None:
    sink = plant.sink(api_key="wrong")
    with pytest.raises(AuthError):
        sink.open()
    sink.close()
    plant.control("faults", {"kind": "hidden_field", "arguments": {"name": "bus_version"}})
    hidden = plant.sink()
    with pytest.raises(ConfigError, match="no field with the alias 'bus_version'"):
        hidden.open()
    hidden.close()


def test_a_sweep_finds_what_was_not_pushed(plant: Plant, sink: Sink, source: Source) -> None:
    sink.write([wanted(1), wanted(2)])
    source.open(None)
    first = swept(source)
    plant.control("person/update", {"bulk": True, "match": {"job_order_id": "crm:1/2"}, "data": {"state": "running"}})
    (changed,) = swept(source)

    assert len(first) == 2
    assert (changed.fields["job_order_id"], changed.fields["state"]) == ("crm:1/2", "running")
    assert changed.revision > first[1].revision


def test_a_deleted_record_is_reported_once_with_its_last_fields(plant: Plant, sink: Sink, source: Source) -> None:
    sink.write([wanted(1), wanted(2)])
    source.open(None)
    before = swept(source)
    plant.control("person/delete", {"bulk": True, "match": {"job_order_id": "crm:1/1"}})
    found = [document for _ in range(3) for document in swept(source)]

    (gone,) = found
    assert (gone.deleted, gone.fields["job_order_id"]) == (True, "crm:1/1")
    assert gone.revision > before[0].revision


def test_a_sweep_goes_on_where_it_stood_and_loses_nothing(plant: Plant, source: Source) -> None:
    rows = [{"job_order_id": {"value": f"crm:1/{number:03d}"}} for number in range(250)]
    config = plant.stand_in.config
    headers = {"Authorization": f"Bearer {config['api_key']}"}
    for start in range(0, 250, 100):
        body = {"app_id": config["app_id"], "entry_id": config["entry_id"], "data_list": rows[start : start + 100]}
        url = f"{config['base_url']}/v5/app/entry/data/batch_create"
        assert plant.http.post(url, json=body, headers=headers).status_code == 200
    source.open(None)
    first = source.poll(5)
    assert first is not None
    second = plant.source()
    second.open(first.position)
    batches = [first, *(batch for _ in range(2) if (batch := second.poll(5)))]
    second.close()

    assert [len(batch.documents) for batch in batches] == [100, 100, 50]
    assert [batch.complete for batch in batches] == [False, False, True]
    assert len({document.id for batch in batches for document in batch.documents}) == 250


def test_a_change_made_while_a_sweep_runs_is_not_lost_over_a_restart(
    plant: Plant, sink: Sink, source: Source
) -> None:
    """What changes behind the cursor is stamped later than what the sweep began with, so the next one finds it."""
    sink.write([wanted(1), wanted(2)])
    source.open(None)
    batch = source.poll(5)
    assert batch is not None
    plant.control("person/update", {"match": {"job_order_id": "crm:1/1"}, "data": {"state": "running"}})
    second = plant.source()
    second.open(batch.position)
    states = {document.fields["job_order_id"]: document.fields["state"] for document in swept(second)}
    second.close()

    assert states["crm:1/1"] == "running"


def test_a_waiting_poll_ends_when_the_source_is_closed(plant: Plant) -> None:
    assert connector.source is not None
    source = connector.source(plant.config(sweep_interval_s=3600))
    source.open(None)
    source.poll(0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(source.poll, 3600)
        source.close()
        assert waiting.result(timeout=60) is None


def test_a_position_of_something_else_is_refused(source: Source) -> None:
    with pytest.raises(PositionRefused, match="no position of a JianDaoYun source"):
        source.open({"replay_id": "x"})


def test_a_pushed_document_is_the_fetched_one(plant: Plant, source: Source, tmp_path: Path) -> None:
    arrived: queue.Queue[Pushed] = queue.Queue()

    async def take(request: HttpRequest) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.body()
        arrived.put(Pushed(request.method, request.url.path, dict(request.query_params), headers, body))
        return Response("success")

    certificates = issue(tmp_path / "ours")
    port = kept_port(tmp_path / "ours", "ingress")
    ingress = Served(Starlette(routes=[Route("/push", take, methods=["POST"])]), port, certificates)
    ingress.start()
    plant.control("push", {"url": f"{ingress.address}/push", "keys": "widget", "ca_file": str(certificates.ca)})
    rows = [{"operation": "cut", "good": 3, "started": "2026-06-01T00:00:00Z"}]
    data = {"job_order_id": "X", "item": "泵", "quantity": 1, "state": "released", "operations": rows}
    plant.control("person/create", {"data": data})
    assert connector.webhook is not None
    pushed = connector.webhook(plant.config()).receive(arrived.get(timeout=60))
    ingress.stop()
    source.open(None)

    assert list(pushed) == swept(source)


def test_the_stand_in_keeps_its_records_secrets_and_addresses_over_a_restart(plant: Plant, sink: Sink) -> None:
    sink.write([wanted()])
    plant.simulator.stop()
    again = plant.simulator.start()
    assert again == plant.stand_in
    fresh = plant.sink()
    assert fresh.write([wanted()]) == []
    fresh.close()

    assert len(plant.writes()) == 1


def test_a_push_that_was_not_taken_before_a_restart_is_sent_after_it(plant: Plant) -> None:
    plant.control("push", {"url": "http://127.0.0.1:9/nobody"})
    plant.control("person/create", {"data": {"job_order_id": "X", "item": "P", "quantity": 1, "state": "released"}})
    plant.simulator.stop()
    plant.simulator.start()

    assert plant.http.get(f"{plant.stand_in.control}/push").json() == {"waiting": 1}


def test_the_stand_in_leaves_no_thread_behind(plant: Plant) -> None:
    plant.simulator.stop()

    names = {thread.name for thread in threading.enumerate()}
    assert not {name for name in names if name.startswith(("stand-in", "jiandaoyun"))}
