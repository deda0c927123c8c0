"""The connector of JianDaoYun against the rows of its contract, on canned answers; the stand-in has no part in it."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from pydantic import ValidationError

from connectors import errors
from connectors.contract import Request
from connectors.errors import AuthError, ConfigError, DataError, TransientError, UnknownOutcome
from connectors.http import Effect
from connectors.jiandaoyun import JianDaoYunConfig, connector, form
from connectors.jiandaoyun.answers import ANSWERS, CODES, QuotaUsedUp, read
from connectors.jiandaoyun.client import Client
from connectors.jiandaoyun.documents import Reader, documents
from connectors.jiandaoyun.limits import ENDPOINTS
from connectors.jiandaoyun.names import FieldNames
from connectors.jiandaoyun.sink import JianDaoYunSink
from connectors.jiandaoyun.source import JianDaoYunSource
from connectors.jiandaoyun.webhook import JianDaoYunWebhook, signature
from connectors.pace import Pace
from schemas.document import Document, Kind, from_json

CONTRACT = yaml.safe_load(Path(__file__).with_name("jiandaoyun.yaml").read_text(encoding="utf-8"))
ROWS = [row for row in CONTRACT["rows"] if "connector" in row]
CODE_ROWS = [(code, entry["error"]) for entry in CONTRACT["codes"].values() for code in entry["codes"]]
ERRORS: Mapping[str, type[errors.FarError]] = {
    **{name: kind for name, kind in vars(errors).items() if isinstance(kind, type)},
    "QuotaUsedUp": QuotaUsedUp,
}
DATA = "/v5/app/entry/data"
NOW = 1_718_150_400
STAMP = "2026-05-01T08:00:00.000Z"

Json = dict[str, Any]
Answer = Json | httpx.Response | Exception


@dataclass
class Canned:
    """The far system as a list of answers by path; the last one of a path is given for ever."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[tuple[str, Json]] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)

    def says(self, call: str, *answers: Answer) -> None:
        self.answers[call] = list(answers)

    def calls(self, call: str) -> list[Json]:
        return [body for path, body in self.asked if path.endswith(f"/{call}")]

    def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api")
        self.requests.append(request)
        self.asked.append((path, json.loads(request.content, parse_float=Decimal)))
        queue = self.answers[path.rpartition("/")[2]]
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


@dataclass(frozen=True)
class Bench:
    config: JianDaoYunConfig
    far: Canned

    def client(self) -> Client:
        pace = Pace(50, ENDPOINTS, clock=Ticks(), sleep=lambda _: None)
        return Client(self.config, httpx.MockTransport(self.far.handle), pace)

    def sink(self) -> JianDaoYunSink:
        return JianDaoYunSink(self.client(), Reader(8))

    def source(self) -> JianDaoYunSource:
        source = JianDaoYunSource(self.client(), Reader(8), "a1/e1", interval_s=0.0, clock=Ticks())
        self.far.says("list", {"widgets": whole_form()})
        return source

    def webhook(self) -> JianDaoYunWebhook:
        return JianDaoYunWebhook(self.client, Reader(8), "s3cr3t", ("a1", "e1"), now=lambda: NOW)


