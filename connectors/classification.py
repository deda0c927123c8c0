"""What a bad answer means: the rows of a far system's contract, read once for every call.

A row says which error of `connectors.errors` a status or a code in the body is. The code decides, for vendors answer
throttling with 400 and failures with 200; then the status; and what no row names is judged by what the call was for:
a client error can never succeed, and after any other answer nobody knows whether a write happened.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import httpx

from connectors.errors import (
    AuthError,
    ConfigError,
    Conflict,
    DataError,
    FarError,
    LostCursor,
    Throttled,
    TransientError,
    UnknownOutcome,
)
from connectors.http import Effect, retry_after_s
from connectors.json_path import text_at
from schemas.document import Value, from_json, to_json

SHOWN = 500
TAGS = re.compile(r"<(script|style)[^>]*>.*?</\1>|<[^>]+>", re.DOTALL)
TOLD_AT = ("message", "error.message", "error.message.value", "error_description", "detail", "title", "error")
"""Where error bodies speak to people: OData, OAuth (RFC 6749 5.2), problem details (RFC 9457), and plain ones."""


@dataclass(frozen=True)
class Said:
    """A bad answer: what a person reads of it, the vendor's code (else the status), and what the call was for."""

    text: str
    code: str
    effect: Effect


class Missing(DataError):
    """There is no such record."""


Meaning: TypeAlias = Callable[[Said], FarError]


def passing(said: Said) -> FarError:
    """It will pass by itself, and nothing was written."""
    return TransientError(said.text)


def throttled(pause_s: float | None) -> Meaning:
    """Fewer calls are asked for; `pause_s` is the contract's own wait, where the answer says none."""
    return lambda said: Throttled(said.text, pause_s)


def refused(hint: str = "") -> Meaning:
    """The login is not good, or may not do this; `hint` says what a person looks at."""
    return lambda said: AuthError(f"{said.text}: {hint}" if hint else said.text)


def permanent(hint: str = "") -> Meaning:
    """This can never succeed; `hint` says why where the answer does not."""
    return lambda said: DataError(f"{said.text} ({hint})" if hint else said.text, said.code)


def missing(said: Said) -> FarError:
    """The record that was asked for is not there."""
    return Missing(said.text, said.code)


def conflict(said: Said) -> FarError:
    """Somebody else changed the record."""
    return Conflict(said.text)


def lost_cursor(said: Said) -> FarError:
    """The place to go on from is no longer known there."""
    return LostCursor(said.text)


def misconfigured(setting: str, remedy: str) -> Meaning:
    """The configuration is wrong."""
    return lambda said: ConfigError(setting, f"{said.text}.", remedy)


def unclear(said: Said) -> FarError:
    """A gateway's or a crashed server's answer: after a write nobody knows whether it happened."""
    return UnknownOutcome(said.text) if said.effect == "writes" else TransientError(said.text)


def told(body: Value) -> str:
    """What an error body says to a person, else the body itself."""
    return next((text for path in TOLD_AT if (text := text_at(body, path))), "" if body is None else to_json(body))


@dataclass(frozen=True)
class Answers:
    """The rows of one contract.

    `code_of` finds the vendor's code in a body ("" in a good one), `told` what it says to people. A code that no row
    names means `unknown_code`; without that the status decides.
    """

    statuses: Mapping[int, Meaning] = field(default_factory=dict)
    codes: Mapping[str, Meaning] = field(default_factory=dict)
    code_of: Callable[[Value], str] = lambda body: ""
    told: Callable[[Value], str] = told
    unknown_code: Meaning | None = None

    def read(self, response: httpx.Response, effect: Effect) -> Value:
        """The body of a good answer, None where it has none. Raises the FarError that any other answer means."""
        body, readable = _body(response)
        code = self.code_of(body)
        if response.is_success and readable and not code:
            return body
        said = self.told(body) if readable else page_text(response)
        problem = said if readable else f"without a readable body {said}"
        error = self.error_of(response.status_code, code, problem, effect, response.request.url.path)
        raise wished(error, retry_after_s(response.headers))

    def error_of(self, status: int, code: str, text: str, effect: Effect, where: str) -> FarError:
        """What a status and a code ("" for none) mean; `text` is for people."""
        shown = f"code {code} {text}" if code else text
        said = Said(f"{where}: HTTP {status} {shown[:SHOWN]}".strip(), code or str(status), effect)
        return self.meaning(status, code)(said)

    def meaning(self, status: int, code: str) -> Meaning:
        """The row for a status and a code ("" for none), else what follows without one."""
        if code in self.codes:
            return self.codes[code]
        if code and self.unknown_code is not None:
            return self.unknown_code
        return self.statuses.get(status) or self._usual(status)

    def _usual(self, status: int) -> Meaning:
        if status == httpx.codes.NOT_FOUND:
            return missing
        return permanent() if httpx.codes.is_client_error(status) else unclear


def wished(error: FarError, wish_s: float | None) -> FarError:
    """The error with the far system's own wish when to call again, where there is one and the error will pass."""
    if wish_s is not None and isinstance(error, TransientError):
        error.retry_after_s = wish_s
    return error


def page_text(response: httpx.Response) -> str:
    """What a person would read of an answer that is no JSON."""
    return " ".join(TAGS.sub(" ", _text(response)).split())[:SHOWN]


def _text(response: httpx.Response) -> str:
    try:
        return response.text
    except UnicodeError:  # its Content-Type names an encoding that it is not in
        return response.content.decode("utf-8", "replace")


def _body(response: httpx.Response) -> tuple[Value, bool]:
    """The JSON of an answer, and whether it can be read; an empty body of a good answer is None."""
    if not response.content and response.is_success:
        return None, True
    try:
        return from_json(response.content), True
    except ValueError:
        return None, False
