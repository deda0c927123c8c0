"""The stand-in of JianDaoYun against the rows of its contract, over real sockets; the connector has no part in it."""

import hashlib
import http.server
import json
import queue
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import yaml

from connectors.contract import StandIn
from connectors.jiandaoyun.simulator import Simulator
from connectors.jiandaoyun.simulator.api import RATES
from connectors.jiandaoyun.simulator.form import build
from connectors.jiandaoyun.simulator.limits import Limits
from connectors.jiandaoyun.simulator.refusal import Refusal
from connectors.jiandaoyun.simulator.transactions import Transactions
from connectors.testing import RecordStore

CONTRACT = yaml.safe_load(Path(__file__).with_name("jiandaoyun.yaml").read_text(encoding="utf-8"))
ROWS = [row for row in CONTRACT["rows"] if "simulator" in row]
CODES = [code for entry in CONTRACT["codes"].values() for code in entry["codes"]]
DATA = "/v5/app/entry/data"
SECRET = "s3cr3t"
GOOD = {"job_order_id": "X", "item": "P-1", "quantity": 1, "state": "released"}

Json = dict[str, Any]


@dataclass(frozen=True)
class Pushed:
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def signed(self, secret: str) -> str:
        parts = [self.query["nonce"].encode(), self.body, secret.encode(), self.query["timestamp"].encode()]
        return hashlib.sha1(b":".join(parts)).hexdigest()


class Receiver:
    """Our side of the push: takes it, or refuses it with the statuses in `replies`."""

    def __init__(self) -> None:
        self.taken: queue.Queue[Pushed] = queue.Queue()
        self.replies: queue.Queue[int] = queue.Queue()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                status = 200
                with suppress(queue.Empty):
                    status = receiver.replies.get_nowait()
                self.send_response(status)
                self.end_headers()
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.taken.put(Pushed(query, headers, body))

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/push"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def next(self) -> Pushed:
        return self.taken.get(timeout=60)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@dataclass
class Bench:
    folder: Path
    stand_in: StandIn
    http: httpx.Client
    receiver: Receiver
    saved: dict[str, Any] = field(default_factory=dict)

    def post(self, path: str, body: Json | None = None, key: str = "", method: str = "POST") -> httpx.Response:
        config = self.stand_in.config
        whole = {"app_id": config["app_id"], "entry_id": config["entry_id"], **(body or {})}
        headers = {"Authorization": f"Bearer {key or config['api_key']}"}
        return self.http.request(method, f"{config['base_url']}{path}", json=whole, headers=headers)

    def data(self, call: str, **body: Any) -> Json:
        answer = self.post(f"{DATA}/{call}", body)
        assert answer.status_code == 200, answer.text
        result: Json = answer.json()
        return result

    def control(self, path: str, body: Any) -> httpx.Response:
        return self.http.post(f"{self.stand_in.control}/{path}", json=body)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    simulator = Simulator(tmp_path)
    receiver = Receiver()
    stand_in = simulator.start()
    trust = ssl.create_default_context(cafile=str(stand_in.ca_file))
    with httpx.Client(verify=trust, timeout=60) as client:
        bench = Bench(tmp_path, stand_in, client, receiver)
        bench.saved |= {"APP": stand_in.config["app_id"], "FORM": stand_in.config["entry_id"]}
        bench.control("push", {"url": receiver.url, "secret": SECRET})
        bench.control("limits", {"enforced": False})
        yield bench
    simulator.stop()
    receiver.close()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['section']} {row['rule']}")
def test_the_stand_in_keeps_the_row(row: Json, bench: Bench) -> None:
    ((kind, given),) = row["simulator"].items()
    KINDS[kind](bench, given)


@pytest.mark.parametrize("code", CODES)
def test_every_code_of_section_5_can_be_scripted_as_an_http_400(code: int, bench: Bench) -> None:
    bench.control("faults", {"kind": "error", "arguments": {"code": code}})
    answer = bench.post(f"{DATA}/list")

    assert (answer.status_code, answer.json()["code"]) == (400, code)


