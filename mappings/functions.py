"""Named pure functions that mappings may call with typed arguments. Adding a row to the table is the whole change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from mappings.values import bad
from schemas import identity
from schemas.document import Kind, Value

VERSION_DIGITS = 20


@dataclass(frozen=True)
class Function:
    """One function: the kinds of its arguments, of its result, and the name of its inverse where it has one.

    `call` gets the arguments in their internal form and none of them missing; it raises Refusal on a value that it
    cannot take. A call with a missing argument is not made: its result is missing.
    """

    name: str
    parameters: tuple[Kind, ...]
    result: Kind
    call: Callable[[Sequence[Value]], Value]
    summary: str
    inverse: str | None = None


def _order_key(args: Sequence[Value]) -> Value:
    return identity.order_key(cast("str", args[0]), cast("str", args[1]))


def _job_order_id(args: Sequence[Value]) -> Value:
    return identity.job_order_id(cast("str", args[0]), cast("str", args[1]))


def _order_key_of_job(args: Sequence[Value]) -> Value:
    text = cast("str", args[0])
    try:
        return identity.order_key_of_job(text)
    except ValueError as error:
        raise bad(text, "is not a job order id of the bus (<connector>:<number>/<line>)") from error


def _pad(args: Sequence[Value]) -> Value:
    """A number as text of 20 digits, so that texts sort as their numbers do."""
    value = cast("int", args[0])
    if value < 0:
        raise bad(value, "is negative; only numbers from 0 are padded")
    return str(value).zfill(VERSION_DIGITS)


def _unpad(args: Sequence[Value]) -> Value:
    text = cast("str", args[0])
    if not (text.isascii() and text.isdigit() and len(text) <= VERSION_DIGITS and int(text) < 2**63):
        raise bad(text, f"is not a number of at most {VERSION_DIGITS} digits")
    return int(text)


_ROWS = (
    Function("order_key", (Kind.TEXT, Kind.TEXT), Kind.TEXT, _order_key, "the order key of connector and number"),
    Function("job_order_id", (Kind.TEXT, Kind.TEXT), Kind.TEXT, _job_order_id, "the job order id of key and line id"),
    Function("order_key_of_job", (Kind.TEXT,), Kind.TEXT, _order_key_of_job, "the order key inside a job order id"),
    Function("pad", (Kind.INTEGER,), Kind.TEXT, _pad, f"a number as text of {VERSION_DIGITS} digits", "unpad"),
    Function("unpad", (Kind.TEXT,), Kind.INTEGER, _unpad, "the number in a padded text", "pad"),
)
FUNCTIONS: Mapping[str, Function] = {row.name: row for row in _ROWS}
