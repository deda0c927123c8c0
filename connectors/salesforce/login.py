"""Tokens: our own httpx client fetches them from the configured login address (contract section 1)."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import jwt

from connectors.errors import AuthError, ConfigError, TransientError
from connectors.http import retry_after_s, send
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.outcomes import error_of_answer
from schemas.document import from_json

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
JWT_LIFE_S = 170
"""The contract allows three minutes; ten seconds are left for clocks that differ."""


@dataclass(frozen=True)
class Token:
    """A session: `access` for REST and gRPC, the instance it is good for, and the 18-character org id."""

    access: str
    instance_url: str
    org_id: str

    def __repr__(self) -> str:
        return f"Token({self.instance_url}, {self.org_id})"


class Login:
    """Mints tokens for one config. There are no refresh tokens and no promised lifetimes: ask again on a 401."""

    def __init__(self, config: SalesforceConfig, now: Callable[[], float] = time.time) -> None:
        self._config = config
        self._now = now
        self._http = httpx.Client(verify=tls(config), timeout=config.timeout_s, follow_redirects=False)

    def mint(self) -> Token:
        """A new token. Raises AuthError where the org refuses, TransientError where it does not answer."""
        response = send(self._http, self._request(), effect="reads")
        try:
            body = from_json(response.content)
        except ValueError:
            body = response.content[:200].decode("utf-8", "replace")
        if response.status_code != 200:
            raise self._refusal(response.status_code, body, retry_after_s(response.headers))
        return token_of(body)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _request(self) -> httpx.Request:
        url = f"{self._config.login_url}/services/oauth2/token"
        if self._config.flow == "jwt":
            form = {"grant_type": JWT_GRANT, "assertion": assertion(self._config, self._now())}
            return self._http.build_request("POST", url, data=form)
        request = self._http.build_request("POST", url, data={"grant_type": "client_credentials"})
        secret = self._config.client_secret
        basic = httpx.BasicAuth(self._config.consumer_key, secret.get_secret_value() if secret else "")
        return next(basic.sync_auth_flow(request))

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


def tls(config: SalesforceConfig) -> ssl.SSLContext:
    """Verification of the org's certificates, against `ca_file` where one is given."""
    try:
        return ssl.create_default_context(cafile=config.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            "ca_file", f"{config.ca_file} cannot be used ({error}).", "Name a PEM file of certificates."
        ) from error


def assertion(config: SalesforceConfig, now: float) -> str:
    """The signed JWT of the bearer flow."""
    key = config.private_key.get_secret_value() if config.private_key else ""
    claims = {
        "iss": config.consumer_key,
        "sub": config.username,
        "aud": config.jwt_audience,
        "exp": int(now) + JWT_LIFE_S,
    }
    try:
        return jwt.encode(claims, key, algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise ConfigError(
            "private_key", f"is no RSA private key ({error}).", "Use the PEM that belongs to the app's certificate."
        ) from error


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
