"""Ports that stay free while their owner is killed: below the range that outgoing connections take theirs from."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"
CHOICE = range(11_000, 19_900)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    with ExitStack() as stack:
        taken: list[int] = []
        while len(taken) < count:
            probe = stack.enter_context(socket.socket())
            try:
                probe.bind((LOOPBACK, random.choice(CHOICE)))
            except OSError:
                continue
            taken.append(int(probe.getsockname()[1]))
        return taken


def free_run(count: int) -> int:
    """The first of `count` free ports in a row."""
    while True:
        first = random.choice(CHOICE)
        with ExitStack() as stack:
            try:
                for number in range(first, first + count):
                    stack.enter_context(socket.socket()).bind((LOOPBACK, number))
            except OSError:
                continue
            return first
