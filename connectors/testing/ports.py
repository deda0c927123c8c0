"""A stand-in keeps its address: the port is chosen once per folder and remembered there."""

from __future__ import annotations

import json
import random
import socket
from pathlib import Path

from connectors.errors import ConfigError

LOOPBACK = "127.0.0.1"

CHOICE = range(20000, 32000)
"""Below the range the system hands to outgoing connections, which could take a port while we are stopped."""

TRIES = 200


def kept_port(folder: Path, name: str) -> int:
    """The loopback port called `name` in this folder: a free one on the first call, the same one ever after.

    Raises ConfigError where another program listens on it now.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "ports.json"
    kept: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    if name in kept:
        claim(kept[name], name, file).close()
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
        port = random.choice(CHOICE)  # noqa: S311 - no secret depends on it
        if port in taken:
            continue
        try:
            claim(port, "a stand-in").close()
        except ConfigError:
            continue
        return port
    raise ConfigError("ports", f"none of {TRIES} tried from {CHOICE.start} to {CHOICE.stop} is free.", "Free some.")
