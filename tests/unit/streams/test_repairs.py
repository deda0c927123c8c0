"""What a task is to process again: asked for by references, definitions, the clock and people."""

from __future__ import annotations

import getpass
from collections.abc import Collection
from typing import Any

import pytest

from schemas.event import Record
from schemas.wire import Writer
from streams.audit_chain import Deed
from streams.clock import now_us
from streams.commands import discard_command, edit_command, redrive_command
from streams.incoming import Entry
from streams.kafka.cluster import Cluster
from streams.kafka.transaction import Outgoing
from streams.outcome import OWNERS, Reason
from streams.parking import Parking
from streams.repairs import AT_ONCE, Repairs
from tests.unit.streams.orders_made_by_hand import order
from tests.unit.streams.test_parking_records import incoming

STAGE = "sink.plant-a"
UNKNOWN = Reason("unknown_reference", "no item", "administrator", "items/P-9")


def reason(cause: str) -> Reason:
    return Reason(cause, f"it is {cause}", OWNERS[cause])


class Reference:
    """Reference data that arrives when the test says so."""

    def __init__(self) -> None:
        self.there: set[str] = set()
        self.arrived: list[str] = []

    def news(self) -> list[str]:
        found, self.arrived = self.arrived, []
        self.there |= set(found)
        return found

    def knows(self, reference: str) -> bool:
        return reference in self.there


class Stage:
    """Partition 0 of an empty parked topic, and the repairs beside it."""

    def __init__(self) -> None:
        cluster = Cluster("127.0.0.1:1")
        self.references = Reference()
        self.parking = Parking(cluster, STAGE, "definitions-1")
        self.repairs = Repairs(cluster, self.parking, self.references)
        self.log: list[Deed] = []
        self.repairs._audit.append = self.log.extend  # type: ignore[assignment]
        self.restore([0])

    def restore(self, partitions: Collection[int]) -> None:
        self.parking.restore(partitions)
        self.repairs.restored()

    def park(self, offset: int, why: Reason = UNKNOWN, **changes: Any) -> Entry:
        self.parking.park(0, incoming(offset, **changes), why, now_us())
        self.parking.table.merge()
        found = self.parking.entry(0, incoming(offset).parked_id)
        assert found is not None
        return found

    def due(self) -> list[int]:
        return [each.incoming.offset for each in self.repairs.due()]

    def commit(self) -> None:
        self.parking.table.merge()
        self.repairs.settled()

    def told(self, command: Outgoing) -> list[int]:
        found = self.repairs.carry_out(Told(command))  # type: ignore[arg-type]
        return [each.incoming.offset for each in found]


class Told:
    """A command as the task consumes it."""

    def __init__(self, command: Outgoing) -> None:
        self._command = command

    def topic(self) -> str:
        return self._command.topic

    def partition(self) -> int | None:
        return self._command.partition

    def value(self) -> bytes | None:
        return self._command.value


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr("streams.state.read_to_end", lambda cluster, begin, take: dict(begin))
    return Stage()


def test_a_record_is_tried_again_when_its_reference_arrives_until_a_batch_with_it_is_committed(stage: Stage) -> None:
    stage.park(1)
    assert stage.due() == []
    stage.references.arrived = ["items/P-9"]
    assert (stage.due(), stage.due()) == ([1], [1])
    stage.commit()
    assert stage.due() == []


def test_a_reference_that_arrives_while_the_partition_is_away_is_found_when_it_comes_back(stage: Stage) -> None:
    stage.park(1)
    stage.parking.disown()
    stage.references.arrived = ["items/P-9"]
    assert stage.due() == []
    stage.restore([0])
    assert stage.due() == [1]


def test_reading_the_parked_records_anew_does_not_try_what_was_tried(stage: Stage) -> None:
    stage.park(1)
    stage.references.there.add("items/P-9")
    stage.restore([0])
    assert stage.due() == [1]
    stage.commit()
    stage.restore([0])
    assert stage.due() == []
    stage.park(2)
    stage.restore([0])
    assert stage.due() == [2]


def test_what_was_resolved_meanwhile_is_not_tried(stage: Stage) -> None:
    entry = stage.park(1)
    stage.references.arrived = ["items/P-9"]
    stage.parking.resolve(entry)
    stage.commit()
    assert stage.due() == []


def test_other_definitions_have_tried_again_what_they_may_mend_and_nothing_else(stage: Stage) -> None:
    for offset, cause in enumerate(("unknown_code", "no_route", "undecodable", "refused", "bad_value")):
        stage.park(offset, reason(cause))
    stage.repairs.activated("definitions-1")
    assert stage.due() == []
    stage.repairs.activated("definitions-2")
    assert stage.due() == [0, 1, 4]
    stage.commit()
    assert stage.due() == []


def test_a_task_that_was_down_during_an_activation_tries_again_when_it_is_back(stage: Stage) -> None:
    stage.park(1, reason("unknown_code"))
    stage.parking.definition = "definitions-2"
    stage.restore([0])
    assert stage.due() == [1]
    stage.park(1, reason("unknown_code"))
    stage.commit()
    stage.restore([0])
    assert stage.due() == []


def test_many_are_tried_again_in_several_turns(stage: Stage) -> None:
    for offset in range(AT_ONCE + 3):
        stage.park(offset, reason("no_route"))
    stage.repairs.activated("definitions-2")
    assert len(stage.due()) == AT_ONCE
    stage.commit()
    assert len(stage.due()) == 3


