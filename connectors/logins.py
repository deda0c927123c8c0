"""Ways to log in, as httpx.Auth: a key, a signature, and logins that end and are made again.

A login that ends is made on the first call and made again once where an answer says that it is no longer good, by one
thread for all. Nothing here shows a secret in its text. Basic authentication is httpx.BasicAuth.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeAlias, TypeVar

import httpx

from connectors.classification import page_text
from connectors.errors import AuthError

Made = TypeVar("Made")
Part: TypeAlias = Literal["timestamp", "method", "path", "body"]


class Key(httpx.Auth):
    """A key that never ends, in a header or in the query."""

    def __init__(self, headers: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None) -> None:
        self._headers, self._query = dict(headers or {}), dict(query or {})

    @classmethod
    def bearer(cls, key: str) -> Key:
        """The key as RFC 6750 sends tokens."""
        return cls({"Authorization": f"Bearer {key}"})

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """See httpx.Auth."""
        request.headers.update(self._headers)
        if self._query:
            request.url = request.url.copy_merge_params(self._query)
        yield request


@dataclass(frozen=True)
class Signed(httpx.Auth):
    """Every request signed with a secret that both sides know: HMAC in hex, over `parts` with `separator` between.

    The time is in seconds since 1970 and goes along in `time_header`, so that a request cannot be sent again later;
    `path` is the whole one with the query.
    """

    secret: str = field(repr=False)
    header: str
    time_header: str
    parts: Sequence[Part] = ("timestamp", "method", "path", "body")
    separator: str = "\n"
    digest: str = "sha256"
    now: Callable[[], float] = time.time
    requires_request_body = True

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """See httpx.Auth."""
        timestamp = str(int(self.now()))
        values: Mapping[Part, bytes] = {
            "timestamp": timestamp.encode(),
            "method": request.method.encode(),
            "path": request.url.raw_path,
            "body": request.content,
        }
        text = self.separator.encode().join(values[part] for part in self.parts)
        signature = hmac.new(self.secret.encode(), text, getattr(hashlib, self.digest)).hexdigest()
        request.headers.update({self.time_header: timestamp, self.header: signature})
        yield request


class Renewable(Generic[Made]):
    """What a login gave, for all threads together: made on the first use, and again once for all that found it stale.

    `make` raises FarError.
    """

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: Made | None = None

    @property
    def current(self) -> Made:
        """What is in use."""
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def renewed(self, stale: Made) -> Made:
        """A new one in the place of `stale`, unless somebody else renewed it meanwhile."""
        with self._lock:
            if self._made is None or self._made is stale:
                self._made = None  # a login that fails now leaves no stale one behind
                self._made = self._make()
            return self._made


@dataclass(frozen=True)
class Pass:
    """What a login puts on every request: headers, and cookies by name."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)

    def put_on(self, request: httpx.Request) -> httpx.Request:
        """The request, logged in."""
        request.headers.update(self.headers)
        if self.cookies:
            request.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return request


def ended(response: httpx.Response) -> bool:
    """Whether an answer says that the login is not (any longer) good."""
    return response.status_code == httpx.codes.UNAUTHORIZED


def csrf_missing(response: httpx.Response) -> bool:
    """The same where a session holds a token against forged requests, as SAP Gateway's does (contract SAP 1)."""
    return ended(response) or (
        response.status_code == httpx.codes.FORBIDDEN
        and response.headers.get("X-CSRF-Token", "").lower() == "required"
    )


class Renewing(httpx.Auth):
    """A login that ends. `has_ended` is for systems that say so in another way than by 401."""

    def __init__(self, log_in: Callable[[], Pass], has_ended: Callable[[httpx.Response], bool] = ended) -> None:
        self._login, self._has_ended = Renewable(log_in), has_ended

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """See httpx.Auth. Raises AuthError where a login made a moment ago is refused as well."""
        used = self._login.current
        response = yield used.put_on(request)
        if not self._has_ended(response):
            return
        response = yield self._login.renewed(used).put_on(request)
        if self._has_ended(response):
            response.read()
            raise AuthError(
                f"{request.url.path}: HTTP {response.status_code} {page_text(response)} "
                "The login was made anew a moment ago: look at what this user may do."
            )
