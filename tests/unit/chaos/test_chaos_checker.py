"""The checker of the chaos runs on ledgers made by hand: it finds every kind of violation, and none in a good run."""

from __future__ import annotations

import pytest

from tests.chaos.checker import violations
from tests.chaos.facts import Facts
from tests.chaos.history import history
from tests.unit.chaos.made_ledgers import (
    JOB,
    KEY,
    finished,
    good_facts,
    parked,
    status,
    told,
    version,
    work,
    wrote,
)

CREATION = wrote(1, work(), did="batch_create")
DELETION = wrote(3, work(), by="person", did="data_remove")
CREATED = told(2, status(1), created=True)
WANTED = good_facts().wanted[KEY]


def kinds(facts: Facts) -> set[str]:
    return {each.kind for each in violations(facts)}


def test_a_good_run_has_no_violation() -> None:
    assert violations(good_facts()) == []


def test_a_repeated_write_that_changes_nothing_is_no_violation() -> None:
    repeated = good_facts(status_writes=[CREATED, told(3, status()), told(4, status())])
    assert violations(repeated) == []


VIOLATED = {
    "an order without its work order": ("lost", good_facts(works={}, work_writes=[])),
    "an order whose customer was told nothing": ("lost", good_facts(statuses={}, status_writes=[])),
    "two work orders for one line": (
        "twice",
        good_facts(work_writes=[CREATION, wrote(2, finished(data_id="d2"), did="batch_create")]),
    ),
    "two work orders that stand there at the end": (
        "different",
        good_facts(works={JOB: [finished(), finished(data_id="d2")]}),
    ),
    "a work order made again after a person deleted it": (
        "made again",
        good_facts(work_writes=[CREATION, DELETION, wrote(9, work(data_id="d2"), did="batch_create")]),
    ),
    "a deleted work order overwritten by the same transaction": (
        "made again",
        good_facts(work_writes=[CREATION, DELETION, wrote(9, work(), did="batch_create")]),
    ),
    "reports that a second creation took away": (
        "wiped",
        good_facts(work_writes=[CREATION, wrote(3, finished(), by="person"), wrote(9, work(2), did="batch_create")]),
    ),
    "another quantity on the shop floor": ("different", good_facts(works={JOB: [finished(quantity=6.0)]})),
    "a cancelled order that is still open": (
        "different",
        good_facts(
            wanted={KEY: WANTED.__class__(KEY, WANTED.lines, WANTED.due, WANTED.priority, cancelled=True)},
            works={JOB: [work(state="running")]},
        ),
    ),
    "other figures in Salesforce": ("different", good_facts(statuses={KEY: [status(good=4.0)]})),
    "another state in Salesforce": ("different", good_facts(statuses={KEY: [status(state="running")]})),
    "a work order that nobody ordered": (
        "different",
        good_facts(works={JOB: [finished()], "crm:9/X": [work(job="crm:9/X")]}),
    ),
    "an older state that stood for longer than a lease": (
        "older",
        good_facts(
            work_writes=[CREATION, wrote(2, work(5)), wrote(3, work(4)), wrote(19, work(6))],
            works={JOB: [finished(6)]},
        ),
    ),
    "an older state as the last word": (
        "older",
        good_facts(work_writes=[CREATION, wrote(2, work(5)), wrote(3, finished(4))], works={JOB: [finished(4)]}),
    ),
    "one version with two contents": (
        "told twice",
        good_facts(status_writes=[CREATED, told(3, status(2, good=1.0)), told(4, status(2))]),
    ),
    "a version told again after a newer one": (
        "told twice",
        good_facts(status_writes=[CREATED, told(3, status(3)), told(4, status(1)), told(5, status(3))]),
    ),
    "a second production status": (
        "told twice",
        good_facts(status_writes=[CREATED, told(4, status(), created=True)]),
    ),
    "a parked record that nothing explains": ("unexplained", good_facts(parked=[parked()])),
    "a refused record that is nowhere": ("unaccounted", good_facts(refused={JOB: version(9)})),
}


@pytest.mark.parametrize("case", VIOLATED)
def test_every_kind_of_violation_is_found(case: str) -> None:
    kind, facts = VIOLATED[case]
    assert kind in kinds(facts)


def test_an_older_state_that_is_put_right_within_a_lease_is_no_violation() -> None:
    writes = [CREATION, wrote(2, work(5)), wrote(3, work(4)), wrote(17, finished(6))]
    assert kinds(good_facts(work_writes=writes, works={JOB: [finished(6)]})) == set()


EXPLAINED = {
    "its work order was deleted by a person": good_facts(
        parked=[parked()],
        work_writes=[CREATION, DELETION],
        works={},
        statuses={KEY: [status(state="aborted", good=0.0, scrap=0.0)]},
    ),
    "the far system was made to refuse it": good_facts(
        parked=[parked(message="batch_create: code 990017")], refusals=["code 990017"]
    ),
}


@pytest.mark.parametrize("case", EXPLAINED)
def test_a_parked_record_is_no_violation_where(case: str) -> None:
    assert kinds(EXPLAINED[case]) == set()


def test_a_refused_record_is_accounted_for_when_it_was_written_later_or_is_parked() -> None:
    assert kinds(good_facts(refused={JOB: version(1)})) == set()
    waiting = good_facts(refused={JOB: version(9)}, parked=[parked(message="code 990017")], refusals=["990017"])
    assert kinds(waiting) == set()


def test_the_history_of_a_violation_shows_what_happened_to_its_order_in_the_order_of_time() -> None:
    facts = good_facts(works={JOB: [finished(quantity=6.0)]})
    [violation] = violations(facts)
    texts = [line.partition(" s  ")[2].partition(":")[0] for line in history(facts, violation)]
    assert texts == [
        "JianDaoYun  batch_create by api",
        "Salesforce  created",
        "JianDaoYun  data_update by person",
        "Salesforce  updated",
    ]
