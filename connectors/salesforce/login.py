"""Tokens: our own httpx client fetches them from the configured login address (contract section 1)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from connectors.errors import AuthError, TransientError
from connectors.http import connect, retry_after_s
from connectors.oauth import JWT_GRANT, TokenEndpoint, assertion
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.outcomes import error_of_answer
from schemas.document import from_json


@dataclass(frozen=True)
class Token:
    """A session: `access` for REST and gRPC, the instance it is good for, and the 18-character org id."""

    access: str = field(repr=False)
    instance_url: str
    org_id: str


class Login:
    """Mints tokens for one config. There are no refresh tokens and no promised lifetimes: ask again on a 401."""

    def __init__(self, config: SalesforceConfig, now: Callable[[], float] = time.time) -> None:
        self._config, self._now = config, now
        self._http = connect(config.timeout_s, config.ca_file, proxied=True)
        secret = config.client_secret
        basic = httpx.BasicAuth(config.consumer_key, secret.get_secret_value()) if secret else None
        url = f"{config.login_url}/services/oauth2/token"
        self._endpoint = TokenEndpoint(self._http, url, self._form, basic, self._read)

    def mint(self) -> Token:
        """A new token. Raises AuthError where the org refuses, TransientError where it does not answer."""
        return token_of(self._endpoint.ask())

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _form(self) -> Mapping[str, str]:
        if self._config.flow == "jwt":
            return {"grant_type": JWT_GRANT, "assertion": jwt_of(self._config, self._now)}
        return {"grant_type": "client_credentials"}

    def _read(self, response: httpx.Response) -> object:
        try:
            body: object = from_json(response.content)
        except ValueError:
            body = response.content[:200].decode("utf-8", "replace")
        if response.status_code != 200:
            raise self._refusal(response.status_code, body, retry_after_s(response.headers))
        return body

    def _refusal(self, status: int, body: object, wish_s: float | None) -> Exception:
        error = error_of_answer(status, body, f"login at {self._config.login_url}", wish_s)
        if isinstance(error, TransientError):
            return error
        remedy = (
            "Check consumer_key, username and private_key, and that the app is pre-authorised for the user."
            if self._config.flow == "jwt"
            else "Check consumer_key and client_secret, and that the app has a run-as user."
        )
        return AuthError(f"{error} {remedy}")


def jwt_of(config: SalesforceConfig, now: Callable[[], float]) -> str:
    """The signed JWT of the bearer flow. Raises ConfigError where the key is none."""
    key = config.private_key.get_secret_value() if config.private_key else ""
    claims = {"iss": config.consumer_key, "sub": config.username or "", "aud": config.jwt_audience}
    return assertion(claims, key, "private_key", now)


def token_of(body: object) -> Token:
    """The token in the endpoint's answer. Raises AuthError for an answer that has none."""
    if not isinstance(body, Mapping) or not all(
        isinstance(body.get(name), str) for name in ("access_token", "instance_url", "id")
    ):
        raise AuthError(
            "the login's answer has no access_token, instance_url and id: is login_url a Salesforce address?"
        )
    return Token(body["access_token"], body["instance_url"].rstrip("/"), org_id_of(body["id"]))


def org_id_of(identity_url: str) -> str:
    """The org id is the second-last part of the path of `id`."""
    parts = urlsplit(identity_url).path.strip("/").split("/")
    if len(parts) < 2 or len(parts[-2]) != 18:
        raise AuthError(f"the login's answer names no org: its id is {identity_url!r}")
    return parts[-2]