def test_a_redrive_is_carried_out_once_however_often_it_is_read(stage: Stage) -> None:
    entry = stage.park(1)
    command = redrive_command(STAGE, entry.parked_id, 0, Writer("Command"))
    assert stage.told(command) == [1]
    stage.parking.drop()  # killed or aborted before anything of it was durable
    assert stage.told(command) == [1]
    stage.park(1, reason("refused"))
    assert stage.told(command) == []
    assert stage.told(redrive_command(STAGE, entry.parked_id, 0, Writer("Command"))) == [1]


def test_a_discard_resolves_its_record_and_processes_nothing(stage: Stage) -> None:
    entry = stage.park(1)
    assert stage.told(discard_command(STAGE, entry.parked_id, 0, Writer("Command"), "a test order")) == []
    assert [each.value for each in stage.parking.outgoing()] == [None]
    assert stage.parking.entries() == []


def test_a_command_of_a_later_release_is_left_out_and_not_taken_for_a_redrive(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    entry = stage.park(1)
    value: Record = {"command": "unknown", "parked_id": entry.parked_id, "by": "x", "at": 1, "command_id": "c"}
    assert stage.told(Outgoing("commands", "k", Writer("Command")(value), partition=0)) == []
    assert "is not known here" in caplog.text
    assert stage.told(Outgoing("commands", "k", b"garbage", partition=0)) == []
    assert [each.attempts for each in stage.parking.entries()] == [1]


ORDER: Any = {"subject": "crm:1", "topic": "crm.orders", "headers": {"ce_type": "lineshaft.SalesOrder"}}


def test_an_edit_gives_the_record_new_content_and_has_it_tried_at_once(stage: Stage) -> None:
    entry = stage.park(1, **ORDER)
    content = Writer("SalesOrder")(order(reference="WO-2"))
    command = edit_command(STAGE, entry.parked_id, 0, Writer("Command"), content)
    [again] = stage.repairs.carry_out(Told(command))  # type: ignore[arg-type]
    assert again.incoming.content == content
    [kept] = stage.parking.entries()
    assert (kept.incoming.content, kept.value["edited_by"]) == (content, getpass.getuser())
    stage.parking.park(0, again.incoming, reason("refused"), 2)
    [kept] = stage.parking.entries()
    assert (kept.incoming.content, kept.attempts, kept.value["edited_by"]) == (content, 2, getpass.getuser())


def test_an_edit_that_the_task_refuses_leaves_the_record_as_it_is_and_says_why(stage: Stage) -> None:
    entry = stage.park(1, **ORDER)
    command = edit_command(STAGE, entry.parked_id, 0, Writer("Command"), b"garbage")
    assert stage.told(command) == []
    [kept] = stage.parking.entries()
    assert (kept.incoming, kept.value["edited_by"], stage.log) == (entry.incoming, None, [])
    assert str(kept.value["message"]).startswith("the edit was refused: no SalesOrder")
    assert kept.value["last_command"]


def test_a_discard_without_a_reason_is_left_out(stage: Stage) -> None:
    entry = stage.park(1)
    assert stage.told(discard_command(STAGE, entry.parked_id, 0, Writer("Command"), "")) == []
    assert len(stage.parking.entries()) == 1


def test_every_act_of_a_person_is_written_down_with_who_and_why(stage: Stage) -> None:
    first, second = stage.park(1, **ORDER), stage.park(2)
    write = Writer("Command")
    stage.repairs.due()
    stage.told(redrive_command(STAGE, first.parked_id, 0, write))
    stage.told(edit_command(STAGE, first.parked_id, 0, write, Writer("SalesOrder")(order())))
    stage.told(discard_command(STAGE, second.parked_id, 0, write, "a test order"))
    stage.repairs.write_down()
    assert [(each.action, each.who, each.subject, each.reason) for each in stage.log] == [
        ("redrive", getpass.getuser(), first.parked_id, ""),
        ("edit", getpass.getuser(), first.parked_id, ""),
        ("discard", getpass.getuser(), second.parked_id, "a test order"),
    ]
    assert stage.log[1].details["before"] != stage.log[1].details["after"]


def test_a_command_read_twice_is_one_deed(stage: Stage) -> None:
    entry = stage.park(1)
    command = redrive_command(STAGE, entry.parked_id, 0, Writer("Command"))
    for _ in range(2):
        stage.repairs.due()
        stage.told(command)
        stage.repairs.write_down()
        stage.parking.drop()
    assert len({each.deed_id for each in stage.log}) == 1
    assert stage.log[0].deed_id.startswith(f"{STAGE}/{entry.parked_id}/")


def test_what_the_bus_tries_by_itself_is_written_down_with_its_reason_and_a_planned_try_is_not(stage: Stage) -> None:
    stage.park(1)
    stage.park(2, reason("no_route"))
    later = stage.park(3, reason("refused"))
    stage.parking.change(later, retry_at=now_us())
    stage.references.arrived = ["items/P-9"]
    stage.repairs.activated("definitions-2")
    assert sorted(stage.due()) == [1, 2, 3]
    stage.repairs.write_down()
    assert {(each.subject, each.who, each.reason) for each in stage.log} == {
        ("crm:1|sink.plant-a|1", "lineshaft", "the definitions definitions-2 were activated"),
        ("crm:1|sink.plant-a|2", "lineshaft", "the definitions definitions-2 were activated"),
    }


def test_a_busy_record_is_tried_again_when_its_time_has_come_and_not_before(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = Reason("busy", "locked", OWNERS["busy"], retry_after_s=0.0)
    entry = stage.park(1, busy)
    assert (stage.due(), entry.value["retry_at"] is not None) == ([], True)
    monkeypatch.setattr("streams.repairs.now_us", lambda: entry.value["retry_at"])
    assert stage.due() == [1]
    stage.repairs.write_down()
    assert stage.log == []  # no deed of anybody
    stage.park(1, busy)
    stage.commit()
    assert stage.due() == []  # the next time is further away
