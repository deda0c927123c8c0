"""The whole examples of docs/sql.md, docs/webhook.md and docs/files.md on one bus over a real Kafka.

Databases are a real PostgreSQL, folders are folders, pushes come and go over HTTP to the webhook's stand-in. What
the bus does is looked up where the far systems keep it; the sink of the plant's database is a process that is killed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from openpyxl import Workbook

from deploy.kafka import EmbeddedKafka
from schemas.document import Value
from tests.bus_on_kafka import until
from tests.examples_on_kafka import Examples, running_examples

pytestmark = [pytest.mark.kafka, pytest.mark.needs("pg_ctlcluster"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory, broker: EmbeddedKafka) -> Iterator[Examples]:
    with running_examples(tmp_path_factory.mktemp("examples"), broker) as found:
        yield found


def is_made(examples: Examples, number: int, quantity: float, wanted: str = "released") -> None:
    row = ("P-1", quantity, wanted)
    until(lambda: examples.made(number) == [row], f"order {number} is {row} in the plant")


def is_told(examples: Examples, number: int, *row: object) -> None:
    """`row`: state, percent, good, reason."""
    until(lambda: examples.told(number) == row, f"order {number} is told as {row}")


def test_an_order_of_one_database_is_made_in_another_and_told_back(examples: Examples) -> None:
    examples.order(7, 4)
    is_made(examples, 7, 4)
    examples.shop.run("update lines set quantity = 5, changed_at = now() where order_id = 7")
    is_made(examples, 7, 5)
    examples.report(7, "running", good=2, scrap=1)
    is_told(examples, 7, "running", 40, 2, None)
    examples.report(7, "done", good=5, scrap=1)
    is_told(examples, 7, "completed", 100, 5, None)
    assert examples.made(7) == [("P-1", 5, "released")]


def test_an_order_that_its_database_cancels_is_cancelled_in_the_plant_and_told_so_when_people_agree(
    examples: Examples,
) -> None:
    examples.order(8, 4)
    is_made(examples, 8, 4)
    examples.report(8, "running", good=1)
    is_told(examples, 8, "running", 25, 1, None)
    examples.shop.run("update orders set cancelled = true, changed_at = now() where id = 8")
    is_made(examples, 8, 4, "cancelled")
    examples.report(8, "cancelled", good=1)
    is_told(examples, 8, "aborted", 25, 1, "cancelled in the CRM")


def test_a_sink_killed_in_the_middle_of_a_write_makes_each_row_once(examples: Examples) -> None:
    numbers = range(100, 120)
    with examples.plant.session(autocommit=False) as people:
        people.execute("lock table work_orders in exclusive mode")
        for number in numbers:
            examples.order(number, 1)
        waiting = "select 1 from pg_stat_activity where datname = %s and wait_event_type = 'Lock'"
        until(lambda: examples.plant.run(waiting, examples.plant.name), "the sink waits for the table")
        examples.sink.kill()
        people.rollback()
    examples.sink.start()
    for number in numbers:
        is_made(examples, number, 1)
    rows = "select count(*), count(distinct bus_id) from work_orders where bus_id like 'shop-db:1__/10'"
    assert examples.plant.run(rows) == [(len(numbers), len(numbers))]


def test_a_trigger_that_stamps_what_the_bus_writes_makes_no_endless_echo(examples: Examples) -> None:
    examples.shop.run(
        "create function stamped() returns trigger language plpgsql as "
        "$$ begin new.changed_at := clock_timestamp(); return new; end $$"
    )
    examples.shop.run("create trigger stamp before update on orders for each row execute function stamped()")
    examples.order(9, 4)
    is_made(examples, 9, 4)
    examples.report(9, "running", good=2)
    is_told(examples, 9, "running", 50, 2, None)
    examples.order(10, 1)
    examples.report(9, "done", good=4)
    is_told(examples, 9, "completed", 100, 4, None)
    is_made(examples, 10, 1)
    examples.report(10, "done", good=1)
    is_told(examples, 10, "completed", 100, 1, None)
    examples.shop.run("drop trigger stamp on orders")
    assert examples.read("shop-db:9") <= 8, "one for the order and one for each status that was written"


def test_a_signed_push_becomes_a_signed_push_however_often_it_is_delivered(examples: Examples) -> None:
    items: Value = [{"id": "L1", "item": "W-1", "quantity": 5}]
    made = examples.tool.control("order", {"number": "A-7", "customer": {"name": "Acme"}, "items": items})["id"]
    assert examples.push(count=3) == [200, 200, 200]
    key = f"shop:{made}/L1"
    wanted = {"item": "W-1", "quantity": 5, "wanted": "released"}
    until(lambda: examples.taken(key) == wanted, "the work order was pushed")
    examples.tool.control("order", {"id": made, "items": [{"id": "L1", "item": "W-1", "quantity": 6}]})
    assert examples.push(count=2) == [200, 200]
    until(lambda: examples.taken(key) == {**wanted, "quantity": 6}, "the change was pushed")
    examples.tool.control(f"order/{made}", method="DELETE")
    assert examples.push(count=2) == [200, 200]
    until(lambda: (examples.taken(key) or {}).get("wanted") == "cancelled", "the cancellation was pushed")
    assert examples.pushed(key) == 3


def test_a_push_with_a_wrong_signature_is_refused(examples: Examples) -> None:
    made = examples.tool.control("order", {"number": "A-8", "items": [{"id": "L1", "item": "W-1", "quantity": 1}]})
    pushes: Any = examples.tool.control("pushes", method="GET")["pushes"]
    headers = {**pushes[0]["headers"], "webhook-signature": "v1,AAAA"}
    assert [examples.post(headers, each["body"]) for each in pushes] == [401]
    assert examples.read(f"shop:{made['id']}") == 0


def test_a_push_that_no_mapping_can_read_waits_and_is_closed_by_a_better_one(examples: Examples) -> None:
    made = examples.tool.control("order", {"number": "A-9", "items": [{"item": "W-1", "quantity": 1}]})["id"]
    assert examples.push() == [200]
    until(lambda: examples.parked("source.shop") == [("source.shop", "required_missing")], "the push is parked")
    examples.tool.control("order", {"id": made, "items": [{"id": "L1", "item": "W-1", "quantity": 1}]})
    assert examples.push() == [200]
    until(lambda: examples.taken(f"shop:{made}/L1"), "the better one went through")
    until(lambda: examples.parked("source.shop") == [], "the parked one is closed")


def test_a_dropped_csv_of_orders_becomes_files_and_nothing_twice(examples: Examples) -> None:
    examples.drop("orders-1.csv", "A-7,1,F-1,5,2026-05-20,no", "A-7,2,F-1,2.5,,no")
    first, second = "orders-in%3AA-7-1%2F1", "orders-in%3AA-7-2%2F2"
    until(lambda: examples.handed(first) == ["F-1;5;2026-05-20;released"], "the first line is handed over")
    until(lambda: examples.handed(second) == ["F-1;2.5;;released"], "the second as well")
    examples.drop("orders-1.csv", "A-7,1,F-1,5,2026-05-20,no", "A-7,2,F-1,2.5,,no")
    examples.drop("orders-2.csv", "A-7,1,F-1,5,2026-05-20,no", "A-7,2,F-1,2.5,,yes")
    until(lambda: examples.handed(second) == ["F-1;2.5;;released", "F-1;2.5;;cancelled"], "the cancellation")
    assert examples.handed(first) == ["F-1;5;2026-05-20;released"]


def test_a_dropped_excel_sheet_of_orders_becomes_files(examples: Examples) -> None:
    book = Workbook()
    assert book.active is not None
    for row in (["order", "line", "item", "quantity", "due", "cancelled"], ["X-1", 1, "F-1", 3, None, "no"]):
        book.active.append(row)
    book.save(examples.folder / "orders" / ".orders-3.xlsx")
    (examples.folder / "orders" / ".orders-3.xlsx").rename(examples.folder / "orders" / "orders-3.xlsx")
    until(lambda: examples.handed("orders-in%3AX-1-1%2F1") == ["F-1;3;;released"], "the row is handed over")


def test_nothing_was_parked_but_what_was_wrong(examples: Examples) -> None:
    until(lambda: examples.parked() == [], "nothing is parked")
