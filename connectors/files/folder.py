"""The drop folder: which files are ready to be read, and where finished ones go."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from connectors.files.config import Table
from connectors.files.places import Look, Place

DONE = "done"
UNFINISHED = (".part", ".tmp", ".crdownload")
HIDDEN = (".", "~$")
HASH_LENGTH = 16
WITH_HASH = re.compile(r"\.[0-9a-f]{16}(?=\.[^.]*$)")


@dataclass(frozen=True)
class Found:
    """A file that is ready: its table and its whole content at that moment."""

    name: str
    table: Table
    content: bytes
    mtime_us: int

    @property
    def shown(self) -> str:
        """The name that it came with."""
        return _first_name(self.name)

    @property
    def content_hash(self) -> str:
        """What tells two versions of a file apart."""
        return content_hash(self.content)


class Folder:
    """Sees a file as ready when two looks in a row saw it with the same size and time."""

    def __init__(self, place: Place, tables: Sequence[Table]) -> None:
        self._place = place
        self._tables = tables
        self._seen: Mapping[str, Look] = {}

    def check(self) -> None:
        """Raise ConfigError where there is no folder, or none that finished files can be moved in."""
        self._place.check(DONE)

    def look(self) -> tuple[Sequence[str], bool]:
        """The names that are ready, in order, and whether others are there that are not ready yet."""
        now = {name: seen for name, seen in self._place.looks().items() if self.table(name)}
        ready = sorted(name for name, seen in now.items() if self._seen.get(name) == seen)
        self._seen = now
        return ready, len(ready) < len(now)

    def finished(self) -> Sequence[str]:
        """The files that were put away, in the order in which they were written."""
        looks = {f"{DONE}/{name}": seen for name, seen in self._place.looks(DONE).items()}
        return sorted((each for each in looks if self.table(each)), key=lambda each: (looks[each].mtime_ns, each))

    def table(self, name: str) -> Table | None:
        """The table that reads a file of this name, or None where nobody does."""
        name = _first_name(name)
        if name.startswith(HIDDEN) or name.endswith(UNFINISHED):
            return None
        return next((table for table in self._tables if fnmatchcase(name, table.pattern)), None)

    def read(self, name: str) -> Found | None:
        """The file with its content, or None where it is gone or is nobody's."""
        table = self.table(name)
        found = self._place.read(name) if table else None
        return None if table is None or found is None else Found(name, table, *found)

    def put_away(self, name: str, content: str) -> None:
        """Move a finished file to done/; one that changed since it was read stays, to be read as a new one."""
        if self._hash(name) != content:
            return
        target = self._free(f"{DONE}/{name}", content)
        self._place.move(name, target)
        moved = self._hash(target)
        if moved not in (content, ""):  # it was replaced in the very moment
            self._place.move(target, self._free(name, moved))

    def close(self) -> None:
        """Let go of the place. Safe twice."""
        self._place.close()

    def _hash(self, name: str) -> str:
        found = self._place.read(name)
        return "" if found is None else content_hash(found[0])

    def _free(self, name: str, content: str) -> str:
        """The name, or one with the content's hash in it where it is taken."""
        path = PurePosixPath(name)
        return str(path.with_name(f"{path.stem}.{content}{path.suffix}")) if self._place.has(name) else name


def _first_name(name: str) -> str:
    """The name before it was put away, where one of the same name lay already."""
    return WITH_HASH.sub("", PurePosixPath(name).name)


def content_hash(content: bytes) -> str:
    """A short hash of a file's content."""
    return hashlib.sha256(content).hexdigest()[:HASH_LENGTH]
