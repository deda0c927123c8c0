"""What an answer of the API means (contract section 5).

The code in the body decides, for nearly everything that goes wrong is an HTTP 400.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import httpx

from connectors.errors import (
    AuthError,
    ConfigError,
    DataError,
    FarError,
    Throttled,
    TransientError,
    UnknownOutcome,
)
from connectors.http import Effect, retry_after_s
from schemas.document import Fields, from_json

THROTTLE_WAIT_S = 1.0
SUBMIT_FAILED = 4000
RECORD_MISSING = 4001
TRANSACTION_USED = 17026


class QuotaUsedUp(AuthError):
    """The company's contract volume is used up: like a refused login it stays so until a person has acted."""


def _throttled(code: int, text: str) -> FarError:
    return Throttled(text, retry_after_s=THROTTLE_WAIT_S)


def _passing(code: int, text: str) -> FarError:
    return TransientError(text)


def _refused(code: int, text: str) -> FarError:
    return AuthError(text)


def _used_up(code: int, text: str) -> FarError:
    return QuotaUsedUp(f"{text}. Book more volume or free some; nothing is lost meanwhile")


def _permanent(code: int, text: str) -> FarError:
    return DataError(text, code=str(code))


def _no_app(code: int, text: str) -> FarError:
    return ConfigError("app_id", f"{text}.", "Take the id from the app's address in the browser.")


def _no_form(code: int, text: str) -> FarError:
    return ConfigError("entry_id", f"{text}.", "Take the id from the form's address in the browser.")


Meaning = Callable[[int, str], FarError]

CODES: Mapping[int, Meaning] = {
    **dict.fromkeys((8303, 8304), _throttled),
    **dict.fromkeys((8301, 17018, 8302, 17052, 17053, 17054), _refused),
    **dict.fromkeys((4012, 9004, 9007, 50008, 17027), _passing),
    2004: _no_app,
    3000: _no_form,
    **dict.fromkeys((1, 3005, 4001, 4402, 4815, 17017, 17023, 17024, 17033, 4042, 17025, 17026), _permanent),
    **dict.fromkeys((17032, 17034, SUBMIT_FAILED), _permanent),
    **dict.fromkeys((7103, 7206, 7212, 7216, 7217, 7218, 7219, 7221), _used_up),
}
"""Contract section 5, row by row; the client tries `4000` twice, then the sink gives the record back for later."""

WORKFLOW = (range(4005, 4027), range(5003, 5061), range(50000, 50083))
"""Codes of the approval flow; where CODES names one of them, that row goes before."""


def read(response: httpx.Response, effect: Effect) -> Fields:
    """The body of a good answer. Raises the FarError that any other answer means."""
    body = _body(response)
    code = body.get("code") if body is not None else None
    if isinstance(code, int) and code != 0:
        text = f"{response.request.url.path}: code {code} {(body or {}).get('msg', '')}".strip()
        raise _not_before(error_of(code, text), response)
    if response.is_success and body is not None:
        return body
    raise _not_before(_without_code(response, effect), response)


def _not_before(error: FarError, response: httpx.Response) -> FarError:
    """The error with the answer's own wish when to call again, where it has one."""
    wish = retry_after_s(response.headers)
    if wish is not None and isinstance(error, TransientError):
        error.retry_after_s = wish
    return error


def error_of(code: int, text: str) -> FarError:
    """What a code means. A code that the contract does not know parks the one record, where a person sees it."""
    meaning = CODES.get(code)
    if meaning is not None:
        return meaning(code, text)
    if any(code in codes for codes in WORKFLOW):
        return DataError(f"{text} (the record's approval flow forbids it)", code=str(code))
    return DataError(f"{text} (a code that the vendor's documents do not name)", code=str(code))


def _without_code(response: httpx.Response, effect: Effect) -> FarError:
    status = response.status_code
    text = f"{response.request.url.path}: HTTP {status} without a readable body"
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return Throttled(text, retry_after_s=THROTTLE_WAIT_S)
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return AuthError(text)
    if status == httpx.codes.NOT_FOUND:
        return ConfigError("base_url", f"{text}.", "It ends with /api and has the vendor's host.")
    if response.is_client_error:
        return DataError(text, code=str(status))
    if effect == "writes":  # a gateway that gave up says nothing about what happened behind it
        return UnknownOutcome(text)
    return TransientError(text)


def _body(response: httpx.Response) -> Fields | None:
    try:
        value = from_json(response.content)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