def run_steps(bench: Bench, steps: list[Json]) -> None:
    for step in steps:
        (run,) = (run for name, run in STEPS.items() if name in step)
        run(bench, filled(step, bench.saved))


def step_api(bench: Bench, step: Json) -> None:
    path = step.get("path") or f"/v5/app/entry/{step['api']}"
    if step.get("broken"):
        with pytest.raises(httpx.TransportError):
            bench.post(path, step.get("body"))
        return
    answer = bench.post(path, step.get("body"), step.get("key", ""), step.get("method", "POST"))
    assert answer.status_code == step.get("status", 200), answer.text
    found = answer.json() if answer.headers["content-type"] == "application/json" else {}
    check_answer(found, step)
    bench.saved |= {name: at(found, place) for name, place in step.get("save", {}).items()}


def check_answer(found: Json, step: Json) -> None:
    assert includes(found, step.get("answer", {})), found
    assert found.get("code") == step.get("code")
    assert "count" not in step or len(found["data"]) == step["count"]
    assert "has" not in step or found[step["has"]]
    for place in step.get("lacks", []):
        inner, _, name = place.rpartition(".")
        assert name not in at(found, inner)
    if "first_widget" in step:
        assert found["widgets"][0] == step["first_widget"]
        last = found["widgets"][-1]
        assert {"name": last["name"], "type": last["type"], "first_item": last["items"][0]["name"]} == step["subform"]


def step_person(bench: Bench, step: Json) -> None:
    answer = bench.control(f"person/{step['person']}", step["body"])
    if "error" in step:
        assert answer.status_code == 400
        assert step["error"] in answer.json()["error"]
        return
    assert answer.status_code == 200, answer.text
    bench.saved |= {name: at(answer.json(), place) for name, place in step.get("save", {}).items()}


def step_fault(bench: Bench, step: Json) -> None:
    assert bench.control("faults", step["fault"]).status_code == 200


def step_push(bench: Bench, step: Json) -> None:
    pushed = bench.receiver.next()
    assert pushed.headers["x-jdy-signature"] == pushed.signed(SECRET)
    assert includes(json.loads(pushed.body), step["push"]), pushed.body


def step_keys(bench: Bench, step: Json) -> None:
    bench.control("push", {"url": bench.receiver.url, "secret": SECRET, "keys": step["keys"]})


STEPS: Mapping[str, Callable[[Bench, Json], None]] = {
    "api": step_api,
    "path": step_api,
    "person": step_person,
    "fault": step_fault,
    "push": step_push,
    "keys": step_keys,
}


def run_filter(bench: Bench, given: Json) -> None:
    records = {
        "A": {"quantity": 1, "due": "2026-06-01T00:00:00.000Z"},
        "B": {"quantity": 5, "due": "2026-05-01T00:00:00.000Z"},
        "AB": {"quantity": 10, "due": "2026-07-01T00:00:00.000Z"},
        "C": {},
    }
    for key, values in records.items():
        wrapped = {name: {"value": value} for name, value in {"job_order_id": key, **values}.items()}
        bench.data("create", data=wrapped)
    condition = {name: given[name] for name in ("field", "method", "value") if name in given}
    answer = bench.post(f"{DATA}/list", {"filter": {"rel": "and", "cond": [condition]}})
    if "code" in given:
        assert (answer.status_code, answer.json()["code"]) == (400, given["code"])
    else:
        assert sorted(record["job_order_id"] for record in answer.json()["data"]) == given["finds"]


def run_paces(bench: Bench, given: tuple[str, int]) -> None:
    path, rate = given
    stand_still = Limits(enforced=True, clock=lambda: 0.0)
    codes = [stand_still.refusal(path, RATES[path]) for _ in range(rate + 1)]

    assert codes == [None] * rate + [8304]
    assert bench.post(path, {"data_id": "x", "data_ids": [], "data_list": [], "data": {}}).status_code in (200, 400)


