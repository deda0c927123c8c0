"""The folder that every project of this user shares: jars and class archives, made once."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.kafka.errors import BrokerError


def folder() -> Path:
    """$LINESHAFT_CACHE, else $XDG_CACHE_HOME/lineshaft, else ~/.cache/lineshaft."""
    if own := os.environ.get("LINESHAFT_CACHE"):
        return Path(own).expanduser().absolute()
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache").absolute() / "lineshaft"


@contextmanager
def lock(where: Path, say: Callable[[str], None]) -> Iterator[int]:
    """Only one process at a time fills the cache at `where`; the others wait here and then find it full.

    Yields the lock as a file descriptor: a child that inherits it holds the cache until it is gone as well.
    """
    try:
        where.mkdir(parents=True, exist_ok=True)
        file = (where / "lock").open("a")
    except OSError as error:
        raise BrokerError(
            f"The cache folder {where} cannot be written ({error.strerror}).",
            "Set LINESHAFT_CACHE to a folder that can, or mend its rights.",
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"kafka: another process is filling {where}; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()
