"""Which process a connection belongs to, read from /proc: so that one role alone can be cut off from Kafka."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
LOCAL, INODE = 1, 9
FRESH_S = 0.3


@dataclass
class PortsOf:
    """Tells whether a port is a process's, which may be another one after a restart. Looked up now and then only:
    the table of all sockets is long where connections come and go, and whoever asks must not stand still."""

    pid: Callable[[], int]
    _ports: frozenset[int] = frozenset()
    _read_at: float = -FRESH_S

    def __call__(self, port: int) -> bool:
        """Whether the port was the process's at the last look."""
        if time.monotonic() - self._read_at >= FRESH_S:
            self._ports, self._read_at = ports_of(self.pid()), time.monotonic()
        return port in self._ports


def ports_of(pid: int) -> frozenset[int]:
    """The local ports of the process's TCP sockets; none where it is gone."""
    inodes = _inodes(pid)
    found: set[int] = set()
    for table in TABLES:
        for line in Path(table).read_text().splitlines()[1:]:
            columns = line.split()
            if columns[INODE] in inodes:
                found.add(int(columns[LOCAL].rpartition(":")[2], 16))
    return frozenset(found)


def _inodes(pid: int) -> frozenset[str]:
    found: set[str] = set()
    with contextlib.suppress(OSError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                target = str(Path(entry.path).readlink())
                if target.startswith("socket:["):
                    found.add(target[8:-1])
    return frozenset(found)
