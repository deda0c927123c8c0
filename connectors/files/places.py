"""Where files lie: the few things that are done with them, the same for a folder here and one on a server."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from connectors.errors import ConfigError, TransientError


@dataclass(frozen=True)
class Look:
    """A file as one look saw it."""

    size: int
    mtime_ns: int


class Place(Protocol):
    """One folder. Names are relative to it. Raises ConfigError for a right that is missing, else TransientError."""

    def check(self, inner: str) -> None:
        """Raise ConfigError where there is no such folder, or none named `inner` (if any) can be made in it."""
        ...

    def looks(self, inner: str = "") -> Mapping[str, Look]:
        """The plain files in it, or in its folder `inner`; none where that is not there."""
        ...

    def read(self, name: str) -> tuple[bytes, int] | None:
        """A file's content and when it was last changed (UTC microseconds); None where it is gone."""
        ...

    def has(self, name: str) -> bool:
        """Whether something of that name is there."""
        ...

    def move(self, name: str, to: str) -> None:
        """Rename a file; nothing where it is gone."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Make a file that nobody ever sees half written, and that outlives a power cut."""
        ...

    def close(self) -> None:
        """Let go. Safe twice."""
        ...


def part_of(name: str) -> str:
    """The name of a file while it is written, another one for each writer."""
    return f".{name}.{secrets.token_hex(4)}.part"


class LocalPlace:
    """A folder of this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self, inner: str) -> None:
        """See `Place.check`."""
        if not self._path.is_dir():
            raise ConfigError("folder", f"{self._path} is no folder.", "Create it, or correct the path.")
        try:
            (self._path / inner).mkdir(exist_ok=True)  # "" is the folder itself
        except OSError as error:
            problem = f"{self._path}/{inner} cannot be made ({error.strerror})."
            raise ConfigError("folder", problem, "Let the bus write there.") from error

    def looks(self, inner: str = "") -> Mapping[str, Look]:
        """See `Place.looks`."""
        found: dict[str, Look] = {}
        try:
            for path in (self._path / inner).iterdir():
                if path.is_file():
                    seen = path.stat()
                    found[path.name] = Look(seen.st_size, seen.st_mtime_ns)
        except FileNotFoundError:
            return found  # one of them was taken away meanwhile: the next look sees the others
        except OSError as error:
            raise TransientError(f"the folder {self._path} cannot be read ({error.strerror})") from error
        return found

    def read(self, name: str) -> tuple[bytes, int] | None:
        """See `Place.read`."""
        path = self._path / name
        try:
            return path.read_bytes(), path.stat().st_mtime_ns // 1000
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError("folder", f"{path} cannot be read ({error.strerror}).", "Let us read it.") from error

    def has(self, name: str) -> bool:
        """See `Place.has`."""
        return (self._path / name).exists()

    def move(self, name: str, to: str) -> None:
        """See `Place.move`."""
        with self._writing(f"{self._path / name} cannot be moved to {to}"):
            try:
                (self._path / name).rename(self._path / to)
            except FileNotFoundError:
                return

    def write(self, name: str, content: bytes) -> None:
        """See `Place.write`."""
        part = self._path / part_of(name)
        with self._writing(f"{self._path / name} cannot be written"):
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.rename(self._path / name)
            folder = os.open(self._path, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def close(self) -> None:
        """See `Place.close`."""

    @contextmanager
    def _writing(self, problem: str) -> Iterator[None]:
        try:
            yield
        except PermissionError as error:
            raise ConfigError("folder", f"{problem} ({error.strerror}).", "Let the bus write there.") from error
        except OSError as error:
            raise TransientError(f"{problem} ({error.strerror})") from error
