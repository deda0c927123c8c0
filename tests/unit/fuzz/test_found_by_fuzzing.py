"""What malformed input broke once, each with the smallest input that did."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import requests

from connectors.config import ConnectorConfig
from connectors.contract import Connector, Request, Webhook
from connectors.errors import (
    AuthError,
    ConfigError,
    DataError,
    FarError,
    PositionRefused,
    TransientError,
    UnknownOutcome,
)
from connectors.http import Effect, send
from connectors.jiandaoyun.client import cursor_behind
from connectors.jiandaoyun.documents import Reader
from connectors.jiandaoyun.source import JianDaoYunSource
from connectors.jiandaoyun.webhook import JianDaoYunWebhook, signature
from connectors.salesforce.changes import change_of
from connectors.salesforce.orders import end_of
from connectors.salesforce.position import standing_of
from connectors.salesforce.shape import problem_of_order, unreadable
from deploy.project import load_project
from deploy.project_problems import ProjectError
from schemas.codec import CodecError
from schemas.document import Document, Value, from_json
from schemas.event import Event
from schemas.readable import readable
from schemas.wire import iso_instant
from streams.bus import Attached, Bus
from streams.ingress import Ingress
from streams.intake import Intake, Refused, document_of
from streams.outcome import reason_for
from streams.process import process
from tests.fuzz import jiandaoyun_records as jdy
from tests.fuzz.no_kafka import NoKafka
from tests.fuzz.on_the_bus import plan, plans
from tests.fuzz.salesforce_events import HEADER
from tests.fuzz.salesforce_org import Org, joined, logged_out, order, page, response_of
from tests.unit.streams.orders_made_by_hand import Known


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000])
def test_json_that_is_nested_without_end_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        from_json(text)


def test_what_a_far_system_says_is_shown_as_far_as_a_person_reads_it() -> None:
    told = str(DataError("x" * 1_000_000))
    assert told.endswith("(1,000,000 characters)")
    assert len(told) < 2_100
    assert str(ConfigError("app_id", "x" * 1_000_000, "Take another.")).endswith("Take another.")
    assert len(reason_for(CodecError("y" * 1_000_000)).message) < 2_100


def test_half_a_character_in_an_error_is_escaped_so_that_it_can_be_answered_and_parked() -> None:
    assert str(DataError("half \ud83d")) == "half \\ud83d"
    assert reason_for(CodecError("half \ud83d")).message == "half \\ud83d"


@pytest.mark.parametrize(("effect", "error"), [("reads", TransientError), ("writes", UnknownOutcome)])
def test_an_answer_whose_encoding_nobody_can_read_is_no_answer(effect: Effect, error: type[FarError]) -> None:
    stream = httpx.ByteStream(b"no gzip")
    answer = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=stream)
    client = httpx.Client(transport=httpx.MockTransport(lambda _: answer))
    with client, pytest.raises(error, match="cannot be read"):
        send(client, client.build_request("POST", "https://far.invalid/x"), effect)


def test_an_instant_of_no_year_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="in no year"):
        iso_instant(2**62)


def test_a_date_of_no_year_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="in no year"):
        readable("JobOrder", {"due": 2**31 - 1})


@pytest.mark.parametrize("key", ["", "crm", ":1", "crm:"])
def test_an_event_whose_key_is_no_order_key_is_undecodable_and_no_defect(key: str) -> None:
    event = Event("SalesOrder", key, key, "id", "crm", 1, 1, {}, {})
    with pytest.raises(CodecError, match="not <connector>:<number>"):
        process(event, None, 1, plan(), Known())


def test_a_folder_that_is_a_table_is_no_path_in_words(tmp_path: Path) -> None:
    (tmp_path / "lineshaft.yaml").write_text("kafka: embedded\ndata: {a: b}\n")
    with pytest.raises(ProjectError, match=r"^lineshaft.yaml:2:1: data: is no path. Write a path"):
        load_project(tmp_path)


def test_a_line_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / "lineshaft.yaml").write_bytes(b"kafka: embedded\ndata: \xff\n")
    with pytest.raises(ProjectError, match=r"^lineshaft.yaml:2:1: this line is not UTF-8. Save it as UTF-8.$"):
        load_project(tmp_path)


# ---------------------------------------------------------------------------------------------------- JianDaoYun


def swept(*records: Value) -> list[Document]:
    answer: dict[str, Callable[[], Value]] = {**jdy.GOOD_ANSWERS, "data/list": lambda: {"data": [*records]}}
    client = jdy.client(lambda request: httpx.Response(200, json=answer[jdy.call_of(request)]()))
    source = JianDaoYunSource(client, Reader(8), "a1/e1", 0.0, clock=jdy.Ticks())
    source.open(None)
    batch = source.poll(0)
    source.close()
    assert batch is not None
    return list(batch.documents)


WRONG: list[tuple[dict[str, Value], str]] = [
    ({**jdy.record(2), "quantity": "a dozen"}, "quantity: 'a dozen' is no number"),
    ({**jdy.record(2), "quantity": "1e999999"}, "quantity: '1e999999' is no number of at most 400 digits"),
    ({**jdy.record(2), "updateTime": -1}, "updateTime: -1 is no time of the vendor's: it is before 1970"),
    ({**jdy.record(2), "updateTime": "yesterday"}, "updateTime: 'yesterday' is no time"),
    ({name: value for name, value in jdy.record(2).items() if name != "updateTime"}, "updateTime: None is no time"),
    ({**jdy.record(2), "_id": None}, "no _id of its own"),
    ({**jdy.record(2), "due": [7]}, "due: [7] is no time"),
]


@pytest.mark.parametrize(("wrong", "problem"), WRONG, ids=lambda given: given if isinstance(given, str) else "")
def test_one_record_that_cannot_be_read_is_parked_as_it_came_and_the_others_go_on(
    wrong: dict[str, Value], problem: str
) -> None:
    documents = swept(jdy.record(1), wrong, jdy.record(3))
    assert [bool(each.problem) for each in documents] == [False, True, False]
    intake = Intake("plant-a", "jiandaoyun", 1, plan(), Known())
    taken = [intake.take(each, 1) for each in documents]
    refused = taken[1]
    assert isinstance(refused, Refused)
    assert problem in refused.reason.message
    assert refused.reason.cause == "bad_value"
    assert document_of(refused.incoming) == documents[1]
    assert not any(isinstance(each, Refused) or each is None for each in (taken[0], taken[2]))


def test_what_is_no_record_at_all_is_told_too() -> None:
    documents = swept(jdy.record(1), 7)
    assert [each.fields for each in documents if each.problem] == [{"value": 7}]


def test_a_page_that_leads_nowhere_is_an_error_and_no_loop() -> None:
    full = [jdy.record(number) for number in range(100)]
    last = str(full[-1]["_id"])
    assert cursor_behind(full, "") == last
    assert cursor_behind([*full[:-1], {"value": 7}], "") == full[-2]["_id"]
    for records, after in ((full, last), ([{"value": 7}], "")):
        with pytest.raises(TransientError, match="does not go on"):
            cursor_behind(records, after)


def test_a_timestamp_of_five_thousand_digits_is_a_wrong_one() -> None:
    stamp = "9" * 5_000  # Python refuses to make a number of so many digits
    webhook = JianDaoYunWebhook(lambda: jdy.client(jdy.good), Reader(8), jdy.SECRET, (jdy.APP, jdy.ENTRY))
    signed = {"x-jdy-signature": signature("n", b"{}", jdy.SECRET, stamp)}
    with pytest.raises(AuthError, match="no number of seconds"):
        webhook.receive(Request("POST", "/", {"timestamp": stamp, "nonce": "n"}, signed, b"{}"))


# ---------------------------------------------------------------------------------------------------- Salesforce


def flat(**changes: Value) -> dict[str, Value]:
    return {**order(1), "OrderItems": order(1)["OrderItems"]["records"], **changes}


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (flat(), ""),
        (flat(OrderItems=None), ""),
        (flat(Id="80'1"), 'Id is "80\'1", and an id of letters and digits is expected'),
        (flat(SystemModstamp="soon"), "SystemModstamp is 'soon', and a time with its offset is expected"),
        (flat(IsDeleted="no"), "IsDeleted is 'no', and true or false is expected"),
        (flat(OrderItems=7), "OrderItems is 7, and a list of lines is expected"),
        (flat(OrderItems=[7]), "line 1: it is no record"),
        (flat(OrderItems=[{"Id": "802"}]), "line 1: OrderId is None, and an id of letters and digits is expected"),
    ],
)
def test_an_order_that_cannot_be_read_says_which_field_it_is(record: dict[str, Value], problem: str) -> None:
    assert problem_of_order(record) == problem


def test_an_order_that_cannot_be_read_is_parked_as_it_came() -> None:
    record = flat(IsDeleted="no")
    intake = Intake("crm", "salesforce", 1, plan(), Known())
    refused = intake.take(unreadable(record, problem_of_order(record)), 1)
    assert isinstance(refused, Refused)
    assert "IsDeleted is 'no'" in refused.reason.message
    assert document_of(refused.incoming).fields["OrderNumber"] == "00000001"


def test_a_page_ends_at_its_last_record_that_can_be_read() -> None:
    assert end_of([flat(), {"value": 7}], 2) == (flat()["SystemModstamp"], flat()["Id"])
    with pytest.raises(TransientError, match="leads nowhere"):
        end_of([{"value": 7}], 1)


@pytest.mark.parametrize("wrong", [{"commitTimestamp": 2**62}, {"commitTimestamp": None}, {"recordIds": "801"}])
def test_a_change_event_of_no_time_or_no_ids_is_none(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        change_of({"ChangeEventHeader": {**HEADER, "changedFields": [], **wrong}}, {"fields": []})


@pytest.mark.parametrize(
    ("position", "field"),
    [
        ({"replay": {"/data/x": "no base64!"}, "seen": {}, "walks": []}, "replay./data/x"),
        ({"replay": {}, "seen": {"/data/x": "soon"}, "walks": []}, "seen./data/x"),
        ({"replay": {}, "seen": {}, "walks": [7]}, "walks.0"),
        ({"replay": {}, "seen": {}}, "walks"),
    ],
)
def test_a_damaged_position_names_the_field(position: dict[str, Value], field: str) -> None:
    with pytest.raises(PositionRefused, match=field):
        standing_of(position)


def test_pages_that_go_round_in_a_circle_are_an_error_and_no_loop() -> None:
    class Circle(Org):
        def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
            self.said.append(b"")
            assert len(self.said) < 10, "it goes round for ever"
            body = json.dumps(page([order(1)], "/services/data/v62.0/query/again")).encode()
            return response_of(request, 200, {}, body)

    client = joined(Circle(0, 0.0), logged_out())
    with pytest.raises(TransientError, match="round in a circle"):
        client.query("SELECT Id FROM Order")
    client.close()


# --------------------------------------------------------------------------------------------------- the ingress


@pytest.mark.parametrize(
    ("error", "status"),
    [(AuthError("no"), 401), (DataError("no"), 400), (TransientError("502"), 503), (ConfigError("a", "b", "c"), 503)],
)
def test_a_push_is_answered_by_what_its_error_means(error: FarError, status: int) -> None:
    made: list[object] = []

    class Failing:
        def receive(self, request: Request) -> list[Document]:
            raise error

    def receiver(_: ConnectorConfig) -> Webhook:
        made.append(error)
        return Failing()

    connector = Connector("jiandaoyun", ConnectorConfig, lambda _: (), webhook=receiver)
    bus = Bus(NoKafka("nowhere:1"), 1, {"plant-a": Attached("plant-a", connector, ConnectorConfig())})
    answer = Ingress(bus, plans())._answer("plant-a", Request("POST", "/", {}, {}, b"{}"))
    assert answer.status_code == status
    assert len(made) == (2 if status == 503 else 1), "what the failed one remembers as taken was not"
