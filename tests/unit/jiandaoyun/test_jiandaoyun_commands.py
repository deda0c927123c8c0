"""What is written so that a stored work order becomes the wanted one."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import DataError
from connectors.jiandaoyun.commands import WANTED, Create, Update, plan, stored_version
from connectors.jiandaoyun.form import work_order
from schemas.document import Document, Fields, Value

STATES = next(field.symbols for field in work_order().fields if field.alias == "state")
NO_WRITE = "nothing"

TABLE = {
    "released": {"released": NO_WRITE, "held": "held", "cancelled": "cancelled"},
    "held": {"released": "released", "held": NO_WRITE, "cancelled": "cancelled"},
    "running": {"released": NO_WRITE, "held": NO_WRITE, "cancelled": "cancel_requested"},
    "cancel_requested": {"released": "running", "held": "running", "cancelled": NO_WRITE},
    "completed": {"released": NO_WRITE, "held": NO_WRITE, "cancelled": NO_WRITE},
    "cancelled": {"released": NO_WRITE, "held": NO_WRITE, "cancelled": NO_WRITE},
}


def wanted(**changes: Value) -> Document:
    fields: dict[str, Value] = {
        "bus_version": f"{7:020d}",
        "item": "P-1",
        "quantity": Decimal("5.50"),
        "unit": "EA",
        "due": "2026-06-01",
        "priority": None,
        "state": "released",
    }
    return Document("work_order", "crm:1/1", "r", {**fields, **changes})


def stored(**changes: Value) -> Fields:
    fields: dict[str, Value] = {
        "job_order_id": "crm:1/1",
        "bus_version": f"{6:020d}",
        "item": "P-1",
        "quantity": Decimal("5.5"),
        "unit": "EA",
        "due": "2026-06-01",
        "priority": None,
        "state": "released",
        "operations": [],
    }
    return {**fields, **changes}


@pytest.mark.parametrize(("there", "asked"), [(there, asked) for there in STATES for asked in WANTED])
def test_a_command_follows_from_what_is_stored_and_what_is_wanted(there: str, asked: str) -> None:
    step = plan(wanted(state=asked), stored(state=there), "65f0")

    assert isinstance(step, Update)
    assert step.values.get("state", NO_WRITE) == TABLE[there][asked]


def test_an_absent_order_is_created_with_what_is_filled() -> None:
    step = plan(wanted(), None)

    assert step == Create(
        {
            "job_order_id": "crm:1/1",
            "bus_version": f"{7:020d}",
            "item": "P-1",
            "quantity": Decimal("5.5"),
            "unit": "EA",
            "due": "2026-06-01",
            "state": "released",
        }
    )


def test_an_order_that_was_there_and_is_gone_asks_and_is_never_made_again() -> None:
    with pytest.raises(DataError, match="was here and is gone"):
        plan(wanted(known=True), None)
    assert plan(wanted(known=True, state="cancelled"), None) is None


def test_a_cancel_of_an_order_that_was_never_made_is_done() -> None:
    assert plan(wanted(state="cancelled"), None) is None


@pytest.mark.parametrize("version", [7, 8])
def test_a_stored_version_that_is_not_older_is_left_alone(version: int) -> None:
    assert plan(wanted(item="P-2"), stored(bus_version=f"{version:020d}"), "65f0") is None


@pytest.mark.parametrize("text", [None, "", "seven", "-1"])
def test_a_stored_version_that_is_none_of_ours_is_the_oldest(text: str | None) -> None:
    assert stored_version(stored(bus_version=text)) == ""


def test_only_what_differs_is_written_and_the_version() -> None:
    step = plan(wanted(quantity=Decimal("6"), priority="high", unit=None), stored(), "65f0")

    assert step == Update(
        "65f0", {"bus_version": f"{7:020d}", "quantity": Decimal("6"), "priority": "high", "unit": None}
    )


@given(
    there=st.sampled_from(STATES),
    asked=st.sampled_from(WANTED),
    version=st.integers(0, 9),
    rows=st.lists(st.dictionaries(st.sampled_from(["operation", "good"]), st.integers())),
)
def test_what_people_fill_is_never_written(there: str, asked: str, version: int, rows: list[dict[str, int]]) -> None:
    document = wanted(state=asked, operations=[])
    step = plan(document, stored(state=there, bus_version=f"{version:020d}", operations=rows), "65f0")

    assert step is None or "operations" not in step.values


@given(there=st.sampled_from([None, *STATES]), asked=st.sampled_from(WANTED))
def test_a_second_write_of_the_same_document_changes_nothing(there: str | None, asked: str) -> None:
    document = wanted(state=asked)
    before = None if there is None else stored(state=there)
    step = plan(document, before, "65f0")
    after = before if step is None else {**(before or {}), **step.values}

    assert plan(document, after, "65f0") is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"state": "running"}, "state 'running' cannot be wanted; it is one of released, held, cancelled"),
        ({"state": None}, "state None cannot be wanted"),
        ({"bus_version": "7"}, "bus_version is '7', not text of 20 digits"),
        ({"bus_version": 7}, "bus_version is 7, not text of 20 digits"),
        ({"item": ""}, "item is empty, and the form requires it"),
        ({"quantity": None}, "quantity is empty, and the form requires it"),
        ({"quantity": "5"}, "'5' is no number"),
        ({"quantity": Decimal("1234567890.123456")}, "1234567890.123456 has more than the 15 digits that are kept"),
        ({"due": "31.5.2026"}, "'31.5.2026' is no date (YYYY-MM-DD)"),
    ],
)
def test_a_document_that_can_never_be_written_says_why(changes: dict[str, Value], message: str) -> None:
    with pytest.raises(DataError) as caught:
        plan(wanted(**changes), stored(), "65f0")

    assert message in str(caught.value)
