"""A trace of an order by each of its names, and whether open orders would resolve, on the real Kafka."""

from __future__ import annotations

import pytest

from schemas.catalog import ITEMS, ORDERS, PRODUCTION, STATUS
from streams.checks import check_clock, resolution
from streams.pipeline import Pipeline
from streams.trace import UnknownOrder, trace
from tests.bus_on_kafka import (
    ONE,
    BusOnKafka,
    bus_on_kafka,
    item_event,
    order_event,
    report_event,
    running,
    until,
)
from tests.raw_kafka import RawKafka

pytestmark = pytest.mark.kafka


@pytest.fixture
def kafka(raw: RawKafka, topic_prefix: str) -> BusOnKafka:
    made = bus_on_kafka(raw, topic_prefix)
    made.put(ITEMS, item_event("P-1"))
    return made


def test_an_order_is_found_by_each_of_its_names_and_told_oldest_first(kafka: BusOnKafka) -> None:
    kafka.put(ORDERS, order_event("00000001", reference="WO-1"))
    kafka.put(ORDERS, order_event("00000002", reference="WO-2"))
    with running(Pipeline(kafka.bus, 0, kafka.plans)):
        until(lambda: len(kafka.events(STATUS, "OrderStatus")) == 2, "two statuses")
        kafka.put(PRODUCTION, report_event("00000001", good=3))
        until(lambda: len(kafka.events(STATUS, "OrderStatus")) == 3, "the report's status")
    found = trace(kafka.bus, "00000001")
    told = [(each.topic, each.what) for each in found.steps]
    assert told[0] == ("crm.orders", "SalesOrder")
    one_transaction = {("sink.plant-a", "JobOrder"), ("order.status", "OrderStatus"), ("sink.crm", "OrderStatus")}
    assert set(told[1:4]) == one_transaction  # among them there is no order
    assert told[4] == ("mes.production", "JobResponse")
    assert [each.says for each in found.steps if each.what == "JobResponse"] == ["running: good 3, scrap 0, rework 0"]
    for name in ("crm:00000001", "crm:00000001/L1", "WO-1"):
        assert trace(kafka.bus, name) == found
    assert found.state is not None
    assert found.state["order_key"] == "crm:00000001"


def test_an_order_that_was_read_and_not_yet_accepted_is_found_by_its_reference(kafka: BusOnKafka) -> None:
    kafka.put(ORDERS, order_event("00000001", reference="WO-1"))
    found = trace(kafka.bus, "WO-1")
    assert (found.key, found.state, [each.what for each in found.steps]) == ("crm:00000001", None, ["SalesOrder"])


def test_a_name_that_nobody_knows_comes_with_those_that_look_like_it(kafka: BusOnKafka) -> None:
    kafka.put(ORDERS, order_event("00000123", reference="WO-1"))
    with pytest.raises(UnknownOrder) as unknown:
        trace(kafka.bus, "0000124")
    assert unknown.value.nearest == ("00000123",)


def test_lines_of_open_orders_are_counted_with_the_codes_that_do_not_resolve(kafka: BusOnKafka) -> None:
    kafka.put(ITEMS, item_event("P-2", site="nowhere"))
    kafka.put(ORDERS, order_event("1"))
    kafka.put(ORDERS, order_event("2", line={"item": "P-404"}))
    kafka.put(ORDERS, order_event("3", line={"item": "P-2"}))
    kafka.put(ORDERS, order_event("4", released=False, line={"item": "P-404"}))
    kafka.put(ORDERS, order_event("5", cancelled=True, line={"item": "P-404"}))
    kafka.put(ORDERS, order_event("6", line={"item": "P-404", "quantity": -ONE}))
    found = resolution(kafka.bus, kafka.plans.current())
    assert (found.orders, found.lines, found.items) == (4, 3, ["P-2", "P-404"])
    assert {each.order_key: each.reason for each in found.unresolved} == {
        "crm:2": "no such item in ref.items",
        "crm:3": "no route for site 'nowhere'",
    }


def test_an_order_that_is_finished_is_not_open(kafka: BusOnKafka) -> None:
    kafka.put(ORDERS, order_event("1"))
    with running(Pipeline(kafka.bus, 0, kafka.plans)):
        until(lambda: kafka.events(STATUS, "OrderStatus"), "a status")
        assert resolution(kafka.bus, kafka.plans.current()).orders == 1
        kafka.put(PRODUCTION, report_event("1", good=5, state="completed"))
        until(lambda: kafka.events(STATUS, "OrderStatus")[-1].value["state"] == "completed", "it is completed")
    assert resolution(kafka.bus, kafka.plans.current()).orders == 0


def test_a_clock_that_agrees_is_good_and_the_question_leaves_no_record(kafka: BusOnKafka) -> None:
    check_clock(kafka.bus)
    assert kafka.raw.read_committed(kafka.topic("bus.order-state")) == []
