"""A thread of its own for one instance of a connector: one call at a time, each with a deadline."""

from __future__ import annotations

import queue
import threading
import traceback
from collections.abc import Callable
from typing import TypeVar

from connectors.errors import FarError
from connectors.testing.conformance.rule import Broken

T = TypeVar("T")

NAME = "conformance-lane"


class Lane:
    """Calls go through one thread as a task's do; a call that does not come back is given up and told."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=NAME, daemon=True)
        self._thread.start()
        self.stuck = False

    def call(self, what: str, seconds: float, function: Callable[[], T]) -> T:
        """What the function returns. Raises its FarError, and Broken for any other error or where it takes longer."""
        return self.start(what, function)(seconds)

    def start(self, what: str, function: Callable[[], T]) -> Callable[[float], T]:
        """Begin a call; the function that is returned waits so many seconds for its end."""
        done: queue.SimpleQueue[T | Exception] = queue.SimpleQueue()

        def carried_out() -> None:
            try:
                done.put(function())
            except Exception as error:
                done.put(error)

        self._calls.put(carried_out)

        def wait(seconds: float) -> T:
            try:
                found = done.get(timeout=seconds)
            except queue.Empty:
                self.stuck = True
                raise Broken(f"{what} had not returned after {seconds:.0f} s: bound every wait in it") from None
            if isinstance(found, Exception):
                raise found if isinstance(found, FarError | Broken) else strange(what, found)
            return found

        return wait

    def close(self) -> None:
        """End the thread, as soon as its call is over."""
        self._calls.put(None)
        if not self.stuck:
            self._thread.join()

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


def strange(what: str, error: Exception) -> Broken:
    """What is told of an error that is none of ours."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"
    return Broken(
        f"{what} raised {type(error).__name__}: {str(error)[:300]} (at {place}), which is no FarError: raise the "
        "class of connectors.errors that says what it means, for the bus takes anything else for a defect and stops"
    )
