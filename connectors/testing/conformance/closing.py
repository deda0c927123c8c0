"""After close nothing is left: no thread, no socket; and close may come at any time."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Sized
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from connectors.testing.conformance.desk import Desk
from connectors.testing.conformance.lane import NAME
from connectors.testing.conformance.rule import Broken, rule

T = TypeVar("T")

OPEN_FILES = Path("/dev/fd")
PATIENCE_S = 10.0
LOOK_EVERY_S = 0.05
ROUNDS = 2


@rule(
    "source",
    "After each failure the bus makes a new instance: what an old one leaves behind adds up until nothing opens.",
)
def a_closed_source_leaves_nothing_behind(desk: Desk) -> None:
    """After close no thread and no socket of a source is left, also where it failed in between."""

    def used() -> None:
        with desk.source() as source:
            source.catch_up()

    check_nothing_left(used)


@rule(
    "sink",
    "After each failure the bus makes a new instance: what an old one leaves behind adds up until nothing opens.",
)
def a_closed_sink_leaves_nothing_behind(desk: Desk) -> None:
    """After close no thread and no socket of a sink is left."""

    def used() -> None:
        with desk.sink() as sink:
            sink.write([desk.document()])

    check_nothing_left(used)


@rule("source", "The bus closes what it made, also what never came to be opened, and sometimes twice.")
def a_source_may_be_closed_in_any_state(desk: Desk) -> None:
    """close is safe before open, after it, and twice."""
    unopened = desk.new_source()
    unopened.close()
    unopened.close()
    unopened.lane.close()
    with desk.source() as source:
        source.close()
        source.close()


@rule("sink", "The bus closes what it made, also what never came to be opened, and sometimes twice.")
def a_sink_may_be_closed_in_any_state(desk: Desk) -> None:
    """close is safe before open, after it, and twice."""
    unopened = desk.new_sink()
    unopened.close()
    unopened.close()
    unopened.lane.close()
    with desk.sink() as sink:
        sink.close()
        sink.close()


def check_nothing_left(used: Callable[[], None]) -> None:
    """Use it once, so that what a process keeps for good is there; then again, and compare."""
    used()
    threads, sockets = settled(threads_now), settled(sockets_now)
    for _ in range(ROUNDS):
        used()
    if not until_gone(lambda: threads_now() - threads):
        names = sorted(each.name for each in threads_now() - threads)
        raise Broken(f"after close the threads {', '.join(names)} still run: join them in close")
    if not until_gone(lambda: range(len(sockets_now()) - len(sockets))):
        more = len(sockets_now()) - len(sockets)
        raise Broken(f"after {ROUNDS} more instances {more} more sockets are open: close the client in close")


def settled(look: Callable[[], set[T]]) -> set[T]:
    """What is there once it stays the same for a while: the other ends of closed connections go a little later."""
    found = look()
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        time.sleep(4 * LOOK_EVERY_S)
        before, found = found, look()
        if found == before:
            break
    return found


def until_gone(look: Callable[[], Sized]) -> bool:
    """Whether nothing is left after some patience."""
    deadline = time.monotonic() + PATIENCE_S
    while look() and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_S)
    return not look()


def threads_now() -> set[threading.Thread]:
    """All running threads but the suite's own."""
    return {each for each in threading.enumerate() if not each.name.startswith(NAME)}


def sockets_now() -> set[str]:
    """The descriptors of this process that are sockets."""
    found = set()
    for name in (each.name for each in OPEN_FILES.iterdir()):
        with suppress(OSError, ValueError):  # the listing's own descriptor is gone by now
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                found.add(name)
    return found