class Ticks:
    """A clock that goes a second at every look, so that nobody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    secret = tmp_path / "secret"
    secret.write_text("k3y")
    reference = f"${{file:{secret}}}"
    config = JianDaoYunConfig.model_validate(
        {"api_key": reference, "webhook_secret": reference, "app_id": "a1", "entry_id": "e1"}
    )
    yield Bench(config, Canned())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['section']} {row['rule']}")
def test_the_connector_keeps_the_row(row: Json, bench: Bench) -> None:
    ((kind, given),) = row["connector"].items()
    KINDS[kind](bench, given)


@pytest.mark.parametrize(("code", "error"), CODE_ROWS)
def test_every_code_of_section_5_means_what_its_class_says(code: int, error: str) -> None:
    response = httpx.Response(400, json={"code": code, "msg": "x"}, request=httpx.Request("POST", "https://far/p"))
    effects: tuple[Effect, Effect] = ("reads", "writes")
    for effect in effects:
        with pytest.raises(errors.FarError, match=f"code {code} x") as caught:
            read(response, effect)
        assert type(caught.value) is ERRORS[error]


def test_the_table_of_codes_is_the_connectors_table() -> None:
    listed = {str(code) for name, entry in CONTRACT["codes"].items() if name != "workflow" for code in entry["codes"]}

    assert listed == CODES.keys()


@pytest.mark.parametrize("section", range(1, 9))
def test_every_section_of_the_contract_has_rows(section: int) -> None:
    assert [row for row in CONTRACT["rows"] if row["section"] == section]


def test_every_row_holds_at_least_one_side_to_one_rule() -> None:
    assert all("connector" in row or "simulator" in row for row in CONTRACT["rows"])
    names = [(row["section"], row["rule"]) for row in CONTRACT["rows"]]
    assert len(names) == len(set(names))


def test_every_proof_is_named_by_a_row() -> None:
    named = {row["connector"]["proves"] for row in ROWS if "proves" in row["connector"]}

    assert named == PROOFS.keys()


CALLS: Mapping[str, Callable[[Client], Any]] = {
    "widgets": lambda client: client.widgets(),
    "names": lambda client: sorted(form.by_alias(client.widgets()["widgets"])),
    "by_text": lambda client: [record["_id"] for record in client.by_text("order_no", ["SO-1001"])],
    "by_texts": lambda client: list(client.by_text("order_no", ["SO-1", "SO-2"])),
    "record": lambda client: client.record("65f0"),
    "update": lambda client: client.update("65f0", {"qty": 5}),
    "create": lambda client: client.create({"order_no": "SO-1001"}, "0f3c-uuid"),
}


def run_sends(bench: Bench, given: Json) -> None:
    bench.far.says(
        given["path"].rpartition("/")[2], httpx.Response(given.get("status", 200), json=given.get("answer", {}))
    )
    result = CALLS[given["call"]](bench.client())
    (request,) = bench.far.requests

    assert request.method == "POST"
    assert str(request.url) == f"https://api.jiandaoyun.com/api{given['path']}"
    assert request.headers["authorization"] == "Bearer k3y"
    assert request.headers["content-type"] == "application/json"
    assert "body" not in given or bench.far.asked[0][1] == given["body"]
    assert "gives" not in given or result == given["gives"]


def run_means(bench: Bench, given: Json) -> None:
    content = json.dumps(given["body"]) if "body" in given else given["text"]
    request, headers = httpx.Request("POST", "https://far/p"), given.get("headers", {})
    response = httpx.Response(given["status"], text=content, headers=headers, request=request)
    for effect in ("reads", "writes"):
        with pytest.raises(errors.FarError) as caught:
            read(response, "reads" if effect == "reads" else "writes")
        assert type(caught.value) is ERRORS[given[effect]]
        if "retry_after_s" in given:
            assert getattr(caught.value, "retry_after_s", None) == given["retry_after_s"]


def run_paces(bench: Bench, given: tuple[str, int]) -> None:
    """`rate` calls go at once, the next one a good second after the first."""
    path, rate = given
    time = Waiting()
    pace = Pace(50, ENDPOINTS, time, time.sleep)
    for _ in range(rate):
        pace.wait(path)
    assert time.now == 0.0
    pace.wait(path)
    assert 1.0 <= time.now <= 1.2  # never sooner than the vendor allows, and hardly later
    assert len(ENDPOINTS) == 12


class Waiting:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def run_pushed(bench: Bench, given: Json) -> None:
    known = {"_id": "65f0", "appId": "a1", "entryId": "e1", "updateTime": STAMP}
    body = json.dumps({"op": given["op"], "data": {**known, **given["data"]}}).encode()
    got = bench.webhook().receive(push(body))
    if given["gives"] is None:
        assert got == []
        return
    (document,) = got
    wanted = dict(given["gives"])
    assert document.deleted is wanted.pop("deleted", False)
    assert document.id == "65f0"
    for place, value in wanted.items():
        assert str(at(document.fields, place)) == value


def run_signs(bench: Bench, given: Json) -> None:
    made = signature(given["nonce"], given["body"].encode(), given["secret"], given["timestamp"])

    assert made == given["signature"]


def push(body: bytes, delivery: str = "d1", age_s: int = 0, secret: str = "s3cr3t") -> Request:
    timestamp = str(NOW - age_s)
    headers = {"x-jdy-deliverid": delivery, "x-jdy-signature": signature("n", body, secret, timestamp)}
    return Request("POST", "/push", {"timestamp": timestamp, "nonce": "n"}, headers, body)


def whole_form() -> list[Json]:
    types = {"date": "datetime"}
    return [
        {
            "name": one.alias,
            "widgetName": one.widget,
            "type": types.get(one.type, one.type),
            "items": [{"name": item.alias, "type": types.get(item.type, item.type)} for item in one.items],
        }
        for one in form.work_order().fields
    ]


def record(data_id: str = "65f0", **values: Any) -> Json:
    system = {"_id": data_id, "appId": "a1", "entryId": "e1", "createTime": STAMP, "updateTime": STAMP}
    return {**system, "job_order_id": "crm:1/1", "item": "P-1", "quantity": 5, "state": "released", **values}


def wanted(version: int = 7, key: str = "crm:1/1", **values: Any) -> Document:
    fields: dict[str, Any] = {
        "item": "P-1",
        "quantity": Decimal(5),
        "state": "released",
        "bus_version": f"{version:020d}",
    }
    return Document("work_order", key, "r", {**fields, **values})


CREATED: Json = {"status": "success", "success_count": 1, "success_ids": ["65f0"]}


def base_address(bench: Bench) -> None:
    assert bench.config.base_url == "https://api.jiandaoyun.com/api"
    for wrong in ("http://api.jiandaoyun.com/api", "https://api.jiandaoyun.com/api/"):
        with pytest.raises(ValidationError, match="base_url"):
            JianDaoYunConfig.model_validate({**bench.config.model_dump(), "base_url": wrong, "api_key": None})


def company_pace(bench: Bench) -> None:
    time = Waiting()
    pace = Pace(50, ENDPOINTS, time, time.sleep)
    paths = [path for path, rate in ENDPOINTS.items() if rate == 30]
    for number in range(50):
        pace.wait(paths[number % len(paths)])
    assert time.now == 0.0
    pace.wait(paths[0])
    assert 1.0 <= time.now <= 1.2  # never sooner than the vendor allows, and hardly later


def lost_alias(bench: Bench) -> None:
    widgets = whole_form()
    widgets[3]["name"] = widgets[3]["widgetName"]
    bench.far.says("list", {"widgets": widgets})
    with pytest.raises(ConfigError, match=r"no field with the alias 'quantity'.*_widget_1760000000004.*copied form"):
        bench.sink().open()
    rows = whole_form()
    rows[-1]["items"] = rows[-1]["items"][1:]
    bench.far.says("list", {"widgets": rows})
    with pytest.raises(ConfigError, match=r"no field with the alias 'operations\.operation'"):
        bench.sink().open()


def other_type(bench: Bench) -> None:
    widgets = whole_form()
    widgets[1]["type"] = "number"
    bench.far.says("list", {"widgets": widgets})
    with pytest.raises(ConfigError, match="'bus_version' is of type 'number', not 'text'"):
        bench.sink().open()


def names_after_form_update(bench: Bench) -> None:
    bench.far.says(
        "list",
        {"widgets": [{"name": "job_order_id", "widgetName": "_widget_9"}]},
        {"widgets": [{"name": "item", "widgetName": "_widget_9"}]},
    )
    names = FieldNames(bench.client)
    first = [names.by_alias({"_widget_9": "x"}), names.by_alias({"_widget_9": "x"})]
    names.forget()

    assert first == [{"job_order_id": "x"}] * 2
    assert names.by_alias({"_widget_9": "x"}) == {"item": "x"}
    assert len(bench.far.asked) == 2


def cursor(bench: Bench) -> None:
    first = [record(f"{number:04d}") for number in range(100)]
    bench.far.says("list", {"data": first}, {"data": [record("0100")]})
    found = list(bench.client().by_text("job_order_id", ["crm:1/1"]))

    assert len(found) == 101
    assert [body["data_id"] for body in bench.far.calls("list")] == ["", "0099"]


def keys_in_chunks(bench: Bench) -> None:
    bench.far.says("list", {"data": []})
    list(bench.client().by_text("job_order_id", [str(number) for number in range(250)]))

    assert [len(body["filter"]["cond"][0]["value"]) for body in bench.far.calls("list")] == [100, 100, 50]


def sweep_compares(bench: Bench) -> None:
    """Three sweeps: everything, nothing new, and the one record whose stamp and content changed."""
    later = record(state="running", updateTime="2026-05-01T09:00:00.000Z")
    source = bench.source()
    bench.far.says("list", {"widgets": whole_form()}, {"data": [record()]}, {"data": [record()]}, {"data": [later]})
    source.open(None)
    found = [batch.documents if batch else [] for batch in (source.poll(0) for _ in range(3))]

    assert [[document.fields["state"] for document in documents] for documents in found] == [
        ["released"],
        [],
        ["running"],
    ]


def system_fields(bench: Bench) -> None:
    (kind,) = documents(bench.config)
    by_name = {one.name: one for one in kind.fields}
    document = Reader(8).document(record(flowState=0, creator={"username": "x"}))

    assert [by_name[name].required for name in ("_id", "updateTime")] == [True, True]
    assert by_name["operations"].kind is Kind.LIST
    assert document.fields.keys() == by_name.keys() - {"known"}  # a sink is told that, no record has it
    assert (document.fields["_id"], document.fields["updateTime"]) == ("65f0", STAMP)


def subform_never_written(bench: Bench) -> None:
    rows = [{"_id": "r1", "operation": "cut", "good": 3}]
    stored = record(state="running", operations=rows)
    bench.far.says("list", {"data": [stored]})
    bench.far.says("get", {"data": stored})
    bench.far.says("update", {"data": {}})
    sink = bench.sink()
    assert sink.write([wanted(quantity=Decimal(6), operations=[])]) == []

    (body,) = bench.far.calls("update")
    assert body["data"].keys() == {"quantity", "bus_version"}


def partial_batch(bench: Bench) -> None:
    bench.far.says("list", {"data": []})
    none = {"status": "success", "success_count": 0, "success_ids": []}
    bench.far.says("batch_create", none)
    (rejection,) = bench.sink().write([wanted()])
    assert "accepted 0 of 1 records" in str(rejection.error)
    assert len(bench.far.calls("batch_create")) == 2
    bench.far.says("batch_create", none, CREATED)
    assert bench.sink().write([wanted()]) == []


def date_values(bench: Bench) -> None:
    bench.far.says("list", {"data": []})
    bench.far.says("batch_create", CREATED)
    bench.sink().write([wanted(due="2026-06-01")])
    (row,) = bench.far.calls("batch_create")[0]["data_list"]
    document = Reader(8).document(record(due=1_780_272_000_000))

    assert row["due"] == {"value": "2026-06-01T00:00:00.000Z"}
    assert (row["quantity"], row["item"]) == ({"value": 5}, {"value": "P-1"})
    assert document.fields["due"] == "2026-06-01"


def creates_by_batch(bench: Bench) -> None:
    bench.far.says("list", {"data": []})
    bench.far.says("batch_create", CREATED)
    bench.sink().write([wanted()])

    assert [path for path, _ in bench.far.asked] == [f"{DATA}/list", f"{DATA}/batch_create"]
    assert len(bench.far.calls("batch_create")[0]["data_list"]) == 1


def same_transaction_id(bench: Bench) -> None:
    bench.far.says("list", {"data": []})
    bench.far.says("batch_create", CREATED)
    for document in (wanted(1), wanted(2), wanted(2, "crm:1/2")):
        bench.sink().write([document])
    first, again, other = (body["transaction_id"] for body in bench.far.calls("batch_create"))

    assert first == again != other
    assert "$" not in first


def look_up_first(bench: Bench) -> None:
    bench.far.says("list", {"data": [record(bus_version=f"{9:020d}")]})
    assert bench.sink().write([wanted(7)]) == []

    assert bench.far.calls("list")[0]["filter"]["cond"] == [
        {"field": "job_order_id", "type": "text", "method": "eq", "value": ["crm:1/1"]}
    ]
    assert len(bench.far.asked) == 1


def look_up_after_time_out(bench: Bench) -> None:
    """The first write was stored though its answer was lost: no second record. Never stored: written once more."""
    lost = httpx.ReadTimeout("no answer")
    bench.far.says("list", {"data": []}, {"data": [record(bus_version=f"{7:020d}")]})
    bench.far.says("batch_create", lost)
    assert bench.sink().write([wanted(7)]) == []
    assert len(bench.far.calls("batch_create")) == 1
    bench.far.says("list", {"data": []})
    bench.far.says("batch_create", lost, CREATED)
    assert bench.sink().write([wanted(7)]) == []
    bench.far.says("batch_create", lost)
    with pytest.raises(UnknownOutcome, match="3 times without an answer"):
        bench.sink().write([wanted(7)])


def required_fields(bench: Bench) -> None:
    bench.far.says("list", {"data": []})
    rejections = bench.sink().write([wanted(item=None), wanted(key="crm:1/2", quantity=None)])

    assert [str(rejection.error) for rejection in rejections] == [
        "work order crm:1/1: item is empty, and the form requires it",
        "work order crm:1/2: quantity is empty, and the form requires it",
    ]


def submit_failed_twice(bench: Bench) -> None:
    failed = httpx.Response(400, json={"code": 4000, "msg": "x"})
    bench.far.says("list", {"data": []})
    bench.far.says("batch_create", failed, CREATED)
    assert bench.sink().write([wanted()]) == []
    bench.far.says("batch_create", httpx.Response(400, json={"code": 4000, "msg": "x"}))
    bench.far.asked.clear()
    (rejection,) = bench.sink().write([wanted()])

    assert type(rejection.error) is TransientError  # this one later; the others go on
    assert len(bench.far.calls("batch_create")) == 2


def raw_body(bench: Bench) -> None:
    """The signature covers the bytes as sent: the same JSON written otherwise does not pass."""
    data = {"_id": "65f0", "appId": "a1", "entryId": "e1", "updateTime": STAMP, "item": "泵"}
    body = json.dumps({"op": "data_update", "data": data}, ensure_ascii=False, separators=(",", ":")).encode()
    sent = push(body)
    (document,) = bench.webhook().receive(sent)
    assert document.fields["item"] == "泵"
    spaced = json.dumps({"op": "data_update", "data": data}).encode()
    with pytest.raises(AuthError):
        bench.webhook().receive(Request("POST", "/push", sent.query, sent.headers, spaced))


def repeated_delivery(bench: Bench) -> None:
    webhook = bench.webhook()
    body = json.dumps({"op": "data_update", "data": record()}).encode()

    assert [len(webhook.receive(push(body, each))) for each in ("d1", "d1", "d2")] == [1, 0, 1]
    assert len(bench.webhook().receive(push(body, "d1"))) == 1


def refused_pushes(bench: Bench) -> None:
    body = json.dumps({"op": "data_update", "data": record()}).encode()
    for wrong in (push(body, secret="other"), push(body, age_s=301), push(body, age_s=-61)):
        with pytest.raises(AuthError):
            bench.webhook().receive(wrong)
    with pytest.raises(AuthError):
        bench.webhook().receive(Request("POST", "/push", {}, {}, body))
    for age_s in (300, -60):
        assert bench.webhook().receive(push(body, age_s=age_s))
    for no_push in (b"x", b"[]", b'{"op":"data_update"}', b'{"op":"flood","data":{"_id":"1"}}'):
        with pytest.raises(DataError):
            bench.webhook().receive(push(no_push))
    with pytest.raises(DataError, match="a push of the form a1/e2 came for a1/e1"):
        bench.webhook().receive(push(json.dumps({"op": "data_update", "data": record(entryId="e2")}).encode()))


def same_revision_as_fetched(bench: Bench) -> None:
    """So a late push of an older state is known by its revision."""
    older = record(operations=[{"_id": "r", "good": 3}])
    newer = {**older, "state": "running", "updateTime": "2026-05-01T08:00:00.001Z"}
    pushed = [
        bench.webhook().receive(push(json.dumps({"op": "data_update", "data": each}).encode()))[0]
        for each in (newer, older)
    ]

    assert pushed == [Reader(8).document(from_text(newer)), Reader(8).document(from_text(older))]
    assert pushed[1].revision < pushed[0].revision


def push_without_stamp(bench: Bench) -> None:
    body = b'{"op":"data_update","data":{"_id":"65f0","appId":"a1","entryId":"e1","_widget_1":"SO-1001"}}'
    bench.far.says("get", {"data": record()})
    (document,) = bench.webhook().receive(push(body))
    bench.far.says("get", {})

    assert document == Reader(8).document(from_text(record()))
    assert bench.webhook().receive(push(body)) == []


def sketch(bench: Bench) -> None:
    raw, given = b'{"op":"x"}', signature("n", b'{"op":"x"}', "s", "1")
    parts = b":".join([b"n", raw, b"s", b"1"])

    assert hmac.compare_digest(hashlib.sha1(parts).hexdigest(), given.lower())


def widget_of_a_copy(bench: Bench) -> None:
    """The copied form has other ids: they are asked of the form itself."""
    bench.far.says("list", {"widgets": [{"name": "state", "widgetName": "_widget_77", "type": "combo"}]})
    data = {"_id": "65f0", "appId": "a1", "entryId": "e1", "updateTime": STAMP, "_widget_77": "running"}
    (document,) = bench.webhook().receive(push(json.dumps({"op": "data_update", "data": data}).encode()))

    assert document.fields["state"] == "running"


def empty_fields(bench: Bench) -> None:
    document = Reader(8).document(record(quantity=None, unit="", due=None, operations=[{"_id": "r", "good": None}]))
    row = at(document.fields, "operations.0")

    assert [document.fields[name] for name in ("quantity", "unit", "due")] == [None, None, None]
    assert (row["good"], row["started"]) == (None, None)


def company_day(bench: Bench) -> None:
    """A person's 1 June is midnight in UTC+8, which is still May in UTC."""
    by_person = Reader(8).document(record(due="2026-05-31T16:00:00.000Z"))
    by_us = Reader(8).document(record(due="2026-06-01T00:00:00.000Z"))

    assert by_person.fields["due"] == by_us.fields["due"] == "2026-06-01"
    assert by_us.fields["createTime"] == STAMP


