"""The errors of contract sections 1, 4 and 5 as troubles of the bench: what each must become, where it can come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connectors.errors import AuthError, DataError, FarError, Throttled, TransientError
from connectors.testing.abilities import During, Trouble
from schemas.document import Fields

OFTEN = 20
OPENING: Sequence[During] = ("open source", "open sink")


def _fault(kind: str, **match: str) -> Sequence[Fields]:
    return ({"kind": kind, "times": OFTEN, "match": match, "arguments": {}},)


def _of(name: str, error: type[FarError], during: Sequence[During], script: Sequence[Fields]) -> Iterable[Trouble]:
    return (Trouble(name, "4", each, error, script) for each in during)


TROUBLES: Sequence[Trouble] = (
    *_of("REQUEST_LIMIT_EXCEEDED", Throttled, (*OPENING, "write"), _fault("throttle")),
    *_of("SERVER_UNAVAILABLE", TransientError, (*OPENING, "write"), _fault("unavailable")),
    *_of("UNKNOWN_EXCEPTION", TransientError, (*OPENING, "write"), _fault("server_error")),
    *_of("QUERY_TIMEOUT", TransientError, ("write",), _fault("query_timeout")),
    *_of("INVALID_SESSION_ID, twice", AuthError, (*OPENING, "write"), _fault("expired_session")),
    *_of("UNABLE_TO_LOCK_ROW", TransientError, ("write",), _fault("row_lock")),
    *_of("DUPLICATE_VALUE, twice", DataError, ("write",), _fault("duplicate_value")),
    Trouble("subscription.limit.exceeded", "5", "poll", Throttled, _fault("quota")),
    Trouble("SERVER_UNAVAILABLE", "4", "poll", TransientError, _fault("unavailable")),
    Trouble("REQUEST_LIMIT_EXCEEDED", "4", "poll", Throttled, _fault("throttle")),
    Trouble("invalid_grant", "1", "open source", AuthError, settings={"username": "nobody@acme.example"}),
    Trouble("invalid_client_id", "1", "open sink", AuthError, settings={"consumer_key": "no-such-app"}),
)
