"""The broker's data folder: which file is what, who holds it, and what is known about the broker on it."""

from __future__ import annotations

import fcntl
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Literal

from deploy.kafka.settings import Ports

LOCK_PATIENCE_S = 1.0


@dataclass(frozen=True)
class Layout:
    """The files of one data folder."""

    folder: Path

    @property
    def data(self) -> Path:
        """The broker's own records; absent until it is formatted."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """The broker's log, rolled at 10 MB."""
        return self.folder / "broker.log"

    @property
    def output(self) -> Path:
        """What its Java printed since the last start."""
        return self.folder / "broker.out"

    @property
    def logging(self) -> Path:
        """How it logs."""
        return self.folder / "log4j2.xml"

    @property
    def settings(self) -> Path:
        """How it is set up; written anew at every start."""
        return self.folder / "server.properties"

    @property
    def record(self) -> Path:
        """Who started it and where it listens; true only while the lock is held."""
        return self.folder / "broker.json"

    def last_words(self, lines: int = 15) -> str:
        """The end of what it printed and logged, for a person who has to find out why it did not start."""
        told = []
        for path in (self.output, self.log):
            text = path.read_text(errors="replace") if path.exists() else ""
            messages = [line for line in text.splitlines() if not line.startswith("\tat ")]
            told += [f"--- the end of {path}, without stack frames", *messages[-lines:]]
        return "\n".join(told)


@dataclass(frozen=True)
class Record:
    """What broker.json says: the guard's process id, who started it, and the ports."""

    state: Literal["starting", "running"]
    pid: int
    owner_pid: int | None
    client_port: int
    controller_port: int

    @property
    def ports(self) -> Ports:
        """Where it listens."""
        return Ports(self.client_port, self.controller_port)

    def write(self, layout: Layout) -> None:
        """Replace the record at once; a reader never sees half of one."""
        draft = layout.record.with_suffix(".new")
        draft.write_text(json.dumps(asdict(self)))
        draft.replace(layout.record)


def read_record(layout: Layout) -> Record | None:
    """The last record of the folder, also of a broker that is gone; None where there is none or it is damaged."""
    try:
        return Record(**json.loads(layout.record.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def take(layout: Layout) -> IO[bytes] | None:
    """The folder's lock as an open file, or None where a broker holds it.

    It is tried for a moment: whoever asks for the status holds the lock for the blink of an eye.
    """
    layout.folder.mkdir(parents=True, exist_ok=True)
    file = (layout.folder / "lock").open("ab")
    deadline = time.monotonic() + LOCK_PATIENCE_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            file.close()
            return None
        return file


def is_held(layout: Layout) -> bool:
    """Whether a broker, or the start of one, holds the folder."""
    try:
        file = (layout.folder / "lock").open("rb")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
