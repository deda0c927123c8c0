"""The served parts of the kit, over real sockets with TLS."""

import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from connectors.errors import ConfigError
from connectors.testing import Dropped, Faults, Holds, Ledger, Served, control_routes, issue, kept_port


@dataclass
class Bench:
    served: Served
    client: httpx.Client
    faults: Faults
    ledger: Ledger
    holds: Holds


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    faults, ledger, holds = Faults(), Ledger(tmp_path / "ledger.jsonl"), Holds()
    certificates = issue(tmp_path)

    async def held(request: Request) -> Response:
        await request.body()
        return PlainTextResponse("released" if await holds.hold(request) else "gone")

    async def dropped(request: Request) -> Response:
        return Dropped()

    routes = [
        Route("/held", held),
        Route("/dropped", dropped),
        control_routes(faults, ledger, holds, {"lock", "throttle"}),
    ]
    served = Served(Starlette(routes=routes), kept_port(tmp_path, "api"), certificates)
    served.start()
    trust = ssl.create_default_context(cafile=str(certificates.ca))
    with httpx.Client(base_url=served.address, verify=trust) as client:
        yield Bench(served, client, faults, ledger, holds)
    served.stop()
    ledger.close()


def until_held(bench: Bench) -> None:
    while bench.client.get("/_control/faults").json()["held"] == 0:
        pass


def test_it_answers_over_tls_that_its_own_authority_signed(bench: Bench) -> None:
    assert bench.client.get("/_control/ledger").json() == {"entries": []}


def test_no_thread_is_left_after_the_stop_and_a_second_stop_is_harmless(bench: Bench) -> None:
    bench.served.stop()
    bench.served.stop()

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("stand-in-")]


def test_it_starts_again_on_the_same_address(bench: Bench) -> None:
    bench.served.stop()
    bench.served.start()

    assert bench.client.get("/_control/ledger").status_code == 200


def test_a_taken_port_is_a_configuration_error(bench: Bench, tmp_path: Path) -> None:
    port = int(bench.served.address.rsplit(":", 1)[1])
    with pytest.raises(ConfigError, match=f"port {port}"):
        Served(Starlette(), port, issue(tmp_path)).start()


def test_faults_are_scripted_over_the_control_endpoint(bench: Bench) -> None:
    script = [
        {"kind": "lock", "times": 2, "match": {"path": "/x"}},
        {"kind": "throttle", "arguments": {"code": 8303}},
    ]

    assert bench.client.post("/_control/faults", json=script).json() == {"added": 2}
    assert bench.faults.take("lock", path="/x") is not None
    shown = bench.client.get("/_control/faults").json()["pending"]
    assert [(fault["kind"], fault["times"]) for fault in shown] == [("lock", 1), ("throttle", 1)]
    bench.client.delete("/_control/faults")
    assert bench.faults.pending() == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"kind":"flood"}', 'no fault "flood"; there are lock, throttle'),
        ('{"kind":"lock","times":0}', "times of lock is a whole number from 1, not 0"),
        ('{"kind":"lock","match":[]}', "match of a fault is an object, not []"),
        ('{"kind":"lock","often":1}', "a fault is an object of kind, times, match and arguments"),
        ("[1]", "a fault is an object of kind, times, match and arguments, not 1"),
        ("{", "Expecting"),
    ],
)
def test_a_wrong_fault_is_refused_with_its_reason(bench: Bench, body: str, message: str) -> None:
    answer = bench.client.post("/_control/faults", content=body)

    assert answer.status_code == 400
    assert message in answer.json()["error"]


def test_the_ledger_is_read_by_kind(bench: Bench) -> None:
    bench.ledger.record("write", id="a")
    bench.ledger.record("request", path="/x")

    entries = bench.client.get("/_control/ledger", params={"kind": "write"}).json()["entries"]
    assert [entry["id"] for entry in entries] == ["a"]


@pytest.mark.parametrize(("method", "path"), [("POST", "/_control/release"), ("DELETE", "/_control/faults")])
def test_a_held_answer_goes_out_when_it_is_released(bench: Bench, method: str, path: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(bench.client.get, "/held")
        until_held(bench)
        bench.client.request(method, path)

        assert answer.result().text == "released"


def test_a_held_answer_ends_when_its_client_gives_up(bench: Bench) -> None:
    with pytest.raises(httpx.ReadTimeout):
        bench.client.get("/held", timeout=0.2)
    while bench.holds.waiting:
        bench.client.get("/_control/faults")

    assert bench.holds.waiting == 0


def test_a_held_answer_does_not_keep_the_server_from_stopping(bench: Bench) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(bench.client.get, "/held")
        until_held(bench)
        bench.served.stop()

        assert answer.exception() is not None or not answer.result().is_success


def test_a_dropped_answer_is_a_broken_connection_to_its_client(bench: Bench) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        bench.client.get("/dropped")
