"""What a receiver's answers must become (Standard Webhooks 1.0.0, operational considerations)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.errors import AuthError, ConfigError, DataError, FarError, Throttled, TransientError, UnknownOutcome
from connectors.testing.abilities import Trouble
from schemas.document import Fields

SECTION = "Standard Webhooks 1.0.0"

ANSWERS: Mapping[int, type[FarError]] = {
    302: ConfigError,
    308: ConfigError,
    400: DataError,
    401: AuthError,
    403: AuthError,
    404: TransientError,
    405: DataError,
    408: TransientError,
    410: AuthError,
    413: DataError,
    422: DataError,
    429: Throttled,
    500: UnknownOutcome,
    502: Throttled,
    503: Throttled,
    504: Throttled,
}
TIMES = 20
ASKED_S = 7


def _answer(status: int, **headers: str) -> Sequence[Fields]:
    return ({"kind": "status", "times": TIMES, "arguments": {"status": status, "headers": headers}},)


TROUBLES: Sequence[Trouble] = (
    *(Trouble(f"HTTP {status}", SECTION, "write", error, _answer(status)) for status, error in ANSWERS.items()),
    *(
        Trouble(
            f"HTTP {status} with Retry-After",
            SECTION,
            "write",
            Throttled,
            _answer(status, **{"Retry-After": str(ASKED_S)}),
            retry_after_s=ASKED_S,
        )
        for status in (429, 503)
    ),
)
