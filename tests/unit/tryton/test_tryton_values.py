"""Tryton's typed JSON, its answers, its productions and the position of its source, without a server."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import AuthError, ConfigError, DataError, FarError, PositionRefused, Throttled, TransientError
from connectors.errors import UnknownOutcome as Unknown
from connectors.http import Effect
from connectors.overlap import Look
from connectors.tryton.answers import ANSWERS
from connectors.tryton.position import behind, look_of, place_of
from connectors.tryton.productions import production
from connectors.tryton.wire import EPOCH, instant_us, plain, typed_date, typed_decimal, typed_instant
from schemas.document import Fields, Value, from_json, to_json

MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@given(MOMENTS)
def test_an_instant_comes_back_as_it_was_sent_to_the_microsecond(at: datetime) -> None:
    at_us = (at - EPOCH) // (datetime.resolution)
    assert instant_us(plain(typed_instant(at_us))) == at_us


@given(st.dates())
def test_a_date_comes_back_as_it_was_sent(day: object) -> None:
    assert plain(typed_date(str(day))) == str(day)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_comes_back_exactly(number: Decimal) -> None:
    assert plain(from_json(to_json(typed_decimal(number)))) == number


def test_typed_values_are_made_plain_however_deep_they_stand() -> None:
    sent: Value = [{"lines": [{"duration": {"__class__": "timedelta", "seconds": 1800}, "__name__": "sale.line"}]}]
    assert plain(sent) == [{"lines": [{"duration": Decimal(1800)}]}]


def test_a_class_that_nobody_knows_is_an_error_and_no_value() -> None:
    with pytest.raises(DataError, match="matrix"):
        plain({"__class__": "matrix"})


HTML = "<!doctype html><style>b{}</style><title>403 Forbidden</title><h1>Forbidden</h1>"
USER_ERROR = '{"status": 400, "message": "you must enter an invoice address.", "description": ""}'
PART_GONE = '{"status": 400, "message": "trying to read records \\"5\\" that don\'t exist.", "description": ""}'

MEANINGS: list[tuple[int, str, Effect, type[FarError]]] = [
    (400, USER_ERROR, "writes", DataError),
    (400, PART_GONE, "reads", TransientError),
    (401, HTML, "reads", AuthError),
    (403, HTML, "writes", AuthError),
    (404, HTML, "reads", ConfigError),
    (413, HTML, "writes", DataError),
    (429, HTML, "reads", Throttled),
    (500, HTML, "reads", TransientError),
    (500, HTML, "writes", DataError),
    (502, HTML, "reads", TransientError),
    (502, HTML, "writes", Unknown),
    (503, HTML, "writes", TransientError),
    (504, HTML, "writes", Unknown),
    (200, "<html>a proxy's page</html>", "reads", TransientError),
    (200, "<html>a proxy's page</html>", "writes", Unknown),
]


@pytest.mark.parametrize(("status", "body", "effect", "kind"), MEANINGS)
def test_an_answer_means_what_section_9_says(status: int, body: str, effect: Effect, kind: type[FarError]) -> None:
    answer = httpx.Response(status, text=body, request=httpx.Request("GET", "http://tryton/db/rest/model/sale.sale"))
    with pytest.raises(kind) as raised:
        ANSWERS.read(answer, effect)
    assert type(raised.value) is kind
    assert "<" not in str(raised.value)


def test_a_page_that_is_html_is_told_in_its_own_words() -> None:
    answer = httpx.Response(403, text=HTML, request=httpx.Request("GET", "http://tryton/db"))
    with pytest.raises(AuthError, match="403 Forbidden Forbidden"):
        ANSWERS.read(answer, "reads")


def test_an_answer_without_a_body_is_nothing() -> None:
    assert ANSWERS.read(httpx.Response(204, request=httpx.Request("DELETE", "http://tryton/db")), "writes") is None


@given(st.integers(1, 4_000_000_000_000_000), st.integers(1))
def test_a_place_is_read_back_as_it_was(stamp_us: int, id: int) -> None:
    assert behind(Look(stream="sale.line", place=place_of(stamp_us, id))) == (stamp_us, id)


def test_a_position_of_an_earlier_version_goes_on_where_it_was() -> None:
    kept: Fields = {"since_us": 1, "began_us": 9, "model": "sale", "stamp_us": 7, "id": 3, "backfilled": True}
    look = look_of(kept)
    assert (look.since_us, look.began_us, look.stream, look.backfilled) == (1, 9, "sale", True)
    assert behind(look) == (7, 3)
    assert behind(look_of({**kept, "stamp_us": 0, "id": 0})) == (0, 0)


@pytest.mark.parametrize(
    "position", [{"cursor": ""}, {"since_us": "1"}, {"since_us": 1, "more": 2}, {"place": "7"}, {"place": "a/b"}]
)
def test_what_is_no_position_is_refused(position: Fields) -> None:
    with pytest.raises(PositionRefused):
        look_of(position)


def stamped(**more: Value) -> Fields:
    return {"last_modified_at": "2026-05-01T08:00:00Z", **more}


def cycle(at: str, state: str = "done", **figures: Value) -> Fields:
    named = {f"lineshaft_{name}": value for name, value in figures.items()}
    return {"last_modified_at": at, "create_date": f"{at[:11]}06:00:00Z", "state": state, **named}


def record(**more: Value) -> Fields:
    works: Value = [
        stamped(operation={"name": "sawing"}, work_center={"name": "SAW-1"}, state="finished", cycles=[]),
        stamped(operation={"name": "milling"}, work_center=None, state="draft", cycles=[]),
    ]
    fields: Fields = {"id": 17, "lineshaft_id": "crm:1/2", "lineshaft_desired": "released", "state": "running"}
    return stamped(**{**fields, "quantity": Decimal("5.0"), "product": {"code": "P-100"}, "works": works, **more})


def operations(found: Fields) -> list[Fields]:
    listed = found["operations"]
    assert isinstance(listed, list)
    return [each for each in listed if isinstance(each, dict)]


def test_the_cycles_of_a_work_add_up_and_cancelled_and_running_ones_do_not_count() -> None:
    cycles: Value = [
        cycle("2026-05-01T09:00:00Z", good=Decimal("3.0"), scrap=1),
        cycle("2026-05-01T10:00:00Z", good=2, rework=1),
        cycle("2026-05-01T11:00:00Z", "cancelled", good=100),
        cycle("2026-05-01T12:00:00Z", "running", good=100),
    ]
    works: Value = [
        stamped(operation={"name": "sawing"}, work_center={"name": "SAW-1"}, state="running", cycles=cycles)
    ]
    (found,) = operations(production(record(works=works)))
    assert (found["good"], found["scrap"], found["rework"]) == (5, 1, 1)
    assert (found["started_at"], found["ended_at"]) == ("2026-05-01T06:00:00Z", "2026-05-01T10:00:00Z")


def output(
    quantity: int, to: str = "storage", lot: str | None = None, state: str = "done", code: str = "P-100"
) -> Fields:
    at = {"to_location": {"type": to}, "lot": {"number": lot} if lot else None}
    return stamped(quantity=quantity, state=state, product={"code": code}, **at)


def test_what_came_out_counts_for_the_last_operation_where_no_cycle_says_a_figure() -> None:
    outputs: Value = [output(4, lot="L-2"), output(1, "lost_found"), output(9, state="draft"), output(3, code="BY-1")]
    first, last = operations(production(record(outputs=outputs, state="done")))
    assert (first["good"], first["lots"]) == (0, [])
    assert (last["operation"], last["good"], last["scrap"], last["lots"]) == ("milling", 4, 1, ["L-2"])
    assert last["ended_at"]


def test_a_production_without_a_routing_is_one_operation_once_something_came_out() -> None:
    assert operations(production(record(works=[], outputs=[output(4, state="draft")]))) == []
    (found,) = operations(production(record(works=[], outputs=[output(4)])))
    assert (found["operation"], found["good"]) == ("production", 4)


@pytest.mark.parametrize("state", ["request", "draft", "waiting", "assigned", "running"])
def test_a_cancellation_is_asked_for_as_long_as_nobody_answered(state: str) -> None:
    assert production(record(lineshaft_desired="cancelled", state=state))["cancel_requested"] is True
    assert production(record(lineshaft_desired="cancelled", state="done"))["cancel_requested"] is False
    assert production(record(state=state))["cancel_requested"] is False


def test_a_production_changed_at_its_newest_stamp_also_where_one_falls_on_a_whole_second() -> None:
    whole, later = "2026-05-01T09:00:08Z", "2026-05-01T09:00:08.500000Z"
    found = production(record(last_modified_at=whole, works=[], inputs=[stamped(last_modified_at=later)]))
    assert found["changed_at"] == later
