"""What answers mean, as an administrator writes it under `errors` after the vendor's documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from pydantic import Field

from connectors.classification import (
    Answers,
    Meaning,
    conflict,
    lost_cursor,
    misconfigured,
    passing,
    permanent,
    refused,
    throttled,
)
from connectors.config import Settings
from connectors.json_path import text_at

Word: TypeAlias = Literal["transient", "throttled", "login", "permanent", "conflict", "locked", "config", "lost"]

WORDS: Mapping[Word, Meaning] = {
    "transient": passing,
    "throttled": throttled(None),
    "login": refused(),
    "permanent": permanent(),
    "conflict": conflict,
    "locked": conflict,
    "config": misconfigured("url", "Compare url, paths and rights with the vendor's documents."),
    "lost": lost_cursor,
}
"""`locked` says as `conflict` does that this one record is to be tried again, and the others go on."""

STATUSES: Mapping[int, Word] = {
    401: "login",
    403: "login",
    409: "conflict",
    412: "conflict",
    423: "locked",
    429: "throttled",
}
"""RFC 9110 and RFC 4918 (423); whatever is not named: a client error is permanent, all else nobody knows."""

GOOD = ("", "0")


class Errors(Settings):
    """The rows of a vendor's error table."""

    code: str = Field(default="", description="Where a body has the vendor's code, e.g. error.code; 0 is a good one.")
    codes: Mapping[str, Word] = Field(
        default={},
        description="What codes mean: transient, throttled, login, permanent, conflict, locked, config or lost.",
    )
    statuses: Mapping[int, Word] = Field(
        default={}, description="What an HTTP status means, in the same words, beside those that are usual."
    )

    def answers(self) -> Answers:
        """The table."""
        statuses = {status: WORDS[word] for status, word in {**STATUSES, **self.statuses}.items()}
        return Answers(statuses, {code: WORDS[word] for code, word in self.codes.items()}, self._code_of)

    def _code_of(self, body: object) -> str:
        code = text_at(body, self.code) if self.code else ""  # type: ignore[arg-type]  # JSON
        return "" if code in GOOD else code
