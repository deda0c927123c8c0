"""The shortest history of one order: what was done to it and what was accepted about it, in the order of time."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.checker import Violation, key_of
from tests.chaos.facts import Facts, Status, Work


def history(facts: Facts, violation: Violation) -> list[str]:
    """One line for each event of the order, with the seconds since the first of them."""
    events = sorted(_events(facts, violation))
    first = events[0][0] if events else 0
    lines = [f"{(at_us - first) / 1e6:9.3f} s  {text}" for at_us, text in events]
    parked = [each for each in facts.parked if violation.key in (each.key, key_of(each.subject))]
    return [*lines, *(f"    parked  {each.stage} {each.parked_id}: {each.cause}: {each.message}" for each in parked)]


def _events(facts: Facts, violation: Violation) -> Iterator[tuple[int, str]]:
    key, subject = violation.key, violation.subject
    about_status = subject == key
    for act in facts.acts:
        if act.key == key:
            yield act.at_us, f"generator   {act.what} {act.detail}".rstrip()
    for write in facts.work_writes:
        if write.work.job == subject or (about_status and key_of(write.work.job) == key):
            yield write.at_us, f"JianDaoYun  {write.did} by {write.by}: {_work(write.work)}"
    for told in facts.status_writes:
        if told.status.key == key:
            yield told.at_us, f"Salesforce  {'created' if told.created else 'updated'}: {_status(told.status)}"


def _work(work: Work) -> str:
    good = (
        f", operations {[(each.good, each.scrap, each.rework) for each in work.operations]}"
        if work.operations
        else ""
    )
    line = work.job.rpartition("/")[2]
    return (
        f"{line} ({work.data_id[-8:]}) v{work.version[-10:]} {work.state} {work.item}×{work.quantity:g} "
        f"{work.due} {work.priority}{good}"
    )


def _status(status: Status) -> str:
    return f"v{status.version[-10:]} {status.state} {status.percent:g}% good {status.good:g} scrap {status.scrap:g}"
