"""The declared REST connector against the shop: every way of paging, logging in and writing, and what goes wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import Sink
from connectors.errors import (
    AuthError,
    ConfigError,
    Conflict,
    DataError,
    FarError,
    PositionRefused,
    Throttled,
    TransientError,
    UnknownOutcome,
)
from connectors.rest import RestConfig, connector
from connectors.rest.simulator.declaration import reading
from schemas.document import Document, Value
from tests.contract.rest_shop import PAGE, READ, ShopBench, running, told


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop that was never used, with its keys and certificates."""
    folder = tmp_path_factory.mktemp("blank")
    with running(folder):
        return folder


@pytest.fixture
def shop(blank: Path, tmp_path: Path) -> Iterator[ShopBench]:
    shutil.copytree(blank / "shop", tmp_path / "shop")
    with running(tmp_path) as bench:
        yield bench


# reading


@pytest.mark.parametrize("style", READ)
@pytest.mark.parametrize("count", [0, 1, PAGE, PAGE + 1, 3 * PAGE])
def test_every_order_is_told_once_whatever_the_paging_and_wherever_a_page_ends(
    shop: ShopBench, style: str, count: int
) -> None:
    made = {shop.make(number=str(number)) for number in range(count)}
    found = shop.read(shop.config(style))
    assert sorted(each.id for each in found.documents) == sorted(made)
    assert all(not each.problem for each in found.documents)


@pytest.mark.parametrize("style", READ)
def test_a_change_and_a_deletion_are_told_and_nothing_else_is_told_again(shop: ShopBench, style: str) -> None:
    changed, gone, _ = (shop.make(number=str(number)) for number in range(3))
    source = shop.source(shop.config(style))
    try:
        before = told(source).newest()
        shop.change(changed, note="urgent")
        shop.change(gone, deleted=True)
        found = told(source)
    finally:
        source.close()
    assert sorted((each.id, each.deleted) for each in found.documents) == sorted([(changed, False), (gone, True)])
    assert found.newest()[changed].fields["note"] == "urgent"
    assert all(found.newest()[id].revision > before[id].revision for id in (changed, gone))


@pytest.mark.parametrize("style", READ)
def test_a_restart_from_every_position_tells_all_that_came_after_it(shop: ShopBench, style: str) -> None:
    for number in range(2 * PAGE):
        shop.make(number=str(number))
    config = shop.config(style)
    whole = shop.read(config)
    late = shop.make(number="late")
    for position in whole.positions:
        before = {each.id for each in documents_until(shop, config, position)}
        again = {each.id for each in shop.read(config, position).documents}
        assert late in again
        assert before | again == set(whole.newest()) | {late}


def documents_until(shop: ShopBench, config: RestConfig, position: Mapping[str, Value]) -> list[Document]:
    """What a fresh source tells up to that position."""
    source = shop.source(config)
    found: list[Document] = []
    try:
        for _ in range(50):
            batch = source.poll(0.05)
            if batch is not None:
                found.extend(batch.documents)
                if batch.position == position or place_in(batch.position) == place_in(position):
                    return found
    finally:
        source.close()
    return []


def place_in(position: Mapping[str, Value]) -> Value:
    look = position["look"]
    assert isinstance(look, dict)
    place: Value = look["place"]
    return place


def test_fields_are_read_by_their_kinds_and_places(shop: ShopBench) -> None:
    lines: Value = [{"no": 1, "item": "P-1", "quantity": Decimal("2.50")}]
    values: dict[str, Value] = {"customer": {"name": "Ünïcode 株式会社"}, "amount": Decimal("10.00"), "note": ""}
    id = shop.make(number=7, due="2026-06-01", placedAt="2026-03-29T03:30:00+02:00", lines=lines, **values)
    (document,) = shop.read(shop.config()).documents
    assert document.id == id
    assert document.fields == {
        "number": "7",
        "customer": "Ünïcode 株式会社",
        "amount": Decimal("10"),
        "due": "2026-06-01",
        "placedAt": "2026-03-29T01:30:00.000000Z",
        "note": None,
        "lines": [{"no": 1, "item": "P-1", "quantity": Decimal("2.5")}],
    }


