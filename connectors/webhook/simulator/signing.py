"""Standard Webhooks 1.0.0 as a receiver and a sender implement it, from the specification, for itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping

WINDOW_S = 300


def headers_of(secret: str, message: str, body: bytes) -> dict[str, str]:
    """The headers of a message that is sent now."""
    now = str(int(time.time()))
    signature = _code(secret, f"{message}.{now}.".encode() + body)
    return {"webhook-id": message, "webhook-timestamp": now, "webhook-signature": f"v1,{signature}"}


def problem_of(secret: str, headers: Mapping[str, str], body: bytes) -> str:
    """Why a message is not taken; "" where it is good."""
    message, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message or "." in message or not sent.isdigit():
        return "it has no webhook-id, or no webhook-timestamp"
    if abs(time.time() - int(sent)) > WINDOW_S:
        return "its webhook-timestamp is too far off"
    right = _code(secret, f"{message}.{sent}.".encode() + body)
    given = [each[3:] for each in headers.get("webhook-signature", "").split(" ") if each.startswith("v1,")]
    return "" if right in given else "its webhook-signature is wrong"


def _code(secret: str, text: bytes) -> str:
    key = base64.b64decode(secret[len("whsec_") :])
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
