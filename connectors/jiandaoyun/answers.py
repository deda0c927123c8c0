"""What an answer of the API means (contract section 5).

The code in the body decides, for nearly everything that goes wrong is an HTTP 400.
"""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from connectors.classification import (
    Answers,
    Meaning,
    Said,
    misconfigured,
    passing,
    permanent,
    refused,
    throttled,
    unclear,
)
from connectors.errors import AuthError, FarError
from connectors.http import Effect
from connectors.json_path import at, text_at
from schemas.document import Fields, Value

THROTTLE_WAIT_S = 1.0
SUBMIT_FAILED = "4000"
RECORD_MISSING = "4001"
TRANSACTION_USED = "17026"


class QuotaUsedUp(AuthError):
    """The company's contract volume is used up: like a refused login it stays so until a person has acted."""


def _used_up(said: Said) -> FarError:
    return QuotaUsedUp(f"{said.text}. Book more volume or free some; nothing is lost meanwhile")


def _rows(meaning: Meaning, *codes: int) -> Mapping[str, Meaning]:
    return {str(code): meaning for code in codes}


CODES: Mapping[str, Meaning] = {
    **_rows(throttled(THROTTLE_WAIT_S), 8303, 8304),
    **_rows(refused(), 8301, 17018, 8302, 17052, 17053, 17054),
    **_rows(passing, 4012, 9004, 9007, 50008, 17027),
    **_rows(misconfigured("app_id", "Take the id from the app's address in the browser."), 2004),
    **_rows(misconfigured("entry_id", "Take the id from the form's address in the browser."), 3000),
    **_rows(permanent(), 1, 3005, 4001, 4402, 4815, 17017, 17023, 17024, 17033, 4042, 17025, 17026),
    **_rows(permanent(), 17032, 17034, 4000),
    **_rows(_used_up, 7103, 7206, 7212, 7216, 7217, 7218, 7219, 7221),
}
"""Contract section 5, row by row; the client tries `4000` twice, then the sink gives the record back for later."""

WORKFLOW = (range(4005, 4027), range(5003, 5061), range(50000, 50083))
"""Codes of the approval flow; where CODES names one of them, that row goes before."""


def _unknown(said: Said) -> FarError:
    """A code that the contract does not know parks the one record, where a person sees it."""
    in_flow = any(int(said.code) in codes for codes in WORKFLOW)
    hint = "the record's approval flow forbids it" if in_flow else "a code that the vendor's documents do not name"
    return permanent(hint)(said)


def _code_of(body: Value) -> str:
    code = at(body, "code")
    return str(code) if isinstance(code, int) and not isinstance(code, bool) and code != 0 else ""


ANSWERS = Answers(
    {
        401: refused(),
        403: refused(),
        404: misconfigured("base_url", "It ends with /api and has the vendor's host."),
        429: throttled(THROTTLE_WAIT_S),
    },
    CODES,
    _code_of,
    lambda body: text_at(body, "msg"),
    _unknown,
)


def read(response: httpx.Response, effect: Effect) -> Fields:
    """The object in a good answer. Raises the FarError that any other answer means."""
    body = ANSWERS.read(response, effect)
    if not isinstance(body, Mapping):
        raise unclear(Said(f"{response.request.url.path}: a good answer that is no object", "", effect))
    return body
