"""HTTP calls to far systems on httpx: every network failure becomes the `FarError` that says what it means."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Literal

import httpx

from connectors.errors import ConfigError, TransientError, UnknownOutcome

Effect = Literal["reads", "writes"]

UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
LONGEST_WISH_S = 3600.0
"""A far system that asks for more is asked again after this long all the same."""

BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


def trusted(ca_file: Path | None) -> ssl.SSLContext:
    """Verification of a server's certificate, against `ca_file` where one is given. Raises ConfigError."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        remedy = "Name a PEM file of certificates."
        raise ConfigError("ca_file", f"{ca_file} cannot be used ({error}).", remedy) from error


def connect(
    timeout_s: float,
    ca_file: Path | None,
    *,
    auth: httpx.Auth | None = None,
    headers: Mapping[str, str] | None = None,
    transport: httpx.BaseTransport | None = None,
    proxied: bool = False,
) -> httpx.Client:
    """One connection pool, bounded in time and verified; the proxy of the environment is used where it is asked for.

    `transport` takes the network's place. Redirects are answers like any other. Raises ConfigError.
    """
    return httpx.Client(
        auth=auth,
        timeout=timeout_s,
        verify=trusted(ca_file),
        headers=headers,
        transport=transport,
        trust_env=proxied,
    )


def send(client: httpx.Client, request: httpx.Request, effect: Effect) -> httpx.Response:
    """Send `request` and return whatever answer came, good or bad; its body is the caller's to classify.

    Raises TransientError where the request certainly had no effect, UnknownOutcome where a write may have happened.
    """
    try:
        return client.send(request)
    except BEFORE_SENDING as error:
        if UNTRUSTED in str(error):
            remedy = "name the PEM file of the authority that signed it in ca_file"
            raise TransientError(f"{request.url.host}: its certificate is not trusted ({error}); {remedy}") from error
        raise TransientError(f"{request.url.host}: not reachable ({error})") from error
    except RuntimeError as error:  # another thread closed it a moment ago: a worker is told to stop
        if not client.is_closed:
            raise
        raise TransientError(f"{request.url.host}: not called, the connection was closed") from error
    except httpx.TransportError as error:
        what = f"{request.method} {request.url}: no answer ({type(error).__name__}: {error})"
        if effect == "writes":
            raise UnknownOutcome(what) from error
        raise TransientError(what) from error
    except httpx.RequestError as error:  # there is an answer, and nobody can read it: its encoding, its address
        what = f"{request.method} {request.url}: the answer cannot be read ({type(error).__name__}: {error})"
        if effect == "writes":
            raise UnknownOutcome(what) from error
        raise TransientError(what) from error


def retry_after_s(
    headers: Mapping[str, str], now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> float | None:
    """What the header Retry-After asks for, seconds from now (RFC 9110 10.2.3: a number or a date); None without it.

    `headers` does not care about capital letters. A text that is neither counts as none.
    """
    said = headers.get("Retry-After", "").strip()
    if not said:
        return None
    if said.isascii() and said.isdigit():
        return min(float(said), LONGEST_WISH_S)
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return None
    zoned = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return min(max(0.0, (zoned - now()).total_seconds()), LONGEST_WISH_S)