def company_limit(bench: Bench) -> None:
    now = [0.0]
    limits = Limits(enforced=True, clock=lambda: now[0])
    codes = [limits.refusal(f"/{number % 5}", 30) for number in range(51)]
    now[0] = 1.0

    assert codes == [None] * 50 + [8303]
    assert limits.refusal("/0", 30) is None


def limits_over_http(bench: Bench) -> None:
    """However slow the machine: among 200 calls some second holds more than 10, or every call took 0.1 s."""
    bench.control("limits", {"enforced": True})
    started = time.monotonic()
    answers = [bench.post(f"{DATA}/batch_delete", {"data_ids": []}) for _ in range(60)]
    too_slow = time.monotonic() - started >= 6.0

    refused = [answer for answer in answers if answer.status_code == 400]
    assert {answer.json()["code"] for answer in refused} == {8304} or (too_slow and not refused)


def base_address(bench: Bench) -> None:
    base = str(bench.stand_in.config["base_url"])
    assert base.startswith("https://")
    assert base.endswith("/api")


def pages(bench: Bench) -> None:
    ids = [bench.data("create", data={"item": {"value": f"P-{number}"}})["data"]["_id"] for number in range(7)]
    seen: list[str] = []
    lengths: list[int] = []
    while not lengths or lengths[-1] == 3:
        page = bench.data("list", limit=3, data_id=seen[-1] if seen else "")["data"]
        lengths.append(len(page))
        seen += [record["_id"] for record in page]

    assert (seen, lengths) == (sorted(ids), [3, 3, 1])


def thousand_values(bench: Bench) -> None:
    for count, status in ((1000, 200), (1001, 400)):
        condition = {"field": "item", "method": "in", "value": [str(number) for number in range(count)]}
        assert bench.post(f"{DATA}/list", {"filter": {"rel": "and", "cond": [condition]}}).status_code == status


def subform_replaced(bench: Bench) -> None:
    rows = [{"operation": {"value": "cut"}}, {"operation": {"value": "weld"}}]
    made = bench.data("create", data={"operations": {"value": rows}})["data"]
    cut = made["operations"][0]["_id"]
    kept = [{"_id": {"value": cut}, "operation": {"value": "cut"}, "good": {"value": 3}}, rows[1]]
    after = bench.data("update", data_id=made["_id"], data={"operations": {"value": kept}})["data"]["operations"]
    left = bench.data("update", data_id=made["_id"], data={"operations": {"value": rows[:1]}})["data"]["operations"]

    assert [row["operation"] for row in after] == ["cut", "weld"]
    assert after[0]["_id"] == cut
    assert after[1]["_id"] != made["operations"][1]["_id"]
    assert [row["operation"] for row in left] == ["cut"]
    assert left[0]["good"] is None


def transaction_hour(bench: Bench) -> None:
    now = [0]
    store = RecordStore(bench.folder / "transactions.db")
    transactions = Transactions(store, lambda: now[0])
    transactions.keep("t", 1, ["a"])
    now[0] = 3_599_999
    within = transactions.ids("t", 1)
    with pytest.raises(Refusal):
        transactions.ids("t", 2)
    now[0] = 3_600_000
    after = transactions.ids("t", 1)
    store.close()

    assert (within, after) == (["a"], [])


def batches_over_100(bench: Bench) -> None:
    ids = [str(number) for number in range(101)]
    refused = {
        "batch_create": bench.post(f"{DATA}/batch_create", {"data_list": [{}] * 101}),
        "batch_update": bench.post(f"{DATA}/batch_update", {"data_ids": ids, "data": {}}),
        "batch_delete": bench.post(f"{DATA}/batch_delete", {"data_ids": ids}),
    }

    codes = {call: answer.json()["code"] for call, answer in refused.items()}
    assert codes == {"batch_create": 17024, "batch_update": 17023, "batch_delete": 17033}
    assert bench.data("batch_create", data_list=[{}] * 100)["success_count"] == 100


