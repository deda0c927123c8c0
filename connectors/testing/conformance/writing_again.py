"""A write that happens twice, at once, or with an end that nobody knows makes one record."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack

from connectors.errors import FarError, TransientError, UnknownOutcome
from connectors.testing.abilities import SilentBench, SwallowingBench
from connectors.testing.conformance.desk import Desk
from connectors.testing.conformance.driven import DrivenSink
from connectors.testing.conformance.rule import Broken, DoesNotApply, rule
from connectors.testing.conformance.writing import check_taken
from schemas.document import Document

TRIES = 5
AT_ONCE = 4


@rule(
    "sink",
    "The bus sends a batch again whenever it does not know whether it arrived: everything would be made twice.",
)
def a_repeated_write_changes_nothing(desk: Desk) -> None:
    """The same documents written again, by the same and by a new instance, leave one record each, as it was."""
    documents = desk.documents(3)
    with desk.sink() as sink:
        check_taken(sink.write(documents), "documents that may be written")
        before = [desk.held(each, "the first write") for each in documents]
        check_taken(sink.write(documents), "the same documents again")
    with desk.sink() as another:
        check_taken(another.write(documents), "the same documents by a new instance")
    for document, was in zip(documents, before, strict=True):
        now = desk.held(document, "the same write three times")
        if now != was:
            raise Broken(f"{document.id} was held as {was} and is {now} after the same document came again")


@rule("sink", "After a rebalance two workers may write one order at the same moment: it would be made twice.")
def concurrent_writes_make_one_record(desk: Desk) -> None:
    """Several instances that write the same new documents at once make one record each."""
    documents = desk.documents(3)
    check_at_once(desk, [documents] * AT_ONCE)
    desk.check_held(documents, 1, f"{AT_ONCE} instances wrote it at once")


@rule("sink", "Two workers with two versions of one order leave the older one in force.", long=True)
def concurrent_versions_leave_the_newest(desk: Desk) -> None:
    """Several instances that write different versions of one document at once leave the highest, once."""
    if desk.facts.version_guard == "sink":
        raise DoesNotApply(
            "the far system has no conditional write: the time of one call is left (Facts.version_guard)"
        )
    numbers = [desk.number() for _ in range(5)]
    batches = [[desk.document(number, version) for number in numbers] for version in range(1, AT_ONCE + 1)]
    check_at_once(desk, batches)
    desk.check_held(batches[-1], AT_ONCE, f"{AT_ONCE} instances wrote versions 1 to {AT_ONCE} at once")


@rule(
    "sink",
    "An answer that got lost is no write that got lost: whoever sends blindly again makes a second work order.",
)
def a_lost_answer_makes_one_record(desk: Desk) -> None:
    """A write whose answer is lost ends in success or TransientError or UnknownOutcome; repeated, it is held once."""
    swallowing = desk.ability(SwallowingBench)
    document = desk.document()
    swallowing.swallow_answer()
    try:
        with desk.sink(desk.hurried()) as sink:
            check_taken(sink.write([document]), "a document whose answer is lost")
    except (TransientError, UnknownOutcome):
        pass  # nobody knows whether it is there
    except FarError as error:
        raise Broken(f"a lost answer gives {type(error).__name__} ({error}): raise UnknownOutcome") from error
    if isinstance(desk.bench, SilentBench):
        desk.bench.speak()
    with desk.sink() as another:
        check_taken(another.write([document]), "the same document again")
    desk.check_held([document], 1, "its answer was lost and it was written again")


def check_at_once(desk: Desk, batches: Sequence[Sequence[Document]]) -> None:
    """Every batch by an instance of its own, at one moment. Raises what one of them raised at its last try."""
    start, failed = threading.Barrier(len(batches)), list[Exception]()

    def write(sink: DrivenSink, documents: Sequence[Document]) -> None:
        try:
            start.wait()
            insist(sink, documents)
        except Exception as error:
            failed.append(error)

    with ExitStack() as opened:
        sinks = [opened.enter_context(desk.sink()) for _ in batches]
        pairs = zip(sinks, batches, strict=True)
        threads = [threading.Thread(target=write, args=each, name="conformance-writer") for each in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for error in failed:
        raise error


def insist(sink: DrivenSink, documents: Sequence[Document]) -> None:
    """Write as the bus does: again where the far system was busy, those only that were given back."""
    left = list(documents)
    for last in [False] * TRIES + [True]:
        try:
            left = [left[each.index] for each in sink.write(left)]
        except FarError:
            if last:
                raise
        if not left:
            return
    raise Broken(f"{left[0].id} was given back {TRIES + 1} times while others wrote it at the same moment")
