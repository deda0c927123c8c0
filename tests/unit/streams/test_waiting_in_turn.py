"""Records that do not supersede: each waits behind a parked one of its subject, and follows in order."""

from __future__ import annotations

import pytest

from schemas import catalog
from schemas.document import Document
from streams.incoming import Incoming
from streams.outcome import OWNERS, InTurn, reason_for
from streams.sink_batch import Ready, chunks, newest
from tests.unit.streams.test_parking_records import incoming
from tests.unit.streams.test_repairs import Stage, reason

REPORT = {"ce_type": "lineshaft.JobResponse"}


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage on which a JobResponse does not supersede."""
    monkeypatch.setattr("streams.state.read_to_end", lambda cluster, begin, take: dict(begin))
    monkeypatch.setattr(catalog, "IN_SEQUENCE", frozenset({"JobResponse"}))
    return Stage()


def came(offset: int, subject: str = "crm:1/L1") -> Incoming:
    return incoming(offset, subject, headers=REPORT)


def arrives(stage: Stage, offset: int, passes: bool = True, subject: str = "crm:1/L1") -> str:
    """What a task does with one record; its cause where it is parked."""
    this = came(offset, subject)
    try:
        stage.parking.check_turn(0, this, this.record)
    except InTurn as error:
        stage.parking.park(0, this, reason_for(error), 1)
        return "in_turn"
    if passes:
        stage.parking.got_through(0, this, this.record)
        return "through"
    stage.parking.park(0, this, reason("refused"), 1)
    return "refused"


def test_what_comes_behind_a_parked_one_waits_and_follows_in_order_one_by_one(stage: Stage) -> None:
    assert [arrives(stage, offset, passes=offset != 3) for offset in (2, 3, 4, 5)] == [
        "through",
        "refused",
        "in_turn",
        "in_turn",
    ]
    assert stage.due() == []
    assert arrives(stage, 3) == "through"  # redriven
    stage.commit()
    order = []
    while due := stage.due():
        order += [(offset, arrives(stage, offset)) for offset in due]
        stage.commit()
    assert order == [(4, "through"), (5, "through")]
    assert stage.parking.entries() == []


def test_nobody_jumps_the_queue_and_other_subjects_go_on(stage: Stage) -> None:
    for offset, passes in ((3, False), (4, True)):
        arrives(stage, offset, passes)
    assert arrives(stage, 4) == "in_turn"  # redriven by hand, too early
    assert arrives(stage, 6, subject="crm:1/L2") == "through"
    assert {entry.incoming.offset for entry in stage.parking.entries()} == {3, 4}


def test_a_discarded_head_lets_the_next_one_follow_also_after_a_restart(stage: Stage) -> None:
    for offset, passes in ((3, False), (4, True)):
        arrives(stage, offset, passes)
    head = stage.parking.entry(0, came(3).parked_id)
    assert head is not None
    stage.parking.resolve(head)
    stage.commit()
    stage.restore([0])
    assert stage.due() == [4]


def test_an_older_record_of_such_a_kind_is_not_closed_by_a_later_one(stage: Stage) -> None:
    arrives(stage, 3, passes=False)
    stage.parking.got_through(0, came(9), "JobResponse")
    assert len(stage.parking.entries()) == 1
    stage.parking.got_through(0, came(9), "JobOrder")
    assert stage.parking.entries() == []


def ready(offset: int, subject: str, version: int, urgent: bool = False) -> Ready:
    return Ready(came(offset, subject), version, Document("Report", subject, str(version), {}), urgent)


@pytest.mark.usefixtures("stage")
def test_a_sink_sends_all_of_a_sequence_in_order_and_never_two_of_a_subject_at_once() -> None:
    batch = newest([ready(1, "a", 1), ready(2, "a", 2, urgent=True), ready(3, "b", 3)])
    assert [each.incoming.offset for each in batch] == [1, 2, 3]
    assert [[each.incoming.offset for each in chunk] for chunk in chunks(batch)] == [[1], [2, 3]]


def test_a_sink_sends_only_the_newest_of_what_supersedes_and_the_urgent_first() -> None:
    batch = newest([ready(1, "a", 5), ready(2, "a", 4), ready(3, "b", 6, urgent=True)])
    assert [each.incoming.offset for each in batch] == [3, 1]


def test_who_waits_in_turn_waits_for_nobody_in_particular() -> None:
    assert OWNERS["in_turn"].startswith("nobody")
