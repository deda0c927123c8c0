"""What can keep the embedded broker from running, each with the remedy.

BrokerError
├── JavaMissing      no Java of a fitting version on this machine
├── JarsUnreachable  the broker's jars could not be fetched
├── JarCorrupt       a jar is not the one that was pinned
├── FolderBusy       another broker holds the data folder
└── StartFailed      the broker did not come up; the message ends with its last words
"""

from __future__ import annotations


class BrokerError(Exception):
    """The embedded broker cannot do what was asked. `remedy` says what a person does about it."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}\n    {remedy}")
        self.problem = problem
        self.remedy = remedy


class JavaMissing(BrokerError):
    """No Java that can run the broker was found."""


class JarsUnreachable(BrokerError):
    """A jar is not in the cache and could not be fetched."""


class JarCorrupt(BrokerError):
    """A jar does not have the pinned hash."""


class FolderBusy(BrokerError):
    """Another broker runs on, or is just starting on, the same data folder."""


class StartFailed(BrokerError):
    """The broker ended before it was ready, or was not ready in time."""
