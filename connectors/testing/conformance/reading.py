"""What a source reads: everything there is, every change, as the same documents each time."""

from __future__ import annotations

from functools import partial

from connectors.testing.conformance.described import problems_of
from connectors.testing.conformance.desk import Desk
from connectors.testing.conformance.driven import DrivenSource, follows
from connectors.testing.conformance.rule import Broken, DoesNotApply, rule
from schemas.document import Document, Fields


@rule("source", "Orders that were there before the bus was switched on would never be made.")
def the_first_start_reads_everything(desk: Desk) -> None:
    """A source that opens without a position gives every record that is there, as it is."""
    made = {desk.people.make(values): values for values in (desk.text() for _ in range(3))}
    with desk.source() as source:
        source.catch_up()
    for record, values in made.items():
        check_told(source, record, values, "the first start")


@rule(
    "source", "The bus keeps its sinks shut until then; told too early, a rebuilt bus sends old versions out first."
)
def the_backfill_is_complete_when_it_says_so(desk: Desk) -> None:
    """`complete` turns true only once everything that was there has been given, and stays true."""
    made = desk.make_many(3)
    with desk.source() as source:
        source.drain()
    first = next(number for number, batch in enumerate(source.batches) if batch.complete)
    given = {each.id for batch in source.batches[: first + 1] for each in batch.documents}
    if missing := [record for record in made if record not in given]:
        raise Broken(f"complete=True came before {missing[0]} was given: say it with the last batch of the backfill")
    if not all(batch.complete for batch in source.batches[first:]):
        raise Broken("complete went back to False: once the first reading is done it stays done, in every position")


@rule("source", "A change that is not told is an order made as it no longer is.")
def a_change_is_told(desk: Desk) -> None:
    """What a person changes comes as a document of the whole record, with a higher revision."""
    record = desk.make()
    with desk.source() as source:
        source.catch_up()
        before = check_there(source, record, "the first start")
        values = desk.text("changed")
        desk.people.change(record, values)
        source.until(lambda: has(source, record, values), f"the change of {record} to {values} was not told")
        check_follows(carrying(source, record, values), before)


@rule(
    "source",
    "The bus drops what is not newer than what it has; a later change with a lower revision is lost for good.",
)
def revisions_sort_in_the_order_of_changes(desk: Desk) -> None:
    """Each change of a record gives another revision, whose stamp is not before the last one's."""
    record = desk.make()
    with desk.source() as source:
        source.catch_up()
        last = check_there(source, record, "the first start")
        for _ in range(3):
            values = desk.text("changed")
            desk.people.change(record, values)
            source.until(partial(has, source, record, values), f"the change of {record} was not told")
            check_follows(carrying(source, record, values), last)
            last = carrying(source, record, values)


@rule("source", "A cancelled order would be made all the same.")
def a_deletion_is_told(desk: Desk) -> None:
    """A record that a person deletes comes as a deleted document, behind every revision it had."""
    if desk.facts.deletions == "untold":
        raise DoesNotApply("the bench says that deletions are not told (Facts.deletions)")
    record = desk.make()
    with desk.source() as source:
        source.catch_up()
        before = check_there(source, record, "the first start")
        desk.people.delete(record)
        source.until(lambda: any(is_deletion(each, record) for each in source.documents), f"{record} was not deleted")
        gone = next(each for each in source.documents if is_deletion(each, record))
        check_follows(gone, before)


@rule("source", "Deletions that happen while the bus is down would never be told: a cancelled order is made.")
def a_deletion_while_the_bus_was_down_is_told(desk: Desk) -> None:
    """A record that is deleted while no source runs comes as deleted after the restart."""
    if desk.facts.deletions != "told":
        raise DoesNotApply(f"the bench says that deletions are {desk.facts.deletions} (Facts.deletions)")
    record = desk.make()
    with desk.source() as source:
        source.drain()
        check_there(source, record, "the first start")
    desk.people.delete(record)
    with desk.source(source.position) as later:
        later.until(lambda: any(is_deletion(each, record) for each in later.documents), f"{record} was not deleted")


@rule("source", "A repeat would count as news: the same order is sent on again after every restart.")
def the_same_record_is_the_same_document(desk: Desk) -> None:
    """Two instances that read an unchanged record give documents that are equal in every part."""
    record = desk.make()
    found: list[Document] = []
    for _ in range(2):
        with desk.source() as source:
            source.catch_up()
            found.append(check_there(source, record, "the first start"))
    if found[0] != found[1]:
        raise Broken(
            f"the unchanged {record} came as {found[0]!r:.300} and as {found[1]!r:.300}: make it of the record alone"
        )


@rule("source", "A mapping that was checked against the description fails at run time, and the record is parked.")
def documents_are_as_described(desk: Desk) -> None:
    """Every field of a document is described, of the kind that is said, and never a float."""
    record = desk.make()
    types = {kind.name: kind for kind in desk.connector.documents(desk.config())}
    with desk.source() as source:
        source.catch_up()
        document = check_there(source, record, "the first start")
    if document.type not in types:
        raise Broken(f"{record} is of the type {document.type!r}, and documents() describes {', '.join(types)}")
    if problems := problems_of(document, types[document.type]):
        raise Broken(f"the document {record} is not as described: {'; '.join(problems)}")


@rule("source", "A position that was moved to another company's system is not noticed, and its orders are mixed up.")
def every_batch_names_the_far_system(desk: Desk) -> None:
    """Batch.system is the far system's own identity, the same in every batch and after a restart."""
    desk.make()
    with desk.source() as source:
        source.catch_up()
    with desk.source() as again:
        again.catch_up()
    named = {batch.system for batch in (*source.batches, *again.batches)}
    if len(named) != 1 or "" in named:
        raise Broken(f"batches name the far system {sorted(named)}: give its own id (an org, a database) in each")


def check_there(source: DrivenSource, record: str, after: str) -> Document:
    """The newest document of a record. Raises Broken where there is none or it cannot be read."""
    found = source.newest.get(record)
    if found is None:
        raise Broken(f"{record} did not come with {after}")
    if found.problem:
        raise Broken(f"{record} came as unreadable ({found.problem}), and a person made it in the far system itself")
    return found


def check_follows(later: Document, earlier: Document) -> None:
    """The later document's revision stands behind the earlier one's."""
    if not follows(later, earlier):
        raise Broken(
            f"the changed {later.id} has the revision {later.revision}, and had {earlier.revision} before: take the "
            "newest stamp of the fetched record, then the hash of its content (schemas.identity.revision)"
        )


def check_told(source: DrivenSource, record: str, values: Fields, after: str) -> None:
    """The newest document of a record has these values."""
    document = check_there(source, record, after)
    if not carries(document, values):
        raise Broken(f"{record} came with {after} as {document.fields!r:.300}, and {dict(values)} was entered")


def has(source: DrivenSource, record: str, values: Fields) -> bool:
    """Whether a document of the record with these values has come."""
    return any(each.id == record and carries(each, values) for each in source.documents)


def carrying(source: DrivenSource, record: str, values: Fields) -> Document:
    """The last document of the record with these values."""
    return next(each for each in reversed(source.documents) if each.id == record and carries(each, values))


def carries(document: Document, values: Fields) -> bool:
    """Whether the document has these values."""
    return all(document.fields.get(name) == value for name, value in values.items())


def is_deletion(document: Document, record: str) -> bool:
    """Whether it says that the record is deleted."""
    return document.id == record and document.deleted
