"""HTTP calls to far systems on httpx: every network failure becomes the `FarError` that says what it means."""

from __future__ import annotations

from typing import Literal

import httpx

from connectors.errors import TransientError, UnknownOutcome

Effect = Literal["reads", "writes"]

UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


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
