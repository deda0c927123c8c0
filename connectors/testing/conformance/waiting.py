"""Calls come back in time, whatever the far system does: the bus stands still while they do not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from connectors.contract import Source
from connectors.errors import FarError, TransientError, UnknownOutcome
from connectors.testing.abilities import SilentBench
from connectors.testing.conformance.desk import Desk
from connectors.testing.conformance.driven import SLACK_S
from connectors.testing.conformance.rule import Broken, rule

TIMEOUTS = (0.0, 0.2, 0.5)
LONG_S = 60.0
IDLE_POLLS, IDLE_S = 5, 0.12
SETTLE_S = 0.3


@rule("source", "A poll that waits longer than it was told holds up commands, positions and the stop of the process.")
def poll_returns_in_time(desk: Desk) -> None:
    """While nothing happens, poll(t) returns after t seconds at the latest, and poll(0) at once."""
    with desk.source() as source:
        source.drain()
        for timeout in TIMEOUTS:
            begun = time.monotonic()
            source.poll(timeout)
            took = time.monotonic() - begun
            if took > timeout + SLACK_S:
                raise Broken(f"poll({timeout:g}) returned after {took:.1f} s: wait no longer than it says")


@rule("source", "Without a wait in it an idle source asks the far system as fast as it can, and uses its calls up.")
def an_idle_poll_waits(desk: Desk) -> None:
    """While nothing happens, many polls in a row take some time: a poll with nothing to say waits for news."""
    with desk.source() as source:
        source.drain()
        begun, quiet = time.monotonic(), 0
        for _ in range(IDLE_POLLS):
            quiet += source.poll(IDLE_S) is None
        if quiet == IDLE_POLLS and time.monotonic() - begun < IDLE_S:
            raise Broken(
                f"{IDLE_POLLS} polls of {IDLE_S} s with nothing to say took no time: wait for news, or the next look"
            )


@rule("source", "One far system that says nothing would stop its worker for good.")
def a_silent_far_system_ends_a_poll(desk: Desk) -> None:
    """While the far system takes calls and answers none, poll returns within its own time and that of one call."""
    silent = desk.ability(SilentBench)
    with desk.source(config=desk.hurried()) as source:
        source.drain()
        silent.silence()
        try:
            source.poll(0.2)
        except FarError as error:
            if not isinstance(error, TransientError):
                raise Broken(
                    f"a silent far system gives {type(error).__name__} ({error}), not TransientError"
                ) from error
        finally:
            silent.speak()


@rule("sink", "A write that waits for ever loses its partition, and the next worker writes beside it.")
def a_silent_far_system_ends_a_write(desk: Desk) -> None:
    """While the far system takes calls and answers none, write raises TransientError or UnknownOutcome in time."""
    silent = desk.ability(SilentBench)
    document = desk.document()
    with desk.sink(desk.hurried()) as sink:
        silent.silence()
        try:
            sink.write([document])
        except (TransientError, UnknownOutcome):
            return
        finally:
            silent.speak()
    raise Broken("a silent far system and write returns as if the document were durable: that record is lost")


@rule("source", "A worker that is told to stop would be killed instead, in the middle of a transaction.")
def close_ends_a_waiting_poll(desk: Desk) -> None:
    """close, called while poll waits for news, ends both within moments."""
    check_close(desk, lambda: None)


@rule("source", "A worker that is told to stop would wait for a far system that says nothing.")
def close_ends_a_poll_of_a_silent_far_system(desk: Desk) -> None:
    """close, called while poll waits for an answer that does not come, ends both, at the latest with the call."""
    check_close(desk, desk.ability(SilentBench).silence)


def check_close(desk: Desk, first: Callable[[], None]) -> None:
    """Close a source from outside while a long poll is under way; one that a sign of life ends begins again."""
    source = desk.new_source(desk.hurried())
    source.open(None)
    source.catch_up()
    first()
    stopping = threading.Event()
    ended = source.lane.start(f"poll({LONG_S:g})", lambda: polled_until(source.raw, stopping))
    time.sleep(SETTLE_S)
    stopping.set()
    begun, most = time.monotonic(), desk.facts.call_timeout_s + SLACK_S
    source.raw.close()
    if time.monotonic() - begun > most:
        raise Broken(f"close took {time.monotonic() - begun:.0f} s while a poll was under way")
    try:
        ended(most)
    except FarError:
        pass  # a call that was cut off may say so; after close nobody asks
    except Broken as broken:
        raise Broken(f"close does not end a poll that waits: {broken}. Wait on an Event that close sets") from broken
    finally:
        source.lane.close()


def polled_until(source: Source, stopping: threading.Event) -> None:
    """Long polls, one after the other."""
    while not stopping.is_set():
        source.poll(LONG_S)
