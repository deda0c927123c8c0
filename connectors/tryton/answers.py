"""What an answer of Tryton's REST protocol means (contract section 9); errors but a 400 are HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import httpx

from connectors.errors import AuthError, ConfigError, DataError, FarError, Throttled, TransientError, UnknownOutcome
from connectors.http import Effect
from schemas.document import Value, from_json

LOGIN_WAIT_S = 60.0
SHOWN = 200
TAGS = re.compile(r"<(script|style)[^>]*>.*?</\1>|<[^>]+>", re.DOTALL)

FAULT = 500
DATABASE_BUSY = 503


def read(response: httpx.Response, effect: Effect) -> Value:
    """The body of a good answer, None where it has none. Raises the FarError that any other answer means."""
    if not response.is_success:
        raise error_of(response, effect)
    if not response.content:
        return None
    try:
        return from_json(response.content)
    except ValueError as error:
        raise _unreadable(response, effect) from error


def error_of(response: httpx.Response, effect: Effect) -> FarError:
    """What an answer means that is no good one."""
    status = response.status_code
    text = f"{response.request.url.path}: HTTP {status} {_said(response)}".strip()
    meaning = STATUSES.get(status)
    if meaning is not None:
        return meaning(text)
    if status == FAULT and effect == "writes":  # its transaction was rolled back, and the next try would be as well
        return DataError(text, code=str(status))
    if response.is_client_error:
        return DataError(text, code=str(status))
    if effect == "writes":  # a gateway or a crash in the middle: nobody knows what was committed
        return UnknownOutcome(text)
    return TransientError(text)


def _unreadable(response: httpx.Response, effect: Effect) -> FarError:
    text = f"{response.request.url.path}: an answer that is not JSON: {_said(response)}"
    return UnknownOutcome(text) if effect == "writes" else TransientError(text)


def _said(response: httpx.Response) -> str:
    """The message of a 400, else what a person would read of the page."""
    try:
        body = from_json(response.content)
    except ValueError:
        return " ".join(TAGS.sub(" ", response.text).split())[:SHOWN]
    return str(body.get("message", body))[:SHOWN] if isinstance(body, dict) else str(body)[:SHOWN]


def _refused(text: str) -> FarError:
    return DataError(text, code="400")


def _login(text: str) -> FarError:
    return AuthError(f"{text}: the key is wrong, not validated, or was deleted")


def _forbidden(text: str) -> FarError:
    return AuthError(f"{text}: the bus's user may not do this; look at its groups")


def _throttled(text: str) -> FarError:
    return Throttled(text, retry_after_s=LOGIN_WAIT_S)


def _passing(text: str) -> FarError:
    return TransientError(text)


def _nowhere(text: str) -> FarError:
    return ConfigError("database", f"{text}.", "Correct url and database; the server's path ends at the host.")


STATUSES: Mapping[int, Callable[[str], FarError]] = {
    400: _refused,
    401: _login,
    403: _forbidden,
    404: _nowhere,
    429: _throttled,
    DATABASE_BUSY: _passing,
}
"""Contract section 9; 503 means that the database was busy and nothing was committed. 502 and 504 say nothing about
that, so a write must be looked up."""
