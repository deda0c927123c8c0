"""Pure: what one set of definitions changes against another, and which versions may not be used again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mappings import DefinitionFile

ChangeKind = Literal["new", "changed", "removed"]


@dataclass(frozen=True)
class Change:
    """One file that another set has in another content, or has and the first has not, or the other way round."""

    kind: str
    name: str
    change: ChangeKind
    version_before: int | None
    version_after: int | None

    def __str__(self) -> str:
        if self.change == "new":
            return f"{self.kind} {self.name}: new, version {self.version_after}"
        if self.change == "removed":
            return f"{self.kind} {self.name}: removed, was version {self.version_before}"
        return f"{self.kind} {self.name}: version {self.version_before} to {self.version_after}"


def changes(before: Sequence[DefinitionFile], after: Sequence[DefinitionFile]) -> list[Change]:
    """What differs, by kind and name."""
    old, new = _by_name(before), _by_name(after)
    found = []
    for key in sorted({*old, *new}):
        was, is_now = old.get(key), new.get(key)
        if was is None or is_now is None or was.content_hash != is_now.content_hash:
            found.append(_change(key, was, is_now))
    return found


def _change(key: tuple[str, str], was: DefinitionFile | None, is_now: DefinitionFile | None) -> Change:
    change: ChangeKind = "new" if was is None else "removed" if is_now is None else "changed"
    return Change(*key, change, None if was is None else was.version, None if is_now is None else is_now.version)


def told(before: Sequence[DefinitionFile], after: Sequence[DefinitionFile]) -> list[str]:
    """The changes as a person reads them."""
    return [str(each) for each in changes(before, after)]


def drafts_that_differ(live: Sequence[DefinitionFile], drafts: Sequence[DefinitionFile]) -> list[str]:
    """The names of the drafts that are not live as they are, each with its kind."""
    return [f"{each.kind} {each.name}" for each in changes(live, drafts) if each.change != "removed"]


def reused_versions(past: Iterable[DefinitionFile], files: Iterable[DefinitionFile]) -> list[DefinitionFile]:
    """Those of `files` whose version was live before with another content: a version names one content for ever."""
    known: dict[tuple[str, str, int], set[str]] = {}
    for each in past:
        known.setdefault((each.kind, each.name, each.version), set()).add(each.content_hash)
    return [
        each
        for each in files
        if each.content_hash not in known.get((each.kind, each.name, each.version), {each.content_hash})
    ]


def _by_name(files: Sequence[DefinitionFile]) -> Mapping[tuple[str, str], DefinitionFile]:
    return {(each.kind, each.name): each for each in files}