def test_a_record_that_cannot_be_read_is_told_as_it_came_and_the_others_go_on(shop: ShopBench) -> None:
    bad, good = shop.make(due="tomorrow"), shop.make(due="2026-06-01")
    found = shop.read(shop.config()).newest()
    assert "due is" in found[bad].problem
    assert found[bad].fields["due"] == "tomorrow"
    assert not found[good].problem


def test_only_what_changed_is_asked_for_after_the_first_look(shop: ShopBench) -> None:
    shop.make(number="1")
    shop.read(shop.config("keyset", overlap_s=5))
    queries = [str(each["query"]) for each in shop.requests() if str(each["path"]).endswith("/orders")]
    assert "updatedSince" not in queries[0]
    assert "updatedSince" in queries[-1]


def test_a_delta_is_asked_for_by_its_own_address_and_a_lost_one_loses_no_change(shop: ShopBench) -> None:
    first = shop.make(number="1")
    config = shop.config("odata")
    position = shop.read(config).positions[-1]
    assert "$deltatoken" in str(position["resume"])
    second = shop.make(number="2")
    shop.control("forget_deltas")
    found = shop.read(config, position)
    assert second in found.newest()
    assert set(found.newest()) <= {first, second}
    assert found.positions[-1]["resume"] != position["resume"]


def test_the_position_moves_also_while_nothing_comes(shop: ShopBench) -> None:
    config = shop.config(overlap_s=1)
    source = shop.source(config)
    try:
        first = told(source).positions[-1]
        shop.control("clock", {"offset_s": 0})
        found = None
        for _ in range(200):
            batch = source.poll(0.05)
            if batch is not None and not batch.documents:
                found = batch.position
                break
    finally:
        source.close()
    assert found is not None
    assert since(found) > since(first)


def since(position: Mapping[str, Value]) -> int:
    look = position["look"]
    assert isinstance(look, dict)
    return int(str(look["since_us"]))


@pytest.mark.parametrize("offset_s", [-7200, 7200])
def test_a_change_is_told_though_the_shops_clock_is_wrong(shop: ShopBench, offset_s: int) -> None:
    shop.make(number="1")
    source = shop.source(shop.config())
    try:
        told(source)
        shop.control("clock", {"offset_s": offset_s})
        told(source)
        late = shop.make(number="late")
        assert late in told(source).newest()
    finally:
        source.close()


def test_what_is_no_position_is_refused(shop: ShopBench) -> None:
    with pytest.raises(PositionRefused, match="no position of a REST source"):
        shop.source(shop.config(), {"cursor": "x"})


def test_a_list_that_is_not_there_is_a_wrong_configuration(shop: ShopBench) -> None:
    wrong = {**reading("keyset"), "path": "/nowhere/orders"}
    with pytest.raises(ConfigError, match=r"reads\.Order: .*Compare path and query"):
        shop.read(shop.config(reads={"Order": wrong}))


# logging in

LOGINS: Mapping[str, Callable[[ShopBench], dict[str, Any]]] = {
    "key": lambda shop: {"type": "key", "key": shop.secret("api_key"), "header": "X-Api-Key", "prefix": ""},
    "key in the query": lambda shop: {"type": "key", "key": shop.secret("api_key"), "query": "api_key"},
    "basic": lambda shop: {"type": "basic", "user": "bus", "password": shop.secret("password")},
    "client credentials": lambda shop: token(shop, client_id="bus", client_secret=shop.secret("client_secret")),
    "client credentials in the header": lambda shop: {
        **token(shop, client_id="bus", client_secret=shop.secret("client_secret")),
        "send": "header",
    },
    "jwt": lambda shop: {
        **token(shop, issuer="bus", subject="bus", audience="shop", private_key=shop.secret("private_key")),
        "type": "jwt",
    },
    "session": lambda shop: {
        "type": "session",
        "login_url": f"{shop.stand_in.person['url']}/session",
        "user": "bus",
        "password": shop.secret("password"),
        "token_header": "X-CSRF-Token",
        "header": "X-CSRF-Token",
        "prefix": "",
    },
    "signed": lambda shop: {"type": "signed", "secret": shop.secret("signing_secret")},
}


