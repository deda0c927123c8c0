"""What ends a task for good: going on could break a promise, and only a person can mend it."""

from __future__ import annotations


class MustStop(Exception):
    """The message says what is wrong and what to do about it."""
