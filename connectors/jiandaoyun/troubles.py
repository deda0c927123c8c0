"""The codes of contract section 5 as troubles of the bench: what each must become, on the call where it can come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import SecretStr

from connectors.errors import AuthError, ConfigError, DataError, FarError, Throttled, TransientError, UnknownOutcome
from connectors.testing.abilities import During, Trouble
from schemas.document import Fields, Value

MEANT: Sequence[tuple[type[FarError], Sequence[int]]] = (
    (Throttled, (8303, 8304)),
    (AuthError, (8301, 17018, 8302, 17052, 17053, 17054)),
    (TransientError, (4012, 9004, 9007, 50008, 17027)),
    (TransientError, (4000,)),  # refused twice it says nothing about the record: it is given back for later
    (DataError, (1, 3005, 4001, 4402, 4815, 17017, 17023, 17024, 17033, 4042, 17025, 17026, 17032, 17034)),
    (ConfigError, (2004, 3000)),
    (AuthError, (7103, 7206, 7212, 7216, 7217, 7218, 7219, 7221)),  # a quota stays used up until a person acts
    (DataError, (4005, 5003, 50000)),  # the approval flow's codes
    (DataError, (99999,)),  # a code that the vendor's documents do not name
)


def _fault(kind: str, call: str = "", **arguments: Value) -> Sequence[Fields]:
    match: Fields = {"call": call} if call else {}
    return ({"kind": kind, "times": 20, "match": match, "arguments": arguments},)


def _writes() -> Iterable[Trouble]:
    for error, codes in MEANT:
        for code in codes:
            yield Trouble(str(code), "5", "write", error, _fault("error", "batch_create", code=code))


def _of(name: str, error: type[FarError], during: Sequence[During], script: Sequence[Fields]) -> Iterable[Trouble]:
    return (Trouble(name, "5", each, error, script) for each in during)


TROUBLES: Sequence[Trouble] = (
    *_writes(),
    *_of("8303", Throttled, ("open source", "open sink", "poll"), _fault("throttle")),
    *_of("8301", AuthError, ("open source", "open sink", "poll"), _fault("auth")),
    *_of("9004", TransientError, ("open source", "poll"), _fault("error", code=9004)),
    *_of("HTTP 429", Throttled, ("write",), _fault("throttle", status=429)),
    *_of("HTTP 401", AuthError, ("write",), _fault("auth", status=401)),
    *_of("HTTP 502", TransientError, ("open sink", "poll"), _fault("bad_gateway")),
    *_of("HTTP 502", UnknownOutcome, ("write",), _fault("bad_gateway", "batch_create")),
    *_of("a broken connection", UnknownOutcome, ("write",), _fault("drop_connection", "batch_create")),
    Trouble("a wrong key", "1", "open sink", AuthError, settings={"api_key": SecretStr("no-such-key-0815")}),
)
