"""Values on their way: every script, length and day comes through as it was entered, whatever the zone."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from connectors.errors import DataError
from connectors.testing.bench import Held
from connectors.testing.conformance.desk import Desk
from connectors.testing.conformance.reading import check_there
from connectors.testing.conformance.rule import Broken, DoesNotApply, rule
from schemas.document import Document, Fields, Value

TEXTS: Sequence[str] = (
    "齿轮泵 DN50",
    "Größe ÄÖÜß",
    "عمود دوران",
    "e\u0301 against \u00e9",
    "🏭👩‍🏭",
    "\U00020000 beyond the first plane",
    'it\'s "quoted" \\ 100% _ ; -- <b>&amp;</b>',
    "null",
    "0012",
    "1e5",
    "=1+1",
    "a,b;c|d",
    "tab\tin it",
    "two\nlines",
    "in\u00a0between\u200bnothing",
    "",
)
DAYS = (
    "2026-03-29",
    "2026-10-25",
    "2026-03-08",
    "2024-02-29",
    "2016-12-31",
    "2017-01-01",
    "2026-01-01",
    "2099-12-31",
)
"""Changes to and from summer time on both sides of the Atlantic, a leap day, a leap second's day, a year's end."""

MOMENTS = (
    "2026-03-29T00:59:59+00:00",
    "2026-03-29T01:00:00+00:00",
    "2026-10-25T02:30:00+02:00",
    "2026-10-25T02:30:00+01:00",
    "2016-12-31T23:59:59+00:00",
    "2017-01-01T00:00:00+00:00",
    "2026-05-01T08:00:00+05:45",
)
LEAP_SECOND = "2016-12-31T23:59:60+00:00"
ZONES = ("UTC", "Asia/Shanghai", "America/New_York", "Pacific/Kiritimati")


@rule(
    "source",
    "A name in another script, or with a quotation mark, would stop the source or come out as another.",
)
def every_text_is_read_as_it_was_entered(desk: Desk) -> None:
    """Texts of every script, with quotes, signs and line ends, very long and empty, are read as they were entered."""
    long_one = (
        ("long " * desk.facts.longest_text)[: desk.facts.longest_text].rstrip().ljust(desk.facts.longest_text, "x")
    )
    check_texts(desk, [*TEXTS, long_one])


@rule("source", "The one value that stops a source is the one that nobody thought of.", long=True)
def any_text_is_read_as_it_was_entered(desk: Desk) -> None:
    """Texts that hypothesis makes up are read as people entered them."""
    try:
        from hypothesis import HealthCheck, Phase, given, settings, strategies
    except ImportError as error:
        raise DoesNotApply("hypothesis is not installed: pip install hypothesis") from error
    letters = strategies.characters(exclude_categories=("Cs", "Cc"))
    texts = strategies.lists(strategies.text(letters, max_size=desk.facts.longest_text), min_size=10, max_size=30)

    # what is told is the one text of many that went wrong, so that there is nothing to make smaller
    @settings(
        max_examples=15,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(texts)
    def check(some: list[str]) -> None:
        check_texts(desk, [each.strip() for each in some] if desk.facts.trims_text else some)

    try:
        check()
    except ExceptionGroup as flaky:  # it went well when hypothesis tried it once more; what went wrong is inside
        raise flaky.exceptions[0] from None


@rule("source", "A delivery date would move by a day twice a year, or for every plant east of the head office.")
def every_day_is_read_as_it_was_entered(desk: Desk) -> None:
    """A date is a date: days around changes of the clock, leap days and year ends come as they were entered."""
    field = desk.facts.date_field
    if not field:
        raise DoesNotApply("the bench names no date field (Facts.date_field)")
    for zone in ZONES:
        with living_in(zone):
            check_entered(desk, field, DAYS, f"on a machine in {zone}")


@rule("source", "A report would lie an hour off, and operations would end before they began.")
def every_moment_is_read_as_it_was(desk: Desk) -> None:
    """A moment is the same moment whatever zone it was entered in, also in the hour that comes twice."""
    field = desk.facts.instant_field
    if not field:
        raise DoesNotApply("the bench names no instant field (Facts.instant_field)")
    for zone in ZONES:
        with living_in(zone):
            made = {record: moment for moment in MOMENTS if (record := entered(desk, {field: moment})) is not None}
            for record, document in read(desk, made).items():
                if not same_moment(document.fields.get(field), made[record]):
                    was = f"{made[record]} was entered as {field} and read as {document.fields.get(field)!r}"
                    raise Broken(f"{was} on a machine in {zone}: keep the offset, never go through local time")


@rule(
    "source",
    "Software that cannot read 23:59:60 stops at it, with everything behind it, in the night of a year's end.",
)
def a_leap_second_stops_nothing(desk: Desk) -> None:
    """A record whose moment is a leap second comes, readable or with its problem told, and so do the others."""
    if not desk.facts.instant_field:
        raise DoesNotApply("the bench names no instant field (Facts.instant_field)")
    odd = entered(desk, {desk.facts.instant_field: LEAP_SECOND})
    if odd is None:
        raise DoesNotApply("the far system takes no leap second from people")
    other = desk.make()
    with desk.source() as source:
        source.until(lambda: {odd, other} <= source.newest.keys(), f"{odd} has a leap second, and not both came")


@rule("source", "Two workers in two zones would tell one record as two different ones, and each restart as news.")
def a_document_does_not_depend_on_the_machine(desk: Desk) -> None:
    """The same record gives the same document on machines in different time zones."""
    record = desk.make()
    found: list[Document] = []
    for zone in ZONES:
        with living_in(zone):
            found.append(read(desk, {record: ""})[record])
    for zone, document in zip(ZONES, found, strict=True):
        if document != found[0]:
            raise Broken(f"{record} is {document!r:.300} on a machine in {zone} and {found[0]!r:.300} in {ZONES[0]}")


@rule("sink", "A name in another script would be refused there, or stored as question marks.")
def every_text_is_written_as_it_is(desk: Desk) -> None:
    """Texts of every script, with quotes, signs and line ends, and very long ones are held as they were sent."""
    longest = "long " * desk.facts.sink_longest_text
    texts = (*(text for text in TEXTS if text), longest[: desk.facts.sink_longest_text - 1] + "x")
    check_written(desk, desk.facts.sink_text_field, [(desk.number(), text) for text in texts])


@rule("sink", "A text that somebody emptied would stop the batch, or the old one would stay for ever.")
def an_empty_text_is_written_or_refused(desk: Desk) -> None:
    """An empty text is held as empty, or its document is rejected with a DataError and stops no other."""
    field = desk.facts.sink_text_field
    empty, other = desk.far.document(desk.number(), 1, {field: ""}), desk.document()
    with desk.sink() as sink:
        rejected = sink.write([empty, other])
    desk.check_held([other], 1, "a write beside one with an empty text")
    if rejected and not (rejected[0].index == 0 and isinstance(rejected[0].error, DataError)):
        raise Broken(
            f"an empty {field} gives {rejected[0].error!r:.200}: reject that document with a DataError, or write it"
        )
    if not rejected and (came := desk.held(empty, "a write of an empty text").values.get(field)) not in ("", None):
        raise Broken(f"an empty {field} was written and is held as {came!r}")


@rule("sink", "A work order would be due a day early on every machine west of the far system.")
def every_day_is_written_as_it_is(desk: Desk) -> None:
    """A date is held as the day that was sent, on machines in different time zones."""
    field = desk.facts.sink_date_field
    if not field:
        raise DoesNotApply("the bench names no date field of the sink (Facts.sink_date_field)")
    for zone in ZONES:
        with living_in(zone):
            check_written(desk, field, [(desk.number(), day) for day in DAYS])


def check_texts(desk: Desk, texts: Sequence[str]) -> None:
    """Enter each and read it back; an empty one may come as nothing."""
    check_entered(desk, desk.facts.text_field, texts, "by a source")


def check_entered(desk: Desk, field: str, values: Sequence[str], where: str) -> None:
    """Enter each value and read it back."""
    made = {record: value for value in values if (record := entered(desk, {field: value})) is not None}
    for record, document in read(desk, made).items():
        came = document.fields.get(field)
        if came != made[record] and not (made[record] == "" and came is None):
            raise Broken(
                f"{made[record]!r:.120} was entered as {field} of {record} and read {where} as {came!r:.120}"
            )


def entered(desk: Desk, values: Fields) -> str | None:
    """The record a person made with these values; None where the far system takes no such values."""
    try:
        return desk.people.make(values)
    except ValueError:
        return None


def read(desk: Desk, made: dict[str, str]) -> dict[str, Document]:
    """What a first start gives of these records."""
    with desk.source() as source:
        source.until(
            lambda: all(record in source.newest for record in made), "records with odd values did not all come"
        )
    return {record: check_there(source, record, "the first start") for record in made}


def check_written(desk: Desk, field: str, numbered: Sequence[tuple[int, str]]) -> None:
    """Write each value alone and look at what is held."""
    with desk.sink() as sink:
        for number, value in numbered:
            try:
                document = desk.far.document(number, 1, {field: value})
            except ValueError:
                continue  # the far system has no place for it, which the bench says
            rejected = sink.write([document])
            if rejected:
                raise Broken(f"{field} = {value!r} is rejected: {rejected[0].error}")
            held: Held = desk.held(document, f"a write of {field} = {value!r}")
            if held.values.get(field) != value:
                raise Broken(f"{field} = {value!r} was written and is held as {held.values.get(field)!r}")


def same_moment(came: Value, entered_as: str) -> bool:
    """Whether two ISO texts with offsets mean one moment."""
    try:
        return datetime.fromisoformat(str(came)) == datetime.fromisoformat(entered_as)
    except (ValueError, TypeError):
        return False


@contextmanager
def living_in(zone: str) -> Iterator[None]:
    """The process's local time is that of the zone for a while."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()
