"""Record ids: 15 characters that tell letter case, and three more that allow ignoring it."""

from __future__ import annotations

SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
INSTANCE = "xx0"


def new_id(prefix: str, number: int) -> str:
    """The 18-character id of the n-th record under a three-character prefix."""
    digits = ""
    for _ in range(9):
        number, rest = divmod(number, 62)
        digits = BASE62[rest] + digits
    return full_id(f"{prefix}{INSTANCE}{digits}")


def full_id(short: str) -> str:
    """The 18-character form of a 15-character id: each five characters give one that says which are capitals."""
    suffix = ""
    for start in (0, 5, 10):
        bits = sum(1 << place for place, sign in enumerate(short[start : start + 5]) if "A" <= sign <= "Z")
        suffix += SUFFIX[bits]
    return short + suffix


def canonical(text: str) -> str:
    """The 18-character form of an id given in either; other texts as they are."""
    return full_id(text) if len(text) == 15 and text.isalnum() else text
