"""How calls end: in time, cleanly and leaving nothing, each promise broken alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

from connectors.contract import Batch
from connectors.testing.conformance import waiting
from tests.conformance.broken.changes import Patch, around, impatient
from tests.conformance.shop.client import Client
from tests.conformance.shop.connector import ShopSink, ShopSource

LEFT: list[object] = []
"""What broken instances leave behind, so that no collector clears it away."""

FOR_EVER_S = 20.0


def poll_returns_in_time(patch: Patch) -> None:
    impatient(patch)

    def poll(original: Callable[..., Batch | None], self: ShopSource, timeout: float) -> Batch | None:
        found = original(self, timeout)
        if timeout == 0.5:
            time.sleep(1.5)
        return found

    around(patch, ShopSource, "poll", poll)


def an_idle_poll_waits(patch: Patch) -> None:
    def poll(original: Callable[..., Batch | None], self: ShopSource, timeout: float) -> Batch | None:
        return None if timeout == waiting.IDLE_S else original(self, timeout)

    around(patch, ShopSource, "poll", poll)


def unbounded(patch: Patch) -> None:
    """Calls wait for an answer far longer than the configuration says."""

    def begun(original: Callable[..., None], self: Client, config: Any) -> None:
        original(self, config)
        self._http.timeout = httpx.Timeout(FOR_EVER_S)

    impatient(patch)
    around(patch, Client, "__init__", begun)


def a_silent_far_system_ends_a_poll(patch: Patch) -> None:
    unbounded(patch)


def close_ends_a_poll_of_a_silent_far_system(patch: Patch) -> None:
    unbounded(patch)


class Deaf(threading.Event):
    """An event that nobody waits for: who sleeps here sleeps."""

    def wait(self, timeout: float | None = None) -> bool:
        time.sleep(timeout or 0)
        return False

    def is_set(self) -> bool:
        return False


def close_ends_a_waiting_poll(patch: Patch) -> None:
    impatient(patch)

    def begun(original: Callable[..., None], self: ShopSource, config: Any) -> None:
        original(self, config)
        self._closed, self._every_s = Deaf(), FOR_EVER_S

    around(patch, ShopSource, "__init__", begun)


def a_closed_source_leaves_nothing_behind(patch: Patch) -> None:
    impatient(patch)
    patch.setattr(ShopSource, "close", lambda self: LEFT.append(self._client))


def a_closed_sink_leaves_nothing_behind(patch: Patch) -> None:
    impatient(patch)

    def begun(original: Callable[..., None], self: ShopSink, config: Any) -> None:
        original(self, config)
        threading.Thread(target=time.sleep, args=(FOR_EVER_S,), daemon=True).start()

    around(patch, ShopSink, "__init__", begun)


def once(original: Callable[..., None], self: Any) -> None:
    """Closes the first time only."""
    if id(self) in CLOSED:
        raise RuntimeError("it is closed already")
    CLOSED.add(id(self))
    LEFT.append(self)
    original(self)


CLOSED: set[int] = set()


def a_source_may_be_closed_in_any_state(patch: Patch) -> None:
    around(patch, ShopSource, "close", once)


def a_sink_may_be_closed_in_any_state(patch: Patch) -> None:
    around(patch, ShopSink, "close", once)