def from_text(value: Json) -> Any:
    return from_json(json.dumps(value))


def at(value: Any, place: str) -> Any:
    for name in place.split("."):
        value = value[int(name)] if isinstance(value, Sequence) else value[name]
    return value


PROOFS: Mapping[str, Callable[[Bench], None]] = {
    proof.__name__: proof
    for proof in (
        base_address,
        company_pace,
        lost_alias,
        other_type,
        names_after_form_update,
        cursor,
        keys_in_chunks,
        sweep_compares,
        system_fields,
        subform_never_written,
        partial_batch,
        date_values,
        creates_by_batch,
        same_transaction_id,
        look_up_first,
        look_up_after_time_out,
        required_fields,
        submit_failed_twice,
        raw_body,
        repeated_delivery,
        refused_pushes,
        same_revision_as_fetched,
        push_without_stamp,
        sketch,
        widget_of_a_copy,
        empty_fields,
        company_day,
    )
}

KINDS: Mapping[str, Callable[[Bench, Any], None]] = {
    "sends": run_sends,
    "means": run_means,
    "paces": run_paces,
    "pushed": run_pushed,
    "signs": run_signs,
    "proves": lambda bench, name: PROOFS[name](bench),
}


def test_an_unknown_code_says_that_nobody_has_described_it() -> None:
    assert "do not name" in str(ANSWERS.error_of(400, "99999", "x", "reads", "/p"))


def test_the_connector_is_what_the_entry_point_names() -> None:
    assert connector.name == "jiandaoyun"
    assert None not in (connector.source, connector.webhook, connector.sink, connector.simulator)
