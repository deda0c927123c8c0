"""The verdict on a run: ledgers in, violations out. Pure, and it shares nothing with the bus.

lost        an order, or one of its work orders, never arrived
twice       more than one work order was made for one order line
made again  a work order that a person had deleted was made a second time
wiped       a repeated creation overwrote what people had written
different   the two sides do not show the same at the end
older       an older state was shown for longer than one lease, or as the last word
told twice  a customer was told one version twice with different words, or again after a newer one
unexplained a record is parked and nothing that was done explains it
unaccounted the far system refused a record for good, and it is neither parked nor written later
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TypeAlias

from tests.chaos.equal import unequal
from tests.chaos.facts import LEASE_US, Facts, ParkedFact, StatusWrite, WorkWrite

REMOVED = "data_remove"
RECOVERED = "data_recover"
CREATED = frozenset({"create", "batch_create"})


@dataclass(frozen=True)
class Violation:
    """One broken promise about one order; `subject` is what the history has to show."""

    kind: str
    key: str
    subject: str
    message: str


Rule: TypeAlias = Callable[[Facts], Iterable[Violation]]


def violations(facts: Facts) -> list[Violation]:
    """Everything that should not be; empty for a good run."""
    found = [violation for rule in RULES for violation in rule(facts)]
    return sorted(found, key=lambda each: (each.key, each.kind, each.subject, each.message))


def key_of(job: str) -> str:
    """The order that a work order is for."""
    return job.rpartition("/")[0]


def _by_job(writes: Sequence[WorkWrite]) -> Mapping[str, list[WorkWrite]]:
    found: defaultdict[str, list[WorkWrite]] = defaultdict(list)
    for write in writes:
        found[write.work.job].append(write)
    return found


def deleted_jobs(facts: Facts) -> frozenset[str]:
    """The jobs whose work order a person deleted and nobody recovered."""
    gone: set[str] = set()
    for write in facts.work_writes:
        if write.did == REMOVED:
            gone.add(write.work.job)
        elif write.did == RECOVERED:
            gone.discard(write.work.job)
    return frozenset(gone)


def one_work_order_each(facts: Facts) -> Iterator[Violation]:
    for job, writes in _by_job(facts.work_writes).items():
        made: list[str] = []
        removed = False
        for write in writes:
            removed = (removed or write.did == REMOVED) and write.did != RECOVERED
            if write.by == "api" and write.did in CREATED and write.work.data_id not in made:
                if made:
                    kind = "made again" if removed else "twice"
                    ids = ", ".join([*made, write.work.data_id])
                    yield Violation(kind, key_of(job), job, f"{job} was made as {ids}")
                made.append(write.work.data_id)


def nothing_is_wiped(facts: Facts) -> Iterator[Violation]:
    for job, writes in _by_job(facts.work_writes).items():
        last: dict[str, WorkWrite] = {}
        for write in writes:
            before = last.get(write.work.data_id)
            if write.by == "api" and write.did in CREATED and before is not None:
                if before.did == REMOVED:
                    yield Violation("made again", key_of(job), job, f"{job} was deleted by a person and made again")
                elif before.work.operations and not write.work.operations:
                    yield Violation("wiped", key_of(job), job, f"{job}: a second creation took the reports away")
            last[write.work.data_id] = write


def both_sides_equal(facts: Facts) -> Iterator[Violation]:
    gone, waiting = deleted_jobs(facts), _parked_subjects(facts)
    for key, order in facts.wanted.items():
        works = {job: facts.works.get(job, ()) for job in order.jobs}
        for message in unequal(order, works, gone, facts.statuses.get(key, ())):
            subject = message.partition(": ")[0] if message.startswith(f"{key}/") else key
            if waiting & {key, subject, *order.jobs}:
                continue  # it is said to be parked; whether rightly so is the parked rule's question
            lost = message.endswith(("no work order", "0 production statuses in Salesforce"))
            yield Violation("lost" if lost else "different", key, subject, message)


def nobody_unknown(facts: Facts) -> Iterator[Violation]:
    jobs = {job for order in facts.wanted.values() for job in order.jobs}
    for job in sorted(facts.works.keys() - jobs):
        yield Violation("different", key_of(job), job, f"{job}: a work order that no order asks for")


def no_older_state(facts: Facts) -> Iterator[Violation]:
    shown = [(write.work.job, key_of(write.work.job), write.at_us, write.work.version) for write in facts.work_writes
             if write.did != REMOVED]  # fmt: skip
    told = [(write.status.key, write.status.key, write.at_us, write.status.version) for write in facts.status_writes]
    final = {job: works[0].version for job, works in facts.works.items() if works}
    final |= {key: statuses[0].version for key, statuses in facts.statuses.items() if statuses}
    for subject, key, states in _subjects([*shown, *told]):
        yield from _going_back(subject, key, states, final.get(subject))


def _subjects(writes: Iterable[tuple[str, str, int, str]]) -> Iterator[tuple[str, str, list[tuple[int, str]]]]:
    found: defaultdict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for subject, key, at_us, version in writes:
        found[subject, key].append((at_us, version))
    for (subject, key), states in found.items():
        yield subject, key, states


def _going_back(subject: str, key: str, states: Sequence[tuple[int, str]], final: str | None) -> Iterator[Violation]:
    newest, older_since = "", None
    for at_us, version in states:
        if older_since is not None and at_us - older_since > LEASE_US:
            seconds = (at_us - older_since) / 1e6
            yield Violation(
                "older", key, subject, f"{subject}: an older state than {newest} stood for {seconds:.1f} s"
            )
        if version >= newest:
            newest, older_since = version, None
        elif older_since is None:
            older_since = at_us
    if final is not None and final < newest:
        yield Violation("older", key, subject, f"{subject}: the last word is {final}, but {newest} had been written")


def nobody_told_twice(facts: Facts) -> Iterator[Violation]:
    words: dict[tuple[str, str], StatusWrite] = {}
    newest: dict[str, str] = {}
    created: set[str] = set()
    for write in facts.status_writes:
        key, version = write.status.key, write.status.version
        before = words.setdefault((key, version), write)
        if before.status != write.status:
            yield Violation("told twice", key, key, f"{key}: version {version} was told with different words")
        elif before is not write and newest[key] > version:
            yield Violation("told twice", key, key, f"{key}: version {version} was told again after {newest[key]}")
        if write.created and key in created:
            yield Violation("told twice", key, key, f"{key}: a second production status was created")
        created |= {key} if write.created else set()
        newest[key] = max(newest.get(key, ""), version)


def parked_is_explained(facts: Facts) -> Iterator[Violation]:
    deleted = {write.work.job for write in facts.work_writes if write.did == REMOVED}
    for parked in facts.parked:
        if not any(explains(parked, facts, deleted) for explains in EXPLANATIONS.values()):
            where = f"{parked.stage} parked {parked.parked_id} ({parked.cause}: {parked.message})"
            yield Violation("unexplained", parked.key, parked.subject, where)


def refusals_are_accounted_for(facts: Facts) -> Iterator[Violation]:
    """What the far system did not carry out is parked, was carried out after all, or is wanted by nobody any more."""
    parked, deleted = _parked_subjects(facts), deleted_jobs(facts)
    written = {(write.work.job, write.work.version) for write in facts.work_writes if write.by == "api"}
    for job, version in facts.refused.items():
        order = facts.wanted.get(key_of(job))
        given_up = job in deleted or (order is not None and order.cancelled)
        done = any(each == job and stored >= version for each, stored in written)
        if not (given_up or done or job in parked):
            message = f"{job}: version {version} was not carried out, and it is not parked"
            yield Violation("unaccounted", key_of(job), job, message)


def _parked_subjects(facts: Facts) -> frozenset[str]:
    return frozenset(each.subject for each in facts.parked)


Explanation: TypeAlias = Callable[[ParkedFact, Facts, Set[str]], bool]

EXPLANATIONS: Mapping[str, Explanation] = {
    "a person deleted its work order": lambda parked, _, deleted: (
        parked.stage == "sink.plant-a" and parked.cause == "refused" and parked.subject in deleted
    ),
    "the far system was made to refuse it": lambda parked, facts, _: any(
        text in parked.message for text in facts.refusals
    ),
}
"""Why a record may be parked at the end of a run."""

RULES: Sequence[Rule] = (
    one_work_order_each,
    nothing_is_wiped,
    both_sides_equal,
    nobody_unknown,
    no_older_state,
    nobody_told_twice,
    parked_is_explained,
    refusals_are_accounted_for,
)
