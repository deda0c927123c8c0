"""Which lines of an order are wanted of whom."""

from __future__ import annotations

from typing import Any

import pytest

from mappings import MappingFailed
from schemas.event import Record
from streams.outcome import NoRoute
from streams.route import wanted
from tests.unit.streams.orders_made_by_hand import Known, item, line, order, plan


def job(line_id: str = "L1", destination: str = "plant-a") -> Record:
    return {"job_order_id": f"crm:1/{line_id}", "line_id": line_id, "destination": destination}


def asked(now: Record, before: Record | None = None, jobs: Any = (), known: Known | None = None) -> Any:
    found = wanted(now, before, jobs, plan().routes, known or Known())
    return [(each.line["id"], each.destination, each.desired) for each in found]


RELEASED = [("L1", "plant-a", "released")]


@pytest.mark.parametrize(
    ("now", "jobs", "expected"),
    [
        (order(), [], RELEASED),
        (order(released=False), [], []),
        (order(released=False), [job()], [("L1", "plant-a", "held")]),
        (order(), [job()], RELEASED),
        (order(line(quantity=0)), [], []),
        (order(line(quantity=-5)), [], []),
        (order(line(cancelled=True)), [], []),
        (order(line(cancelled=True)), [job()], [("L1", "plant-a", "cancelled")]),
        (order(cancelled=True), [], []),
        (order(cancelled=True), [job()], [("L1", "plant-a", "cancelled")]),
        (order(released=False, cancelled=True), [job()], [("L1", "plant-a", "cancelled")]),
        (order(), [job(destination="plant-b")], [("L1", "plant-b", "released")]),
        (order(line(), line("L2")), [], [*RELEASED, ("L2", "plant-a", "released")]),
    ],
    ids=[
        "released",
        "not released",
        "held again after its release",
        "still released",
        "zero",
        "negative",
        "a cancelled line that was never sent",
        "a cancelled line",
        "a cancelled order that was never sent",
        "a cancelled order",
        "cancelled beats held",
        "the destination stays",
        "two lines",
    ],
)
def test_what_is_wanted_of_an_order(now: Record, jobs: list[Record], expected: list[Any]) -> None:
    assert asked(now, None, jobs) == expected


@pytest.mark.parametrize("now", [order(line("L2")), order(line(quantity=0), line("L2"))], ids=["gone", "zero"])
def test_a_line_that_is_gone_is_cancelled_with_its_last_content(now: Record) -> None:
    found = wanted(now, order(line(), line("L2")), [job(), job("L2")], plan().routes, Known())
    cancelled = [each for each in found if each.desired == "cancelled"]
    assert [each.line for each in cancelled] == [line()]


@pytest.mark.parametrize("now", [order(line("L2")), order(line(quantity=0), line("L2"))], ids=["gone", "zero"])
def test_a_line_that_was_gone_before_asks_for_nothing_again(now: Record) -> None:
    assert asked(now, now, [job(), job("L2")]) == [("L2", "plant-a", "released")]


def test_a_line_that_comes_back_is_wanted_again() -> None:
    assert asked(order(), order(line(quantity=0)), [job()]) == RELEASED


def test_an_unknown_item_waits_for_its_reference() -> None:
    with pytest.raises(MappingFailed) as failed:
        asked(order(line(item="P-9")))
    assert (failed.value.cause, failed.value.waits_for) == ("unknown_reference", "items/P-9")


def test_an_item_of_a_site_without_a_route_says_so() -> None:
    with pytest.raises(NoRoute, match=r"no route matches item 'P-1' .site 'moon'.: add one to the routes"):
        asked(order(), known=Known({"P-1": item("P-1", site="moon")}))


def test_a_line_that_has_its_job_needs_no_item_any_more() -> None:
    assert asked(order(), None, [job()], Known({})) == RELEASED
