"""The chain of audit entries: nothing in it can be changed, taken out, put in, moved or cut off unseen."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import CodecError
from schemas.identity import entry_hash
from schemas.wire import Reader, Writer
from streams.audit_chain import EMPTY, LONGEST_TEXT, Deed, Head, chained, first_flaw, head_of

TEXT = st.text(max_size=8)
DEEDS = st.builds(
    Deed, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, st.dictionaries(TEXT, TEXT, max_size=2), st.integers(0, 2**50)
)
CHAINS = st.lists(DEEDS, min_size=2, max_size=6).map(lambda deeds: list(chained(EMPTY, deeds)))
FIELDS = ("deed_id", "action", "who", "stage", "subject", "reason", "details")


def deed(number: int, **changes: Any) -> Deed:
    given = {"action": "redrive", "who": "anna", "stage": "pipeline", "subject": f"crm:{number}|crm.orders|7"}
    return Deed(**{"deed_id": f"redrive/{number}", "reason": "mended", "at_us": number, **given, **changes})


def chain(length: int) -> list[Any]:
    return list(chained(EMPTY, [deed(number) for number in range(1, length + 1)]))


@given(CHAINS)
def test_a_chain_as_it_was_written_has_no_flaw_also_after_the_wire(entries: list[Any]) -> None:
    read = [Reader("AuditEntry")(Writer("AuditEntry")(each)) for each in entries]
    assert first_flaw(read, [head_of(entries[0]), head_of(entries[-1])]) is None
    assert [each["number"] for each in read] == list(range(1, len(read) + 1))


@given(CHAINS, st.data())
def test_any_change_of_a_text_is_found(entries: list[Any], data: st.DataObject) -> None:
    place, name = data.draw(st.integers(0, len(entries) - 1)), data.draw(st.sampled_from(FIELDS))
    entries[place] = {**entries[place], name: entries[place][name] + "x"}
    flaw = first_flaw(entries)
    assert flaw is not None
    assert (flaw.number, flaw.kind) == (place + 1, "changed")


@given(CHAINS, st.data())
def test_a_changed_entry_with_a_hash_made_anew_is_found_at_the_next_one_or_by_the_head(
    entries: list[Any], data: st.DataObject
) -> None:
    place, head = data.draw(st.integers(0, len(entries) - 1)), head_of(entries[-1])
    forged = {**entries[place], "who": entries[place]["who"] + "x"}
    entries[place] = {**forged, "hash": entry_hash(forged)}
    flaw = first_flaw(entries, [head])
    assert flaw is not None
    assert flaw.number in (place + 1, place + 2)


@given(CHAINS, st.data())
def test_a_removed_entry_is_found(entries: list[Any], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries) - 2))
    del entries[place]
    flaw = first_flaw(entries)
    assert flaw is not None
    assert (flaw.number, flaw.kind) == (place + 1, "missing")


@given(CHAINS, st.data())
def test_two_entries_that_changed_places_are_found(entries: list[Any], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(entries) - 2))
    second = data.draw(st.integers(first + 1, len(entries) - 1))
    entries[first], entries[second] = entries[second], entries[first]
    flaw = first_flaw(entries)
    assert flaw is not None
    assert (flaw.number, flaw.kind) == (first + 1, "reordered")


@given(CHAINS, st.data())
def test_an_entry_that_was_put_in_or_repeated_is_found(entries: list[Any], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    other = data.draw(st.sampled_from([entries[place], *chained(Head(place, "other"), [deed(99)])]))
    flaw = first_flaw([*entries[:place], other, *entries[place:]], [head_of(entries[-1])])
    assert flaw is not None


@given(CHAINS, st.data())
def test_a_cut_tail_is_found_by_the_published_head_and_by_nothing_else(
    entries: list[Any], data: st.DataObject
) -> None:
    left = data.draw(st.integers(0, len(entries) - 1))
    assert first_flaw(entries[:left]) is None
    flaw = first_flaw(entries[:left], [EMPTY, head_of(entries[-1])])
    assert flaw is not None
    assert (flaw.number, flaw.kind) == (left + 1, "cut")


def test_a_chain_that_was_written_anew_as_a_whole_is_found_by_a_published_head() -> None:
    head = head_of(chain(3)[1])
    rebuilt = list(chained(EMPTY, [deed(number, who="eve") for number in range(1, 4)]))
    flaw = first_flaw(rebuilt, [head])
    assert flaw is not None
    assert (flaw.number, flaw.kind) == (2, "rebuilt")


def test_what_is_no_entry_is_told_with_its_place() -> None:
    one, two = chain(2)
    flaw = first_flaw([one, CodecError("garbage"), two])
    assert flaw is not None
    assert (flaw.number, flaw.kind, "garbage" in flaw.message) == (2, "unreadable", True)


def test_a_field_that_is_added_later_changes_no_hash_of_an_older_entry() -> None:
    [entry] = chain(1)
    assert first_flaw([{**entry, "added_later": None}]) is None
    assert first_flaw([{**entry, "added_later": "x"}]) is not None


def test_a_text_too_long_for_the_topic_is_cut_and_says_so() -> None:
    [entry] = chained(EMPTY, [deed(1, reason="r" * (LONGEST_TEXT + 1_234), details={"before": "\ud83d"})])
    assert str(entry["reason"]).endswith("… (1,234 characters more)")
    assert first_flaw([Reader("AuditEntry")(Writer("AuditEntry")(entry))]) is None
