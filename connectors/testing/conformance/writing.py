"""What a sink writes is there when it says so, and one record that cannot be written stops no other."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.contract import Rejection
from connectors.errors import Conflict, DataError, TransientError
from connectors.testing.abilities import LockingBench, RefusingBench
from connectors.testing.conformance.desk import Desk
from connectors.testing.conformance.rule import Broken, rule


@rule("sink", "The bus commits behind what was written: what is not there then is never sent again.")
def what_is_written_is_held(desk: Desk) -> None:
    """A document that is not rejected is in the far system, also after that was stopped and started."""
    document = desk.document(text="held for good")
    with desk.sink() as sink:
        check_taken(sink.write([document]), "a document that may be written")
        desk.check_held([document], 1, "write")
    desk.bench.stop()
    desk.bench.start()
    held = desk.held(document, "a restart of the far system")
    if held.values.get(desk.facts.sink_text_field) != "held for good":
        raise Broken(f"{document.id} was written with 'held for good' and is held as {dict(held.values)}")


@rule("sink", "A newer version that does not replace the older one leaves the shop floor making what nobody wants.")
def a_newer_version_replaces_the_older(desk: Desk) -> None:
    """A higher version of the same document is what the far system holds afterwards, once."""
    number = desk.number()
    document = desk.document(number, 2, text="version 2")
    with desk.sink() as sink:
        check_taken(sink.write([desk.document(number, 1)]), "version 1")
        check_taken(sink.write([document]), "version 2")
    held = desk.held(document, "version 2 was written")
    if held.version != 2 or held.values.get(desk.facts.sink_text_field) != "version 2":
        raise Broken(
            f"after versions 1 and 2 of {document.id} the far system holds version {held.version}: {held.values}"
        )


@rule("sink", "A batch that was read again after a rebalance brings back what an order was yesterday.")
def an_older_version_never_wins(desk: Desk) -> None:
    """An older version of a document counts as done and changes nothing, from the same and from a new instance."""
    number = desk.number()
    older, newer = desk.document(number, 1, text="older"), desk.document(number, 2, text="newer")
    with desk.sink() as sink:
        check_taken(sink.write([newer]), "the newer version")
        check_taken(sink.write([older]), "the older version, which counts as done")
    desk.check_held([newer], 2, "the same instance wrote an older version")
    with desk.sink() as another:
        check_taken(another.write([older]), "the older version, which counts as done")
    desk.check_held([newer], 2, "a new instance wrote an older version")


@rule("sink", "Two versions in one batch in the wrong order leave the older one in force.")
def the_last_of_one_document_wins(desk: Desk) -> None:
    """Of two versions of one document in one write, in either order, the newer one is held, once."""
    number, other = desk.number(), desk.number()
    rising = [desk.document(number, version, text=f"version {version}") for version in (1, 2)]
    falling = [desk.document(other, version, text=f"version {version}") for version in (2, 1)]
    with desk.sink() as sink:
        check_taken(sink.write([*rising, desk.document(), *falling]), "two versions of one document")
    desk.check_held([rising[1], falling[0]], 2, "versions 1 and 2 in one write")


@rule("sink", "One customer's mistake would stop every other order, or the wrong record would be parked.")
def one_bad_document_stops_no_other(desk: Desk) -> None:
    """A document that can never be written is rejected by its index with a DataError; all others are written."""
    refusing = desk.ability(RefusingBench)
    for place in (0, 1, 2):
        documents = desk.documents(2)
        documents.insert(place, refusing.unwritable(desk.number()))
        try:
            with desk.sink() as sink:
                rejections = sink.write(documents)
        except DataError as error:
            raise Broken(
                f"one bad document made write raise ({error}): return a Rejection for it, and write the others"
            ) from error
        if [each.index for each in rejections] != [place]:
            raise Broken(
                f"document {place} of 3 cannot be written, and {[each.index for each in rejections]} were rejected"
            )
        if not isinstance(rejections[0].error, DataError):
            raise Broken(f"the bad document is rejected with {type(rejections[0].error).__name__}, not DataError")
        desk.check_held(
            [each for index, each in enumerate(documents) if index != place], 1, "a write with a bad document"
        )


@rule("sink", "A record that a planner has open would stop every other order for as long.")
def a_locked_record_is_written_later(desk: Desk) -> None:
    """A record that is locked for a moment is waited for, or given back as TransientError or Conflict."""
    locking = desk.ability(LockingBench)
    numbers = [desk.number() for _ in range(3)]
    with desk.sink() as sink:
        check_taken(sink.write([desk.document(each, 1) for each in numbers]), "what may be written")
    newer = [desk.document(each, 2) for each in numbers]
    locking.lock(newer[1].id)
    try:
        with desk.sink() as sink:
            rejections = sink.write(newer)
    except (TransientError, Conflict):
        rejections = []
    for each in rejections:
        if not isinstance(each.error, TransientError | Conflict):
            raise Broken(
                f"a locked record is rejected with {type(each.error).__name__}: it is parked though it only waits"
            )
    with desk.sink() as sink:
        check_taken(sink.write(newer), "the same documents after the lock was gone")
    desk.check_held(newer, 2, "the lock was gone and the documents were written again")


@rule("sink", "A write of nothing happens when all documents of a batch were parked by the mapping.")
def nothing_may_be_written(desk: Desk) -> None:
    """A write of no documents does nothing and rejects nothing."""
    with desk.sink() as sink:
        check_taken(sink.write([]), "no document at all")


def check_taken(rejections: Sequence[Rejection], what: str) -> None:
    """Nothing was rejected."""
    for each in rejections:
        raise Broken(f"{what} was rejected: {type(each.error).__name__}: {each.error}")
