"""Pages: none, one record, exactly one page, one more; and the same for what a sink sends at once."""

from __future__ import annotations

from connectors.testing.conformance.desk import Desk
from connectors.testing.conformance.rule import Broken, DoesNotApply, rule


@rule("source", "A record at a page's edge that is left out is an order that is never made.", alone=True)
def every_page_boundary_is_read(desk: Desk) -> None:
    """0, 1, a page, and one more than a page of records: each comes, once, in a first start."""
    size = desk.facts.page_size
    made: set[str] = set()
    for count in (0, 1, *((size, size + 1) if size else ())):
        made.update(desk.make_many(count - len(made)))
        check_all(desk, made, f"{count} records" + (f" (a page has {size})" if size else ""))


@rule(
    "source",
    "A full page that is the last one must not end in a loop, nor the one behind it be left out.",
    alone=True,
    long=True,
)
def many_pages_are_read(desk: Desk) -> None:
    """Two pages exactly, and one record more."""
    size = desk.facts.page_size
    if not size:
        raise DoesNotApply("the bench says that the far system has no pages (Facts.page_size)")
    made = set(desk.make_many(2 * size))
    check_all(desk, made, f"{2 * size} records (a page has {size})")
    made.add(desk.make())
    check_all(desk, made, f"{2 * size + 1} records (a page has {size})")


@rule("sink", "A document at a call's edge that is left out is a work order that is never made, and nobody is told.")
def every_size_of_a_write_is_held(desk: Desk) -> None:
    """0, 1, as many as go into one call, and one more: each document is in the far system when write returns."""
    size = desk.facts.batch_size
    with desk.sink() as sink:
        for count in (0, 1, *((size, size + 1) if size else ())):
            documents = desk.documents(count)
            rejected = sink.write(documents)
            if rejected:
                raise Broken(f"of {count} documents that may be written one was rejected: {rejected[0].error}")
            desk.check_held(documents, 1, f"a write of {count} documents")


def check_all(desk: Desk, made: set[str], case: str) -> None:
    """A first start gives exactly these records, each as one document."""
    with desk.source() as source:
        source.drain()
    given = [each.id for each in source.documents]
    if missing := made - set(given):
        raise Broken(
            f"with {case} {len(missing)} did not come, {min(missing)} among them: look at the edge of the page"
        )
    if strangers := set(given) - made:
        raise Broken(f"with {case} {min(strangers)} came, which nobody made")
    if twice := {name for name in given if given.count(name) > 1}:
        raise Broken(
            f"with {case} {min(twice)} came {given.count(min(twice))} times: begin a page behind the one before"
        )