def token(shop: ShopBench, **more: Any) -> dict[str, Any]:
    return {"type": "client_credentials", "token_url": f"{shop.stand_in.person['url']}/oauth/token", **more}


@pytest.mark.parametrize("name", LOGINS)
def test_every_way_of_logging_in_reads_and_writes_and_comes_back_after_its_end(shop: ShopBench, name: str) -> None:
    login = LOGINS[name](shop)
    made = shop.make(number="1")
    assert made in shop.read(shop.config(login=login)).newest()
    with shop.sink(login=login) as sink:
        shop.control("forget")
        assert sink.write([status(1, 1)]) == []
        assert sink.write([job(1, 1)]) == []
    assert shop.status("crm:1")["state"] == "released"
    assert len(shop.jobs()) == 1


@pytest.mark.parametrize("name", [name for name in LOGINS if name != "jwt"])
def test_a_wrong_secret_is_an_auth_error_that_never_shows_it(shop: ShopBench, name: str, tmp_path: Path) -> None:
    login = LOGINS[name](shop)
    field = next(each for each in ("key", "password", "client_secret", "secret") if each in login)
    wrong = tmp_path / "wrong"
    wrong.write_text("wr0ng-secret")
    config = shop.config(login={**login, field: f"${{file:{wrong}}}"})
    with pytest.raises(AuthError) as raised:
        shop.source(config)
    assert "wr0ng-secret" not in str(raised.value)
    assert "wr0ng-secret" not in repr(config)


# writing


def status(number: int, version: int, **more: Value) -> Document:
    fields: dict[str, Value] = {"state": "released", "percent": 10, "version": f"{version:020d}"}
    return Document("Status", f"crm:{number}", "", {**fields, **more})


def job(number: int, version: int, **more: Value) -> Document:
    fields: dict[str, Value] = {"item": "P-1", "quantity": 5, "version": f"{version:020d}"}
    return Document("Job", f"crm:{number}/ä?1", "", {**fields, **more})


def test_a_repeat_makes_no_second_record_and_a_newer_state_replaces_the_older(shop: ShopBench) -> None:
    with shop.sink() as sink:
        for _ in range(2):
            assert sink.write([status(1, 1), job(1, 1)]) == []
        assert sink.write([status(1, 3, percent=50), job(1, 3, quantity=7)]) == []
        assert sink.write([status(1, 2, percent=20), job(1, 2, quantity=6)]) == []
    assert shop.status("crm:1")["percent"] == 50
    (made,) = shop.jobs()
    assert (made["externalId"], made["quantity"]) == ("crm:1/ä?1", 7)


def test_one_that_the_far_system_never_takes_does_not_hold_up_the_others(shop: ShopBench) -> None:
    with shop.sink() as sink:
        rejected = sink.write([status(1, 1), status(2, 1, quantity=-1), job(3, 1, quantity=-1), job(4, 1)])
    assert [(each.index, type(each.error)) for each in rejected] == [(1, DataError), (2, DataError)]
    assert "quantity -1 is below zero" in str(rejected[0].error)
    assert shop.status("crm:1") and not shop.status("crm:2")
    assert [each["externalId"] for each in shop.jobs()] == ["crm:4/ä?1"]


UNANSWERED = ["store_then_drop", "store_then_502"]


@pytest.mark.parametrize("kind", UNANSWERED)
def test_a_write_whose_answer_is_lost_is_looked_up_and_happens_once(shop: ShopBench, kind: str) -> None:
    declared: Any = shop.stand_in.config["writes"]
    writes = {name: {**each, "idempotency_header": ""} for name, each in declared.items()}
    with shop.sink(writes=writes) as sink:
        shop.fault(kind, match={"method": "POST", "path": "/api/jobs"})
        shop.fault(kind, match={"method": "PUT"})
        assert sink.write([status(1, 1), job(1, 1)]) == []
    assert len(shop.jobs()) == 1
    assert shop.status("crm:1")["percent"] == 10


