"""A script of faults: what a stand-in does wrong, how often, and to whom."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from schemas.document import Value


@dataclass(frozen=True)
class Fault:
    """One line of the script: the next `times` occasions that `match` show the fault `kind`.

    `match` names context keys (say `path`) that must be equal; an empty one fits every occasion. `arguments` say
    how the fault shows (say `seconds` of a latency); what they mean is the stand-in's own.
    """

    kind: str
    times: int = 1
    match: Mapping[str, Value] = field(default_factory=dict)
    arguments: Mapping[str, Value] = field(default_factory=dict)


class Faults:
    """The script of one stand-in. Thread-safe; it is not kept across a restart."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._script: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Append to the script; of several that match an occasion the oldest is taken."""
        if fault.times < 1:
            raise ValueError(f"a fault happens at least once, not {fault.times} times")
        with self._lock:
            self._script.append(fault)

    def take(self, kind: str, **context: Value) -> Fault | None:
        """The fault that shows on this occasion, counted down by one, or None."""
        with self._lock:
            for index, fault in enumerate(self._script):
                if fault.kind == kind and _fits(fault.match, context):
                    self._count_down(index)
                    return fault
        return None

    def clear(self) -> None:
        """Forget the whole script."""
        with self._lock:
            self._script.clear()

    def pending(self) -> list[Fault]:
        """What is still to come, `times` being what is left."""
        with self._lock:
            return list(self._script)

    def _count_down(self, index: int) -> None:
        fault = self._script[index]
        if fault.times == 1:
            del self._script[index]
        else:
            self._script[index] = replace(fault, times=fault.times - 1)


def _fits(match: Mapping[str, Value], context: Mapping[str, Value]) -> bool:
    return all(key in context and context[key] == wanted for key, wanted in match.items())
