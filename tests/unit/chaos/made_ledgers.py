"""Ledgers made by hand: one order with one work order that lived a whole life, and ways to spoil it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.chaos.facts import Facts, Line, Operation, ParkedFact, Status, StatusWrite, Wanted, Work, WorkWrite

KEY, LINE = "crm:00000007", "802A"
JOB = f"{KEY}/{LINE}"
SECOND_US = 1_000_000


def version(number: int) -> str:
    return f"{number:020d}"


def work(number: int = 1, **changes: Any) -> Work:
    made = Work(JOB, "d1", version(number), "PART-01", 5.0, "pcs", "2030-01-07", "normal", "released")
    return replace(made, **changes)


def finished(number: int = 1, **changes: Any) -> Work:
    return work(number, state="completed", operations=[Operation("2026-01-01T00:00:09", 5.0, 1.0, 0.0)], **changes)


def status(number: int = 2, **changes: Any) -> Status:
    return replace(Status(KEY, version(number), "completed", 5.0, 1.0, 0.0, 100.0), **changes)


def wrote(at_s: float, what: Work, by: str = "api", did: str = "update") -> WorkWrite:
    return WorkWrite(int(at_s * SECOND_US), by, did, what)


def told(at_s: float, what: Status, created: bool = False) -> StatusWrite:
    return StatusWrite(int(at_s * SECOND_US), created, what)


def parked(**changes: Any) -> ParkedFact:
    return replace(ParkedFact("sink.plant-a", "p1", KEY, JOB, "refused", "work order is gone"), **changes)


def good_facts(**changes: Any) -> Facts:
    """An order that was placed, made, reported and told."""
    facts = Facts(
        wanted={KEY: Wanted(KEY, {LINE: Line("PART-01", 5.0)}, "2030-01-07", "normal")},
        acts=[],
        works={JOB: [finished()]},
        work_writes=[wrote(1, work(), did="batch_create"), wrote(3, finished(), by="person", did="data_update")],
        statuses={KEY: [status()]},
        status_writes=[told(2, status(1, state="planned", good=0.0, scrap=0.0), created=True), told(4, status())],
    )
    return replace(facts, **changes)