def test_a_write_that_is_never_answered_is_told_as_unknown(shop: ShopBench) -> None:
    shop.fault("page", times=9, match={"method": "POST", "path": "/api/jobs"}, status=502)
    with shop.sink() as sink, pytest.raises(UnknownOutcome, match=r"Job crm:1/ä\?1: 3 times without an answer"):
        sink.write([job(1, 1)])


def test_a_repeat_says_that_it_is_one_and_a_new_content_does_not(shop: ShopBench) -> None:
    with shop.sink() as sink:
        shop.fault("drop_connection", match={"method": "POST", "path": "/api/jobs"})
        sink.write([job(1, 1)])
        sink.write([job(1, 2)])
        sink.write([job(2, 1)])
    writes = [each for each in shop.requests() if each["method"] != "GET" and "/api/jobs" in str(each["path"])]
    first, again, changed, other = (each["repeat"] for each in writes)
    assert first == again != ""
    assert len({first, changed, other}) == 3


def test_somebody_elses_change_in_between_is_looked_at_again_and_never_overwritten(shop: ShopBench) -> None:
    with shop.sink() as sink:
        sink.write([status(1, 1)])
        shop.fault("refuse", match={"method": "PUT"}, status=412, code="changed")
        assert sink.write([status(1, 2, percent=30)]) == []
        shop.fault("refuse", times=3, match={"method": "PUT"}, status=412, code="changed")
        (rejection,) = sink.write([status(1, 3, percent=40)])
    assert isinstance(rejection.error, Conflict)
    assert shop.status("crm:1")["percent"] == 30


def test_of_many_writers_of_one_status_the_newest_version_stands(shop: ShopBench) -> None:
    with ExitStack() as sinks, ThreadPoolExecutor(4) as pool:
        opened = [sinks.enter_context(shop.sink()) for _ in range(4)]

        def write(sink: Sink, version: int) -> None:
            while sink.write([status(1, version, percent=version)]):
                pass

        list(pool.map(write, opened, [3, 1, 4, 2]))
    assert shop.status("crm:1")["percent"] == 4


def test_two_records_for_one_key_are_told_and_neither_is_written(shop: ShopBench) -> None:
    key = {"X-Api-Key": str(shop.stand_in.person["api_key"])}
    for _ in range(2):
        shop.http.post(f"{shop.stand_in.config['url']}/jobs", json={"externalId": job(1, 1).id}, headers=key)
    with shop.sink() as sink:
        (rejection,) = sink.write([job(1, 1)])
    assert "is there 2 times" in str(rejection.error)
    assert all("item" not in each for each in shop.jobs())


def test_what_no_kind_is_declared_for_or_is_deleted_is_refused(shop: ShopBench) -> None:
    with shop.sink() as sink:
        rejected = sink.write([Document("Lot", "1", "", {}), Document("Job", "1", "", {}, deleted=True)])
    assert ["none of the kinds" in str(rejected[0].error), "not written" in str(rejected[1].error)] == [True, True]


ERRORS: list[tuple[dict[str, Any], type[FarError], float | None]] = [
    ({"status": 429, "code": "slow", "retry_after": 7}, Throttled, 7.0),
    ({"status": 503, "code": "down"}, TransientError, None),
    ({"status": 401, "code": "invalid_token"}, AuthError, None),
    ({"status": 403, "code": "role"}, AuthError, None),
]


@pytest.mark.parametrize(("arguments", "kind", "wish"), ERRORS)
def test_an_error_of_the_whole_far_system_stops_the_batch_as_its_row_says(
    shop: ShopBench, arguments: dict[str, Any], kind: type[FarError], wish: float | None
) -> None:
    with shop.sink() as sink:
        shop.fault("refuse", times=5, match={"method": "PUT"}, **arguments)
        with pytest.raises(kind) as raised:
            sink.write([status(1, 1)])
    assert type(raised.value) is kind
    assert getattr(raised.value, "retry_after_s", None) == wish


def test_a_locked_record_is_given_back_for_later_and_the_others_are_written(shop: ShopBench) -> None:
    with shop.sink() as sink:
        shop.fault("refuse", times=3, match={"path": "/api/statuses/crm:1"}, status=423, code="locked")
        (rejection,) = sink.write([status(1, 1), status(2, 1)])
    assert isinstance(rejection.error, Conflict)
    assert shop.status("crm:2")


