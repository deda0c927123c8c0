"""What a far system tells of changes may come twice, in another order or not at all, and its clock may be wrong."""

from __future__ import annotations

from functools import partial
from typing import Literal

from connectors.testing.abilities import ClockBench, NotifyingBench
from connectors.testing.conformance.desk import Desk
from connectors.testing.conformance.reading import carries, has
from connectors.testing.conformance.rule import Broken, DoesNotApply, rule

HOUR_S = 3600


@rule("source", "A notice that comes twice would become two changes, and the second one might undo a later one.")
def a_repeated_notice_changes_nothing(desk: Desk) -> None:
    """After notices that came twice the last document of the record is the record as it is."""
    check_spoilt(desk, "duplicated")


@rule("source", "A notice that comes late would set the order back to what it was.")
def reordered_notices_leave_the_newest(desk: Desk) -> None:
    """After notices that came in another order the last document of the record is the record as it is."""
    check_spoilt(desk, "reordered")


@rule("source", "No far system tells everything: what a notice did not tell is an order that is never made.")
def a_lost_notice_is_found(desk: Desk) -> None:
    """A change whose notice is lost is told all the same: by a sweep, a gap or a poll."""
    check_spoilt(desk, "lost")


@rule("source", "A far clock that ran ahead carries the position past later changes: they are never told.")
def a_clock_ahead_hides_no_change(desk: Desk) -> None:
    """Changes while the far clock ran an hour ahead, and after it was set right, are told, also after a restart."""
    check_clock(desk, HOUR_S)


@rule("source", "Changes that are stamped an hour ago lie before the position: they are never told.")
def a_clock_behind_hides_no_change(desk: Desk) -> None:
    """Changes that are made while the far clock is an hour behind, and afterwards, are told, also after a restart."""
    check_clock(desk, -HOUR_S)


def check_spoilt(desk: Desk, how: Literal["duplicated", "reordered", "lost"]) -> None:
    """Spoil the notices of some changes, and look for the record as it is at the end."""
    notifying = desk.ability(NotifyingBench)
    first, second = desk.make(), desk.make()
    with desk.source() as source:
        source.drain()
        last = desk.text("last")
        for values in (desk.text("first"), desk.text("then"), last):
            # what is reordered is overtaken by the last notice; what is repeated or lost is the last one itself
            if (values is last) != (how == "reordered") and not notifying.spoil_notices(how):
                raise DoesNotApply(f"the bench says that notices of this far system cannot be {how}")
            desk.people.change(first, values)
        other = desk.text("other")
        desk.people.change(second, other)
        source.until(lambda: has(source, second, other), f"notices were {how}, and a change of {second} was not told")
        source.until(
            lambda: has(source, first, last), f"notices were {how}, and the last change of {first} was not told"
        )
        source.drain()
    if not carries(source.newest[first], last):
        raise Broken(
            f"notices were {how}, and the last document of {first} is "
            f"{source.newest[first].fields!r:.300}, not {dict(last)}: fetch the record, a notice says only which one"
        )


def check_clock(desk: Desk, seconds: int) -> None:
    """Change a record while the clock is wrong, when it is right again, and over a restart."""
    clock = desk.ability(ClockBench)
    record, other = desk.make(), desk.make()
    with desk.source() as source:
        source.drain()
        clock.move_clock(seconds)
        wrong = desk.text("wrong clock")
        desk.people.change(record, wrong)
        wanted = f"a change of {record} while the far clock was {seconds} s off was not told"
        source.until(lambda: has(source, record, wrong), wanted)
    clock.move_clock(0)
    with desk.source(source.position) as again:
        for changed in (other, record):
            right = desk.text("right clock")
            desk.people.change(changed, right)
            wanted = f"a change of {changed} after the far clock was {seconds} s off and set right was not told"
            again.until(partial(has, again, changed, right), wanted)
