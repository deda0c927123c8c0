"""A stand-in keeps its address: the port is chosen once per folder and remembered there."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
import tempfile
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from connectors.errors import ConfigError

LOOPBACK = "127.0.0.1"

CHOICE: Sequence[int] = range(20000, 32000)
"""Below the range the system hands to outgoing connections, which could take a port while we are stopped."""

TRIES = 200

RESERVED = Path(tempfile.gettempdir()) / f"lineshaft-ports-{os.getuid()}"
"""An empty file whose byte N a process locks for as long as it lives when it serves port N, now or in a moment."""

_ours: set[int] = set()
_reserving = threading.Lock()


def kept_port(folder: Path, name: str) -> int:
    """The loopback port called `name` in this folder: a free one on the first call, the same one ever after.

    Until this process ends no other folder of this user is given it, whether somebody listens there or not. Raises
    ConfigError where another program listens on it now.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "ports.json"
    kept: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    if name in kept:
        claim(kept[name], name, file).close()
        _reserve(kept[name])  # not where another process serves the same folder: then that one keeps others away
        return kept[name]
    kept[name] = _free(set(kept.values()))
    file.write_text(json.dumps(kept, indent=1) + "\n")
    return kept[name]


def claim(port: int, name: str, kept_in: Path | None = None) -> socket.socket:
    """A loopback socket bound to `port`, not yet listening. Raises ConfigError where the port is taken."""
    bound = socket.socket(
        socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )  # asyncio sets TCP_NODELAY only then
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
        bound.listen()
    except OSError as error:
        bound.close()
        elsewhere = f", or delete {kept_in} to choose another port" if kept_in else ""
        raise ConfigError(
            f"port {port} of {name}", f"cannot be used ({error.strerror}).", f"Stop what listens there{elsewhere}."
        ) from error
    return bound


def _free(taken: set[int]) -> int:
    for _ in range(TRIES):
        port = secrets.choice(CHOICE)  # not by `random`, which hypothesis seeds alike in every process
        if port in taken or not _reserve(port):
            continue
        try:
            claim(port, "a stand-in").close()
        except ConfigError:
            continue
        return port
    raise ConfigError("ports", f"none of {TRIES} tried from {CHOICE[0]} to {CHOICE[-1]} is free.", "Free some.")


def _reserve(port: int) -> bool:
    """Keep the port from every other choice until this process ends; False where it was reserved before."""
    with _reserving:
        if port in _ours:
            return False
        try:
            fcntl.lockf(_reservations(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        except (BlockingIOError, PermissionError):  # EAGAIN or EACCES, as the system likes
            return False
        _ours.add(port)
        return True


@cache
def _reservations() -> int:
    """The open file; never closed, for closing any descriptor of a file gives up all of a process's locks on it."""
    return os.open(RESERVED, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
