"""The next page, asked for while the last one is made into documents: the server and the bus then work at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Answer = TypeVar("Answer")

HEAD_START_S = 0.003
"""How long the asker waits for the question to leave.

Who makes documents holds the interpreter, and gives it to another thread every 5 ms only. Each question would leave
so much later: a tenth of what its answer takes the server.
"""


class Ahead(Generic[Answer]):
    """At most one question under way, in a thread of its own; one other thread asks and takes, any may close."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, name)
        self._under_way: Future[Answer] | None = None
        self._closing, self._closed = threading.Lock(), False

    def ask(self, question: Callable[[], Answer]) -> None:
        """Begin to ask, so that the next `answer` is of this question; nothing where it is closed."""
        with self._closing:
            if not self._closed:
                self._under_way = self._thread.submit(question)
        time.sleep(HEAD_START_S)

    def answer(self, question: Callable[[], Answer]) -> Answer:
        """Of the question under way; where there is none this one is asked now. Raises what asking raised."""
        asked, self._under_way = self._under_way, None
        return question() if asked is None else asked.result()

    def close(self) -> None:
        """Wait for the end of the question under way; cut off first what it waits for. Safe twice."""
        with self._closing:
            self._closed = True
        self._thread.shutdown()
