"""The drop folder: which files are ready to be read, and where finished ones go."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from connectors.errors import ConfigError, TransientError
from connectors.files.config import Table

DONE = "done"
UNFINISHED = (".part", ".tmp", ".crdownload")
HIDDEN = (".", "~$")
HASH_LENGTH = 16


@dataclass(frozen=True)
class Look:
    """A file as one look saw it."""

    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Found:
    """A file that is ready: its table and its whole content at that moment."""

    name: str
    table: Table
    content: bytes
    mtime_us: int

    @property
    def content_hash(self) -> str:
        """What tells two versions of a file apart."""
        return content_hash(self.content)


class Folder:
    """Sees a file as ready when two looks in a row saw it with the same size and time."""

    def __init__(self, path: Path, tables: Sequence[Table]) -> None:
        self._path = path
        self._tables = tables
        self._seen: dict[str, Look | None] = {}

    def check(self) -> None:
        """Raise ConfigError where there is no folder, or none that finished files can be moved in."""
        if not self._path.is_dir():
            raise ConfigError("folder", f"{self._path} is no folder.", "Create it, or correct the path.")
        try:
            (self._path / DONE).mkdir(exist_ok=True)
        except OSError as error:
            raise ConfigError(
                "folder",
                f"{self._path}/{DONE} cannot be made ({error.strerror}).",
                "Let the bus write there.",
            ) from error

    def look(self) -> tuple[Sequence[str], bool]:
        """The names that are ready, in order, and whether others are there that are not ready yet."""
        try:
            names = [path.name for path in self._path.iterdir() if self.table(path.name) and path.is_file()]
        except OSError as error:
            raise TransientError(f"the folder {self._path} cannot be read ({error.strerror})") from error
        now = {name: _look(self._path / name) for name in names}
        ready = sorted(name for name, seen in now.items() if self._seen.get(name) == seen)
        self._seen = now
        return ready, len(ready) < len(now)

    def table(self, name: str) -> Table | None:
        """The table that reads a file of this name, or None where nobody does."""
        if name.startswith(HIDDEN) or name.endswith(UNFINISHED):
            return None
        return next((table for table in self._tables if fnmatchcase(name, table.pattern)), None)

    def read(self, name: str) -> Found | None:
        """The file with its content, or None where it is gone or is nobody's."""
        path, table = self._path / name, self.table(name)
        try:
            mtime_us = path.stat().st_mtime_ns // 1000
            return Found(name, table, path.read_bytes(), mtime_us) if table else None
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError("folder", f"{path} cannot be read ({error.strerror}).", "Let us read it.") from error

    def put_away(self, name: str, content: str) -> None:
        """Move a finished file to done/; one that changed since it was read stays, to be read as a new one."""
        path = self._path / name
        try:
            if content_hash(path.read_bytes()) != content:
                return
            target = self._path / DONE / name
            if target.exists():
                target = target.with_name(f"{path.stem}.{content}{path.suffix}")
            path.rename(target)
        except FileNotFoundError:
            return
        except OSError as error:
            raise ConfigError(
                "folder", f"{path} cannot be moved to {DONE}/ ({error.strerror}).", "Let the bus write there."
            ) from error


def content_hash(content: bytes) -> str:
    """A short hash of a file's content."""
    return hashlib.sha256(content).hexdigest()[:HASH_LENGTH]


def _look(path: Path) -> Look | None:
    try:
        seen = path.stat()
    except FileNotFoundError:
        return None
    return Look(seen.st_size, seen.st_mtime_ns)
