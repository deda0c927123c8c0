"""The store: facts and positions together, one owner, thrown away when it is not of these topics."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.views.facts import OrderFacts
from streams.views.store import Store, StoreTaken

TOPICS = {"crm.orders": "id-1"}
PLACE = ("crm.orders", 2)


def test_facts_and_position_are_there_after_a_restart(tmp_path: Path) -> None:
    store = Store.open(tmp_path, TOPICS)
    store.keep("crm:1", OrderFacts(placed_us=5), PLACE, 8)
    store.pass_over(("crm.orders", 0), 3)
    store.close()
    again = Store.open(tmp_path, TOPICS)
    assert again.facts("crm:1") == OrderFacts(placed_us=5)
    assert (again.position(PLACE), again.position(("crm.orders", 0)), again.position(("crm.orders", 1))) == (8, 3, 0)
    assert list(again.orders()) == [OrderFacts(placed_us=5)]
    assert again.name == store.name
    again.close()


def test_an_order_nothing_is_known_of_has_no_facts(tmp_path: Path) -> None:
    store = Store.open(tmp_path, TOPICS)
    assert (store.facts("crm:1"), list(store.orders())) == (OrderFacts(), [])
    store.close()


def test_a_second_process_on_one_store_is_refused_by_name(tmp_path: Path) -> None:
    store = Store.open(tmp_path, TOPICS)
    with pytest.raises(StoreTaken, match=str(tmp_path)):
        Store.open(tmp_path, TOPICS)
    store.close()


def test_a_store_of_topics_that_were_made_anew_is_thrown_away(tmp_path: Path) -> None:
    store = Store.open(tmp_path, TOPICS)
    store.keep("crm:1", OrderFacts(placed_us=5), PLACE, 8)
    store.close()
    anew = Store.open(tmp_path, {"crm.orders": "id-2"})
    assert (list(anew.orders()), anew.position(PLACE)) == ([], 0)
    assert anew.name != store.name
    anew.close()


def test_a_topic_that_is_new_to_the_bus_leaves_the_store_as_it_is(tmp_path: Path) -> None:
    store = Store.open(tmp_path, TOPICS)
    store.keep("crm:1", OrderFacts(placed_us=5), PLACE, 8)
    store.close()
    more = Store.open(tmp_path, {**TOPICS, "sink.plant-b": "id-9"})
    assert (more.position(PLACE), len(list(more.orders()))) == (8, 1)
    more.close()


def test_a_store_that_cannot_be_read_is_built_again(tmp_path: Path) -> None:
    store = Store.open(tmp_path, TOPICS)
    store.keep("crm:1", OrderFacts(placed_us=5), PLACE, 8)
    store.close()
    (tmp_path / "CURRENT").write_text("nonsense\n")
    again = Store.open(tmp_path, TOPICS)
    assert list(again.orders()) == []
    again.close()
