"""What notices ask for, and where the source stands after them."""

from __future__ import annotations

import pytest

from connectors.errors import PositionRefused
from connectors.salesforce.changes import Change, change_of, work_of
from connectors.salesforce.position import (
    BACKFILL,
    FIRST_START,
    RECONCILE,
    RESYNC,
    Standing,
    Walk,
    standing_of,
)

TOPIC = "/data/OrderChangeEvent"


def change(kind: str = "UPDATE", entity: str = "Order", ids: tuple[str, ...] = ("801A",), **more: object) -> Change:
    return Change(entity, kind, ids, 1_000_000, **more)  # type: ignore[arg-type]


def test_every_id_of_an_event_is_an_order_to_read() -> None:
    assert work_of([change(ids=("801A", "801B"))], {}).orders == {"801A": 1_000_000, "801B": 1_000_000}


def test_an_order_is_read_once_for_many_events() -> None:
    assert list(work_of([change(), change("DELETE")], {}).orders) == ["801A"]


def test_a_line_that_names_its_order_needs_no_query() -> None:
    work = work_of([change(entity="OrderItem", ids=("802A",), order_id="801A")], {})
    assert (list(work.orders), dict(work.lines)) == (["801A"], {})


def test_a_line_whose_order_is_known_needs_no_query() -> None:
    work = work_of([change("DELETE", "OrderItem", ("802A",))], {"802A": "801A"})
    assert (list(work.orders), dict(work.lines)) == (["801A"], {})


def test_a_line_whose_order_nobody_told_must_be_looked_up() -> None:
    assert list(work_of([change("UPDATE", "OrderItem", ("802A",))], {}).lines) == ["802A"]


def test_deleted_lines_are_remembered_with_their_time_and_undeleted_ones_are_not() -> None:
    lines = [change(kind, "OrderItem", (f"802{kind}",), order_id="801A") for kind in ("GAP_DELETE", "UNDELETE")]
    assert list(work_of(lines, {}).deleted_lines) == ["802GAP_DELETE"]


@pytest.mark.parametrize("kind", ["GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE"])
def test_a_gap_leads_to_a_read(kind: str) -> None:
    assert list(work_of([change(kind)], {}).orders) == ["801A"]


@pytest.mark.parametrize("lost", [change(ids=("801*",))])
def test_a_wildcard_leads_to_a_resync_and_no_read(lost: Change) -> None:
    work = work_of([lost], {})
    assert work.resync
    assert not work.orders


def test_other_objects_of_a_channel_are_none_of_ours() -> None:
    assert work_of([change(entity="Account", ids=("001*",))], {}) == work_of([], {})


def test_an_event_without_its_header_is_an_error() -> None:
    with pytest.raises(KeyError):
        change_of({"Status": "Draft"}, {"fields": []})


def test_a_first_start_is_complete_only_after_its_backfill() -> None:
    assert not FIRST_START.complete
    assert FIRST_START.walked(("2026-05-01T08:00:00.000+0000", "801A")).walks[0].after is not None
    assert FIRST_START.walked(None).complete


def test_a_forgotten_replay_id_is_gone_and_orders_and_lines_are_reconciled_since_the_last_known_stamp() -> None:
    standing = Standing().advanced(TOPIC, "AAAA", 1_777_622_400_000_000).forgotten(TOPIC)
    assert standing.replay == {}
    assert [(walk.object, walk.reason, walk.since) for walk in standing.walks] == [
        ("Order", RECONCILE, "2026-05-01T06:00:00Z"),
        ("OrderItem", RECONCILE, "2026-05-01T06:00:00Z"),
    ]


def test_a_topic_that_never_told_anything_is_reconciled_from_the_beginning() -> None:
    walks = Standing().advanced(TOPIC, "AAAA").forgotten(TOPIC).walks
    assert [walk.since for walk in walks] == [None, None]


def test_two_lost_cursors_do_not_reconcile_twice() -> None:
    once = Standing().forgotten(TOPIC)
    assert once.forgotten("/data/OrderItemChangeEvent").walks == once.walks


def test_a_resync_under_way_goes_on_and_however_many_are_asked_for_one_follows_it() -> None:
    begun = Walk("Order", RESYNC, after=("2026-05-01T08:00:00.000+0000", "801A"))
    standing = Standing(walks=(begun,))
    for _ in range(9):
        standing = standing.resyncing()
    assert standing.walks == (begun, Walk("Order", RESYNC))


def test_a_reconcile_under_way_goes_on_over_any_number_of_lost_cursors() -> None:
    standing = Standing().advanced(TOPIC, "AAAA", 1_777_622_400_000_000).forgotten(TOPIC)
    begun = standing.walked(("2026-05-01T05:30:00.000+0000", "801A"))
    assert begun.forgotten(TOPIC).walks == begun.walks  # it has not come to what may be missing
    further = standing.walked(("2026-05-01T07:30:00.000+0000", "801A"))
    again = further.forgotten(TOPIC).forgotten(TOPIC)
    assert again.walks[:2] == further.walks
    assert [(walk.object, walk.after) for walk in again.walks[2:]] == [("Order", None)]


def test_missing_events_lead_to_a_read_of_what_changed_since_the_last_one() -> None:
    standing = Standing().advanced(TOPIC, "AAAA", 1_777_622_400_000_000).resyncing_recent(TOPIC)
    assert [(walk.object, walk.since) for walk in standing.walks] == [
        ("Order", "2026-05-01T06:00:00Z"),
        ("OrderItem", "2026-05-01T06:00:00Z"),
    ]
    assert work_of([change("GAP_OVERFLOW", ids=("000000000000000AAA",))], {}) == work_of([], {})


def test_a_position_never_lies_beyond_what_both_clocks_have_passed() -> None:
    hour_us = 3_600_000_000
    standing = Standing().advanced(TOPIC, "AAAA", 1_777_622_400_000_000 + hour_us)
    assert standing.not_beyond(1_777_622_400_000_000).seen == {TOPIC: "2026-05-01T08:00:00Z"}


def test_a_resync_does_not_end_the_backfill() -> None:
    assert [walk.reason for walk in FIRST_START.resyncing().walks] == [BACKFILL, RESYNC]


def test_a_standing_comes_back_from_its_position() -> None:
    standing = FIRST_START.advanced(TOPIC, "AAAA", 5_000_000).walked(("2026-05-01T08:00:00.000+0000", "801A"))
    assert standing_of(standing.resyncing().to_position()) == standing.resyncing()


def test_a_position_of_something_else_is_refused() -> None:
    with pytest.raises(PositionRefused, match="no position of a Salesforce source"):
        standing_of({"offset": 7})
