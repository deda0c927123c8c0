"""Good input made bad: bytes, JSON values and JSON texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any

Change = Callable[[Any, Random], Any]

NUMBERS = (0, -1, 1, 127, 255, 2**31 - 1, 2**31, -(2**63), 2**63 - 1, 2**63, 2**64, 10**18, 10**40, -(10**40))
FRACTIONS = tuple(map(Decimal, ("0.1", "-0.0000001", "1E+30", "1E+6000", "1E-6000", "123456789012345678.123456789")))
TEXTS = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud83d",
    "x\udfffy",
    "🙂" * 40,
    "é" * 300,
    "A" * 70_000,
    "9" * 5_000,
    "NaN",
    "-Infinity",
    "1e999999",
    "null",
    "true",
    "2026-02-30",
    "2026-13-45T99:99:99Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999-12:00",
    "2026-05-01T08:00:00",
    "١٢٣",
    "²",
    "crm:1/",
    ":/",
    "a|b|c|d",
    "../../etc/passwd",
    "${env:HOME}",
    "%s%n{0}{x!r}",
    "'; --",
    "\u202e\u2028",
)
NESTED: tuple[Any, ...] = ([], {}, [[]], [None], {"": None}, {"a": {"b": {"c": []}}}, ["a", 1, None, {}])
SCALARS: tuple[Any, ...] = (None, True, False, *NUMBERS, *FRACTIONS, *TEXTS)


def nasty(rng: Random) -> Any:
    """A value that somebody did not think of."""
    pool: Sequence[Any] = rng.choice((SCALARS, SCALARS, TEXTS, NUMBERS, NESTED))
    return rng.choice(pool)


def mutated(value: Any, rng: Random, most: int = 3) -> Any:
    """The JSON value with a few changes at random places; the given one is left alone."""
    for _ in range(rng.randint(1, most)):
        value = _changed(value, rng)
    return value


def _changed(value: Any, rng: Random) -> Any:
    """Change somewhere inside a table or list, more seldom the thing itself."""
    if isinstance(value, Mapping) and value and rng.random() < 0.92:
        return _in_table(dict(value), rng)
    if isinstance(value, list) and value and rng.random() < 0.85:
        return _in_list(list(value), rng)
    return rng.choice(ON_VALUES)(value, rng)


def _in_table(table: dict[str, Any], rng: Random) -> dict[str, Any]:
    name = rng.choice(list(table))
    match rng.randrange(10):
        case 0:
            del table[name]
        case 1:
            table[rng.choice(TEXTS)] = nasty(rng)
        case 2:
            other = rng.choice(list(table))
            table[name], table[other] = table[other], table[name]
        case _:
            table[name] = _changed(table[name], rng)
    return table


def _in_list(items: list[Any], rng: Random) -> list[Any]:
    place = rng.randrange(len(items))
    match rng.randrange(8):
        case 0:
            del items[place]
        case 1:
            items.insert(place, items[rng.randrange(len(items))])
        case 2:
            items.insert(place, nasty(rng))
        case _:
            items[place] = _changed(items[place], rng)
    return items


ON_VALUES: Sequence[Change] = (
    lambda _, rng: nasty(rng),
    lambda _, rng: nasty(rng),
    lambda value, _: [value],
    lambda value, _: {"value": value},
    lambda value, _: str(value),
    lambda value, rng: _edited(value, rng) if isinstance(value, str) else nasty(rng),
    lambda value, rng: value * rng.choice((-1, 0, 1000)) if isinstance(value, int) else nasty(rng),
)


def _edited(text: str, rng: Random) -> str:
    place = rng.randint(0, len(text))
    return text[:place] + rng.choice(TEXTS)[:50] + text[place + rng.randint(0, 3) :]


def json_text(value: Any, rng: Random) -> bytes:
    """The value as JSON, now and then broken as text: cut, doubled keys, foreign constants, deep, no UTF-8."""
    text = json.dumps(value, default=str, ensure_ascii=rng.random() < 0.7).encode("utf-8", "surrogatepass")
    return rng.choice(ON_TEXTS)(text, rng) if rng.random() < 0.35 else text


def _numbers_for_texts(text: bytes, rng: Random) -> bytes:
    wild = rng.choice((b"NaN", b"-Infinity", b"1e400", b"-0", b"1" * 5_000, b"0." + b"3" * 3_000, b"1E+999999999"))
    return text.replace(b"null", wild).replace(b"true", wild) if rng.random() < 0.5 else wild.join(text.split(b'"a"'))


ON_TEXTS: Sequence[Callable[[bytes, Random], bytes]] = (
    lambda text, rng: text[: rng.randint(0, len(text))],
    lambda text, rng: text + rng.choice((b"]", b"}", b"\x00", b"{}", b" \n", text)),
    lambda text, rng: b'{"op": 1, ' + text[1:] if text[:1] == b"{" else text,
    _numbers_for_texts,
    lambda text, rng: b"[" * rng.choice((50, 5_000, 100_000)) + text,
    lambda text, rng: b'{"a":' * rng.choice((50, 5_000)) + text + b"}" * rng.choice((50, 5_000)),
    lambda text, rng: b"\xef\xbb\xbf" + text,
    lambda text, rng: text.decode("utf-8", "replace").encode("utf-16"),
    lambda text, rng: bytes_changed(text, rng),
    lambda text, rng: b"",
    lambda text, rng: b"<html><body>502 Bad Gateway</body></html>",
    lambda text, rng: text.replace(b'"', b"'"),
)


def bytes_changed(data: bytes, rng: Random) -> bytes:
    """The bytes with a few bits, runs or lengths changed."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        place = rng.randint(0, len(changed))
        match rng.randrange(6):
            case 0 if changed:
                changed[place % len(changed)] ^= 1 << rng.randrange(8)
            case 1 if changed:
                changed[place % len(changed)] = rng.choice((0, 1, 2, 127, 128, 254, 255))
            case 2:
                changed[place:place] = rng.choice(LENGTHS)
            case 3:
                del changed[place : place + rng.randint(1, 8)]
            case 4:
                changed[place:place] = rng.randbytes(rng.randint(1, 16))
            case _:
                del changed[place:]
    return bytes(changed)


def zigzag(number: int) -> bytes:
    """An Avro long, also one that no Avro writer would make."""
    left = (number << 1) ^ (number >> 63) if number.bit_length() < 64 else number
    out = bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    out.append(left & 0x7F)
    return bytes(out)


LENGTHS: Sequence[bytes] = (
    *(zigzag(number) for number in (-1, -(2**31), 2**20, 2**30, 2**31, 2**40, 2**62, -(2**62), 2**80)),
    b"\xff" * 12,
    b"\x80" * 200 + b"\x01",
)
"""Lengths and counts that tempt a reader to believe them."""
