"""Tokens of an OAuth 2.0 endpoint: client credentials, a signed assertion, or any other form (RFC 6749, RFC 7523).

Neither Authlib nor httpx-auth makes a token anew when the far system refuses it before its time, which is what ends
most of them, so only the wire format is here and the renewal is `connectors.logins`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import lru_cache

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from connectors.classification import Answers, Said, passing, throttled
from connectors.errors import AuthError, ConfigError, FarError
from connectors.http import send
from connectors.json_path import text_at
from connectors.logins import Pass
from schemas.document import Fields

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
JWT_ALGORITHM = "RS256"
JWT_LIFE_S = 170
"""Servers allow three to five minutes; ten seconds of the three are left for clocks that differ."""


def _refusal(said: Said) -> FarError:
    return AuthError(f"{said.text}: look at the client's id, its secret or key, and what it is allowed")


ANSWERS = Answers(
    dict.fromkeys(range(400, 500), _refusal) | {408: passing, 429: throttled(None), 503: passing},
    {"temporarily_unavailable": passing},
    lambda body: text_at(body, "error"),
    lambda body: text_at(body, "error_description"),
)
"""RFC 6749 section 5.2. What a token endpoint says is never a record's fault."""


class TokenEndpoint:
    """One endpoint. `form` makes what it is asked by, each time; `read` gives a good answer, raises any other."""

    def __init__(
        self,
        http: httpx.Client,
        url: str,
        form: Callable[[], Mapping[str, str]],
        basic: httpx.BasicAuth | None = None,
        read: Callable[[httpx.Response], object] = lambda response: ANSWERS.read(response, "reads"),
    ) -> None:
        self._http, self._url, self._form, self._basic, self._read = http, url, form, basic, read

    def ask(self) -> Fields:
        """A new token's answer. Raises AuthError where it is refused, TransientError where none comes."""
        request = self._http.build_request("POST", self._url, data=dict(self._form()))
        if self._basic is not None:
            request = next(self._basic.sync_auth_flow(request))
        body = self._read(send(self._http, request, "reads"))
        if not isinstance(body, Mapping) or not text_at(body, "access_token"):
            raise AuthError(f"{self._url} answered without an access_token: is it the address of a token endpoint?")
        return body

    def log_in(self) -> Pass:
        """The token as every request carries it."""
        return Pass({"Authorization": f"Bearer {text_at(self.ask(), 'access_token')}"})


def assertion(claims: Mapping[str, str], private_key: str, setting: str, now: Callable[[], float] = time.time) -> str:
    """A signed JWT of these claims (RFC 7523), good for a few minutes. Raises ConfigError naming `setting`."""
    try:
        return jwt.encode({**claims, "exp": int(now()) + JWT_LIFE_S}, _key(private_key), algorithm=JWT_ALGORITHM)
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        remedy = "Use the PEM that belongs to the app's certificate."
        raise ConfigError(setting, f"is no RSA private key ({error}).", remedy) from error


@lru_cache(maxsize=8)
def _key(private_key: str) -> RSAPrivateKey:
    """Read once: proving that a key's numbers fit each other takes longer than a whole login."""
    found = jwt.get_algorithm_by_name(JWT_ALGORITHM).prepare_key(private_key)
    if not isinstance(found, RSAPrivateKey):
        raise TypeError("it is a public key")
    return found
