"""Append-only files that two processes share: a sink writes lines, a source or the harness follows them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LARGEST_FILE = 8 * 1024 * 1024


class Ledger:
    """Writes lines to `<name>.<number>.log`; a full file is followed by the next one. One writer at a time."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._name = folder, name
        self._number = max(numbers(folder, name), default=0)
        self._file = self._opened()

    def _opened(self) -> int:
        path = file_of(self._folder, self._name, self._number)
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, lines: Iterable[str]) -> None:
        """Append all lines at once; they outlive this process."""
        os.write(self._file, "".join(f"{line}\n" for line in lines).encode())
        if os.fstat(self._file).st_size > LARGEST_FILE:
            os.close(self._file)
            self._number += 1
            self._file = self._opened()

    def close(self) -> None:
        """Release the file."""
        os.close(self._file)


@dataclass(frozen=True)
class Place:
    """Where a reader stands: the file's number and the byte behind the last line that was read."""

    number: int = 0
    offset: int = 0


def read(folder: Path, name: str, place: Place, most: int) -> tuple[list[tuple[str, Place]], Place]:
    """Up to `most` lines behind a place, each with the place behind it, and where the reader stands then."""
    found: list[tuple[str, Place]] = []
    while len(found) < most:
        path = file_of(folder, name, place.number)
        lines, ended = _lines(path, place.offset, most - len(found))
        for line in lines:
            place = Place(place.number, place.offset + len(line))
            found.append((line.decode().rstrip("\n"), place))
        if not ended or not file_of(folder, name, place.number + 1).exists():
            break
        place = Place(place.number + 1)
    return found, place


def _lines(path: Path, offset: int, most: int) -> tuple[list[bytes], bool]:
    """Whole lines, and whether the file has no more of them now."""
    if not path.exists():
        return [], False
    with path.open("rb") as file:
        file.seek(offset)
        lines = file.readlines(most * 64)[:most]
        whole = [line for line in lines if line.endswith(b"\n")]
        return whole, not file.read(1) and len(whole) == len(lines) and file.tell() == path.stat().st_size


def file_of(folder: Path, name: str, number: int) -> Path:
    """The file of that number."""
    return folder / f"{name}.{number}.log"


def numbers(folder: Path, name: str) -> list[int]:
    """The numbers of the files that are there."""
    return sorted(int(path.name.split(".")[-2]) for path in folder.glob(f"{name}.*.log"))