def test_the_far_systems_rate_is_kept(shop: ShopBench) -> None:
    with shop.sink(requests_per_second=5) as sink:
        sink.write([job(number, 1) for number in range(4)])  # a probe, four look-ups, four writes
    at = [int(str(each["at_us"])) / 1e6 for each in shop.requests() if str(each["path"]).startswith("/api/")]
    assert max(sum(1 for other in at if moment <= other < moment + 1) for moment in at) <= 5


# the configuration

GOOD: dict[str, Any] = {"url": "https://erp.example.com/api", "reads": {"Order": reading("keyset")}}
PUT: dict[str, Any] = {"path": "/statuses/{id}", "fields": {"state": "text"}}
POST: dict[str, Any] = {
    "method": "PATCH",
    "path": "/jobs/{key}",
    "create": "/jobs",
    "key_field": "externalId",
    "look_up": {"path": "/jobs", "query": {"externalId": "{id}"}},
    "fields": {"item": "text"},
}

BAD: list[tuple[dict[str, Any], str]] = [
    ({"url": "erp.example.com"}, "write it like https://host/path"),
    ({"probe": "me"}, "begin it with a slash"),
    ({"reads": {"Order": {**reading("whole"), "path": "orders"}}}, "begin it with a slash"),
    ({"reads": {}}, "neither reads nor writes"),
    ({"writes": {"Order": PUT}}, "Order is both read and written"),
    ({"writes": {"S": {**PUT, "method": "POST"}}}, r"only PUT to a path with \{id\}"),
    ({"writes": {"S": {**PUT, "path": "/statuses"}}}, r"only PUT to a path with \{id\}"),
    ({"writes": {"S": {**PUT, "create": "/statuses"}}}, "create and look_up belong together"),
    ({"writes": {"S": {**PUT, "version": "version"}}}, "version version is none of the fields"),
    ({"writes": {"J": {**POST, "key_field": ""}}}, "create needs key_field"),
    ({"writes": {"J": {**POST, "path": "/jobs"}}}, r"path names no \{key\}"),
    ({"writes": {"J": {**POST, "look_up": {"path": "/jobs", "query": {"a": "b"}}}}}, r"look_up names no \{id\}"),
    ({"reads": {"Order": {**reading("whole"), "since": {"from": "yesterday"}}}}, r"since names no \{since\}"),
    ({"reads": {"Order": {**reading("whole"), "fields": {"a": "money"}}}}, "kind"),
    ({"login": {"type": "key", "key": "in clear"}}, "never written down"),
    ({"login": {"type": "magic"}}, "login"),
    ({"errors": {"codes": {"1": "sometimes"}}}, "codes"),
    ({"nonsense": 1}, "nonsense"),
]


@pytest.mark.parametrize(("changes", "says"), BAD)
def test_a_wrong_configuration_is_refused_with_what_to_do(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        RestConfig.model_validate({**GOOD, **changes})


def test_an_api_that_is_only_written_says_at_once_that_all_was_read(shop: ShopBench) -> None:
    found = shop.source(shop.config(reads={}))
    try:
        batch = found.poll(1.0)
        assert batch is not None
        assert (batch.documents, batch.complete) == ([], True)
        assert [found.poll(0.02) for _ in range(3)] == [None] * 3
    finally:
        found.close()


def test_a_slash_at_the_end_of_the_base_address_is_taken_off() -> None:
    assert RestConfig.model_validate({**GOOD, "url": "https://erp.example.com/api/"}).url == GOOD["url"]


def test_the_documents_are_the_declared_kinds_and_only_what_is_written_is_writable() -> None:
    config = RestConfig.model_validate({**GOOD, "writes": {"S": PUT}})
    order, written = connector.documents(config)
    assert (order.name, written.name) == ("Order", "S")
    assert [each.name for each in order.fields][:2] == ["number", "customer"]
    assert not any(each.writable for each in order.fields)
    assert all(each.writable for each in written.fields)
    (lines,) = (each for each in order.fields if each.name == "lines")
    assert [each.name for each in lines.fields] == ["no", "item", "quantity"]
