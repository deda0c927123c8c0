"""Pure: the chain of audit entries. Each holds the hash of the one before it, so nothing in between can be changed.

Who can write to the topic can also rewrite the whole chain; that, and a cut tail, shows against the heads that were
published elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from schemas.codec import CodecError
from schemas.document import Fields, to_json
from schemas.event import Record
from schemas.identity import entry_hash

LONGEST_TEXT = 20_000


@dataclass(frozen=True)
class Deed:
    """One act to be audited. A repeat has the same `deed_id`. `at_us` is when it was done, UTC microseconds."""

    deed_id: str
    action: str
    who: str
    stage: str
    subject: str
    reason: str
    details: Mapping[str, str] = field(default_factory=dict)
    at_us: int = 0


@dataclass(frozen=True)
class Head:
    """The last entry of a chain: its number and its hash; `at_us` is when it was published, UTC microseconds."""

    number: int
    hash: str
    at_us: int = 0


EMPTY = Head(0, "")


@dataclass(frozen=True)
class Flaw:
    """The first thing that is wrong with a chain: changed, missing, reordered, unreadable, cut or rebuilt."""

    number: int
    kind: str
    message: str


def chained(head: Head, deeds: Iterable[Deed]) -> Iterator[Record]:
    """The entries of these deeds, in their order, chained to the entry that is the head."""
    for deed in deeds:
        entry = _entry(head, deed)
        head = head_of(entry)
        yield entry


def head_of(entry: Record) -> Head:
    """The head that an entry is."""
    return Head(cast("int", entry["number"]), str(entry["hash"]))


def _entry(head: Head, deed: Deed) -> Record:
    details = {_kept(name): _kept(value) for name, value in deed.details.items()}
    content: dict[str, int | str] = {
        "number": head.number + 1,
        "previous": head.hash,
        "deed_id": encodable(deed.deed_id),
        "action": deed.action,
        "who": _kept(deed.who),
        "stage": deed.stage,
        "subject": _kept(deed.subject),
        "reason": _kept(deed.reason),
        "details": to_json(details),
        "at": deed.at_us,
    }
    return {**content, "hash": entry_hash(content)}


def _kept(text: str) -> str:
    """A text that fits: a longer one is cut, and says how much is missing."""
    left = len(text) - LONGEST_TEXT
    return encodable(text if left <= 0 else f"{text[:LONGEST_TEXT]}… ({left:,} characters more)")


def encodable(text: str) -> str:
    """The text as it is entered: half a character in it is shown escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def first_flaw(entries: Iterable[Record | CodecError], heads: Sequence[Head] = ()) -> Flaw | None:
    """What is wrong with a chain, from its first entry on; None where all of it is as it was written.

    An entry that cannot be decoded is given as its error. `heads` are those that were published.
    """
    whole = list(entries)
    before = EMPTY
    for entry in whole:
        flaw = _link(before, entry, whole)
        if flaw is not None:
            return flaw
        before = head_of(cast("Record", entry))
    return _against_heads(cast("Sequence[Record]", whole), heads)


def _link(before: Head, entry: Record | CodecError, whole: Sequence[Record | CodecError]) -> Flaw | None:
    expected = before.number + 1
    if isinstance(entry, CodecError):
        return Flaw(expected, "unreadable", f"what stands after entry {before.number} is no audit entry: {entry}")
    number = cast("int", entry["number"])
    if entry_hash(cast("Fields", entry)) != entry["hash"]:
        return Flaw(number, "changed", f"entry {number} does not hold what it was written with")
    if number > expected:
        return _gap(expected, number, whole)
    if number < expected:
        return Flaw(number, "reordered", f"entry {number} stands after entry {before.number}")
    if entry["previous"] != before.hash:
        return Flaw(number, "changed", f"entry {number} was not written after the entry {before.number} before it")
    return None


def _gap(expected: int, number: int, whole: Sequence[Record | CodecError]) -> Flaw:
    """Entry `expected` is not where it belongs: later in the chain, or nowhere."""
    if any(not isinstance(each, CodecError) and each["number"] == expected for each in whole):
        return Flaw(expected, "reordered", f"entry {expected} does not stand before entry {number}")
    missing = f"entry {expected} is" if number == expected + 1 else f"entries {expected} to {number - 1} are"
    return Flaw(expected, "missing", f"{missing} missing before entry {number}")


def _against_heads(entries: Sequence[Record], heads: Sequence[Head]) -> Flaw | None:
    """The published heads must all stand in the chain: `entries` are numbered from 1 without gaps."""
    for head in sorted(heads, key=lambda each: each.number):
        if head.number > len(entries):
            missing = f"entries {len(entries) + 1} to {head.number} were there when the head was published"
            return Flaw(len(entries) + 1, "cut", f"the chain ends with entry {len(entries)}; {missing}")
        if head.number and entries[head.number - 1]["hash"] != head.hash:
            return Flaw(
                head.number, "rebuilt", f"entry {head.number} is another one than when its hash was published"
            )
    return None