def signature(bench: Bench) -> None:
    body = b'{"op":"data_update","data":{"_id":"65f0c0ffee","appId":"a1","entryId":"e1","_widget_1":"SO-1001"}}'
    vector = Pushed({"nonce": "n0nce", "timestamp": "1718150400"}, {}, body)
    assert vector.signed("s3cr3t") == "53a9a44de69b208fa86e91baaf4d369da7800455"
    bench.control("person/create", {"data": GOOD})
    pushed = bench.receiver.next()

    assert pushed.headers["x-jdy-signature"] == pushed.signed(SECRET)
    assert pushed.headers["content-type"] == "application/json"


def compact_body(bench: Bench) -> None:
    bench.control("person/create", {"data": {**GOOD, "item": "泵 体"}})
    body = bench.receiver.next().body

    assert body.decode() == json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":"))
    assert "泵 体".encode() in body


def duplicate_push(bench: Bench) -> None:
    bench.control("faults", {"kind": "duplicate_webhook"})
    bench.control("person/create", {"data": GOOD})
    first, second = bench.receiver.next(), bench.receiver.next()

    assert first.headers["x-jdy-deliverid"] == second.headers["x-jdy-deliverid"]
    assert first.body == second.body


def push_again(bench: Bench) -> None:
    bench.receiver.replies.put(500)
    bench.control("person/create", {"data": GOOD})
    refused, taken = bench.receiver.next(), bench.receiver.next()
    bench.control("person/update", {"match": {"job_order_id": "X"}, "data": {"state": "running"}})

    assert refused.headers["x-jdy-deliverid"] == taken.headers["x-jdy-deliverid"]
    assert bench.receiver.next().headers["x-jdy-deliverid"] != taken.headers["x-jdy-deliverid"]


def stamps_in_utc(bench: Bench) -> None:
    record = bench.data("create", data={})["data"]

    assert record["createTime"] == record["updateTime"]
    assert len(record["createTime"]) == len("2026-05-01T08:00:00.000Z")
    assert record["createTime"].endswith("Z")


PROOFS: Mapping[str, Callable[[Bench], None]] = {
    proof.__name__: proof
    for proof in (
        base_address,
        company_limit,
        limits_over_http,
        pages,
        thousand_values,
        subform_replaced,
        transaction_hour,
        batches_over_100,
        signature,
        compact_body,
        duplicate_push,
        push_again,
        stamps_in_utc,
    )
}

KINDS: Mapping[str, Callable[[Bench, Any], None]] = {
    "steps": run_steps,
    "filter": run_filter,
    "paces": run_paces,
    "proves": lambda bench, name: PROOFS[name](bench),
}


def filled(value: Any, saved: Json) -> Any:
    """`$NAME` replaced by what an earlier step saved."""
    if isinstance(value, dict):
        return {name: filled(inner, saved) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, saved) for inner in value]
    return saved.get(value[1:], value) if isinstance(value, str) and value.startswith("$") else value


def includes(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            name in found and includes(found[name], inner) for name, inner in wanted.items()
        )
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(includes(*pair) for pair in zip(found, wanted, strict=True))
    return bool(found == wanted)


def at(value: Any, place: str) -> Any:
    for name in place.split("."):
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def test_every_proof_is_named_by_a_row() -> None:
    named = {row["simulator"]["proves"] for row in ROWS if "proves" in row["simulator"]}

    assert named == PROOFS.keys()


def test_the_form_is_the_one_of_the_issue() -> None:
    operations = build()[-1]

    assert [widget.name for widget in build()] == [
        *("job_order_id", "bus_version", "item", "quantity", "unit", "due", "priority", "state", "operations")
    ]
    assert [item.name for item in operations.items] == [
        *("operation", "machine", "good", "scrap", "rework", "started", "ended")
    ]
