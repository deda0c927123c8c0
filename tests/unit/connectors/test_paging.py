"""Every way of counting pages, against a server that holds the rows: nothing lost, nothing twice, no circle."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.responses import Response

from connectors.classification import Answers
from connectors.errors import TransientError
from connectors.far_clock import FarClock
from connectors.json_calls import Answer, JsonCalls
from connectors.json_path import at
from connectors.paging import Cursor, Keyset, Link, Offset, Page, Pager, Whole, address, read_all
from schemas.document import Fields, Value
from tests.unit.connectors.far_server import Asked, Far, json

SIZE = 3

Rows = Sequence[Fields]


def rows_of(stamps: Sequence[int]) -> list[Fields]:
    """Records in the order of (changed, id); several may have one stamp."""
    found: list[Fields] = [{"id": f"r{number:02d}", "changed": stamp} for number, stamp in enumerate(stamps)]
    return sorted(found, key=lambda row: (str(row["changed"]), str(row["id"])))


def reading(far: Far, pager: Pager, path: str) -> list[Value]:
    """All rows by one pager."""
    calls = JsonCalls(far.client(), Answers().read, FarClock("far"))

    def page(place: str) -> Page[Value]:
        ask = pager.ask(place)
        answer = calls.call("reads", "GET", ask.url or f"{far.url}{path}", ask.query)
        rows = at(answer.body, "value")
        assert isinstance(rows, list)
        return Page(rows, pager.following(place, answer, rows))

    try:
        return list(read_all(page))
    finally:
        calls.close()


def by_cursor(rows: Rows) -> Callable[[Asked], Response]:
    def answer(asked: Asked) -> Response:
        start = int(asked.query.get("cursor", "0"))
        more = start + SIZE < len(rows)
        return json({"value": rows[start : start + SIZE], "meta": {"next": str(start + SIZE) if more else None}})

    return answer


def by_offset(rows: Rows, told: str) -> Callable[[Asked], Response]:
    def answer(asked: Asked) -> Response:
        start, size = int(asked.query["offset"]), min(2, int(asked.query["limit"]))  # the server lowers it silently
        more, total = start + size < len(rows), len(rows)
        beside: Fields = {"hasMore": more} if told == "more" else {"total": total} if told == "total" else {}
        return json({"value": rows[start : start + size], **beside})

    return answer


def by_keyset(rows: Rows) -> Callable[[Asked], Response]:
    def answer(asked: Asked) -> Response:
        stamp, _, id = asked.query.get("after", "").partition("/")
        behind = [row for row in rows if not stamp or (str(row["changed"]), str(row["id"])) > (stamp, id)]
        return json({"value": behind[:SIZE]})

    return answer


def by_link(rows: Rows, header: bool) -> Callable[[Asked], Response]:
    """The second page is empty: filters of some servers run behind the paging (Dataverse, Graph)."""

    def answer(asked: Asked) -> Response:
        number = int(asked.query.get("$skiptoken", "0"))
        pages: list[Rows] = [rows[start : start + SIZE] for start in range(0, len(rows), SIZE)] or [[]]
        pages = [pages[0], [], *pages[1:]]
        link = f"?$skiptoken={number + 1}" if number + 1 < len(pages) else ""
        if not header:
            return json({"value": pages[number], **({"@odata.nextLink": link} if link else {})})
        page = json({"value": pages[number]})
        if link:
            page.headers["Link"] = f'<{link}>; rel="next"'
        return page

    return answer


def ways(far: Far, rows: Rows) -> dict[str, tuple[Callable[[Asked], Response], Pager]]:
    keyset = Keyset(["changed", "id"], {"after": "{changed}/{id}"}, {"after": ""})
    return {
        "cursor": (by_cursor(rows), Cursor("cursor", "meta.next")),
        "offset with more": (by_offset(rows, "more"), Offset("offset", "limit", SIZE, more="hasMore")),
        "offset with total": (by_offset(rows, "total"), Offset("offset", "limit", SIZE, total="total")),
        "offset alone": (by_offset(rows, ""), Offset("offset", "limit", SIZE)),
        "keyset": (by_keyset(rows), keyset),
        "link in the header": (by_link(rows, header=True), Link(f"{far.url}/rows")),
        "link in the body": (by_link(rows, header=False), Link(f"{far.url}/rows", "@odata.nextLink")),
        "whole": (lambda asked: json({"value": list(rows)}), Whole()),
    }


NAMES = sorted(ways(Far("https://far", None), []))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [0, 1, SIZE - 1, SIZE, SIZE + 1, 2 * SIZE, 2 * SIZE + 1])
def test_every_row_is_read_once_at_every_boundary_of_pages(far: Far, name: str, count: int) -> None:
    rows = rows_of(range(100, 100 + count))
    far.answers, pager = ways(far, rows)[name]
    assert reading(far, pager, "/rows") == rows


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(NAMES), st.lists(st.integers(100, 104), max_size=12))
def test_rows_of_one_stamp_are_read_once_wherever_a_page_ends(far: Far, name: str, stamps: list[int]) -> None:
    rows = rows_of(stamps)
    far.answers, pager = ways(far, rows)[name]
    assert reading(far, pager, "/rows") == rows


@pytest.mark.parametrize("more", [True, False])
def test_an_empty_page_of_an_offset_ends_nothing_where_more_are_told(far: Far, more: bool) -> None:
    pages: dict[str, Fields] = {
        "0": {"value": [], "hasMore": more},
        "3": {"value": [{"id": "r"}], "hasMore": False},
    }
    far.answers = lambda asked: json(pages[asked.query["offset"]])
    assert len(reading(far, Offset("offset", "limit", SIZE, more="hasMore"), "/rows")) == (1 if more else 0)


CIRCLES: list[tuple[Pager, Fields]] = [
    (Cursor("cursor", "next"), {"value": [{"id": 1}], "next": "same"}),
    (Link("https://far/rows", "next"), {"value": [], "next": "https://far/rows?page=2"}),
    (Keyset(["id"], {"after": "{id}"}), {"value": [{"id": 1}]}),
]


@pytest.mark.parametrize(("pager", "answer"), CIRCLES)
def test_pages_that_go_in_a_circle_are_an_error_and_no_loop(pager: Pager, answer: Fields) -> None:
    def page(place: str) -> Page[Value]:
        rows = answer["value"]
        assert isinstance(rows, list)
        return Page(rows, pager.following(place, Answer(answer), rows))

    with pytest.raises(TransientError, match="circle"):
        list(read_all(page))


def test_a_page_of_a_keyset_that_leads_nowhere_is_an_error() -> None:
    with pytest.raises(TransientError, match="leads nowhere"):
        Keyset(["changed", "id"], {}).following("", Answer(None), [{"id": 1}])


@pytest.mark.parametrize(
    "link", ["https://elsewhere.example/rows", "http://far/rows", "//elsewhere/rows", "https://far:8443/x"]
)
def test_a_link_to_another_server_is_not_followed_for_the_login_would_go_along(link: str) -> None:
    with pytest.raises(TransientError, match="another server"):
        address("https://far/rows", link)


def test_a_link_is_whole_or_relative_to_what_was_asked() -> None:
    assert address("https://far/api/rows", "?page=2") == "https://far/api/rows?page=2"
    assert address("https://far/api/rows", "https://far/api/rows?token=%3Ca") == "https://far/api/rows?token=%3Ca"
    with pytest.raises(TransientError, match="address is none"):
        address("https://far/api/rows", "https://far:port/")
