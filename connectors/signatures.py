"""Signed webhooks: whether a push comes from who it says, whole and lately; and our own pushes, signed likewise.

Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks) and the older habit of a digest in one
header. Everything is compared in constant time. Several secrets are good at once, to be changed without a gap.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from connectors.contract import Request
from connectors.errors import AuthError

TOLERANCE_S = 300.0
"""How old a push may be, and how far ahead its sender's clock: what Standard Webhooks' own libraries take."""

PREFIX, ID, TIMESTAMP, SIGNATURE = "whsec_", "webhook-id", "webhook-timestamp", "webhook-signature"
TIMESTAMP_DIGITS = 12
FEWEST_BYTES, MOST_BYTES = 24, 64

Digest = Literal["sha1", "sha256", "sha512"]
Encoding = Literal["hex", "base64"]


def is_one_of(given: str, expected: Iterable[str]) -> bool:
    """Whether a signature is one of those that would be right; how long it takes tells nothing of them."""
    matches = [hmac.compare_digest(given.encode(), each.encode()) for each in expected]
    return any(matches)


def check_fresh(
    timestamp: str, now: float, oldest_s: float = TOLERANCE_S, ahead_s: float = TOLERANCE_S, whose: str = "the push"
) -> None:
    """Compare a push's time, seconds since 1970 as text, with ours. Raises AuthError where it may be a replay."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= TIMESTAMP_DIGITS):
        raise AuthError(f"{whose}'s timestamp {timestamp[:100]!r} is no number of seconds")
    age = now - int(timestamp)
    if not -ahead_s <= age <= oldest_s:
        apart = f"{age:.0f} s old" if age > 0 else f"from {-age:.0f} s in the future"
        raise AuthError(f"{whose} is {apart}: it is a replay, or one of the two clocks is wrong")


def standard_key(secret: str) -> bytes:
    """The key inside `whsec_…`: the decoded bytes, never the text. Raises ValueError that says what it has to be."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"it is not {PREFIX} and base64: copy it whole") from error
    if not FEWEST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"it holds {len(key)} bytes; Standard Webhooks asks for {FEWEST_BYTES} to {MOST_BYTES}")
    return key


@dataclass(frozen=True)
class StandardWebhooks:
    """Standard Webhooks with `keys` (see `standard_key`): the first signs, each of them verifies."""

    keys: Sequence[bytes] = field(repr=False)
    now: Callable[[], float] = time.time

    def sign(self, id: str, body: bytes) -> Mapping[str, str]:
        """The three headers of an attempt; `id` is the same on every retry and has no dot inside."""
        timestamp = str(int(self.now()))
        return {ID: id, TIMESTAMP: timestamp, SIGNATURE: self._signature(self.keys[0], id, timestamp, body)}

    def verify(self, request: Request) -> None:
        """Raises AuthError where no signature is right, or the push is old."""
        id, timestamp = request.headers.get(ID, ""), request.headers.get(TIMESTAMP, "")
        expected = [self._signature(key, id, timestamp, request.body) for key in self.keys]
        given = request.headers.get(SIGNATURE, "").split(" ")
        right = [is_one_of(each, expected) for each in given]
        if not id or not any(right):
            raise AuthError(f"the push's {SIGNATURE} is wrong: compare secrets with the sender's")
        check_fresh(timestamp, self.now())

    @staticmethod
    def _signature(key: bytes, id: str, timestamp: str, body: bytes) -> str:
        signed = b".".join([id.encode(), timestamp.encode(), body])
        return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


@dataclass(frozen=True)
class SignedHeader:
    """The HMAC of the raw body in one header, e.g. `X-Hub-Signature-256: sha256=…`.

    It says nothing of its time, so an old push can be sent again: what it makes has to fall to its revision.
    """

    header: str
    keys: Sequence[bytes] = field(repr=False)
    digest: Digest = "sha256"
    encoding: Encoding = "hex"
    prefix: str = ""

    def verify(self, request: Request) -> None:
        """Raises AuthError where the header is wrong or not there."""
        given = request.headers.get(self.header.lower(), "")
        shown = given.lower() if self.encoding == "hex" else given
        expected = [self._signature(key, request.body) for key in self.keys]
        if not is_one_of(shown, [each.lower() if self.encoding == "hex" else each for each in expected]):
            raise AuthError(f"the push's {self.header} is wrong: compare secrets with the sender's")

    def _signature(self, key: bytes, body: bytes) -> str:
        code = hmac.digest(key, body, self.digest)
        return self.prefix + (code.hex() if self.encoding == "hex" else base64.b64encode(code).decode())
