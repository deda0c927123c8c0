"""Tokens of the stand-in: the JWT bearer and client credentials flows, and the sessions they open (section 1)."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.salesforce.simulator.answers import Answer
from connectors.testing import RecordStore

ORG_ID = "00Dxx0000001gEREAY"
USER_ID = "005xx000001SwiUAAS"
CONSUMER_KEY = "3MVG9lineshaft.stand.in"
CLIENT_SECRET = "worth-nothing-4711"  # noqa: S105 - of a stand-in on loopback
USERNAME = "bus@stand-in.example"
AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LONGEST_JWT_S = 180
NOT_APPROVED = "user hasn't approved this consumer"


class Refused(Exception):
    """The token endpoint's no: an OAuth error object, not an array."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.answer = Answer(status, {"error": error, "error_description": description})


@dataclass(frozen=True)
class AppKey:
    """The app's key pair: its private half is what a client signs with."""

    private_pem: str
    public: rsa.RSAPublicKey


def app_key(folder: Path) -> AppKey:
    """The key kept in `folder`, made on the first call."""
    file = folder / "app.key"
    if not file.exists():
        file.touch(mode=0o600)
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        file.write_bytes(
            made.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    key = serialization.load_pem_private_key(file.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return AppKey(file.read_text(), key.public_key())


class Sessions:
    """Who is logged in; kept on disk, so a token outlives a restart of the stand-in. `address` is told at a login."""

    def __init__(self, store: RecordStore, key: AppKey, address: Callable[[], str]) -> None:
        self._store = store
        self._key = key
        self._address = address

    def open(self, form: Mapping[str, str], authorization: str) -> Answer:
        """The token endpoint. Raises Refused."""
        grant = form.get("grant_type", "")
        if grant == JWT_GRANT:
            self._check_assertion(form.get("assertion", ""))
        elif grant == "client_credentials":
            _check_credentials(form, authorization)
        else:
            raise Refused("unsupported_grant_type", "grant type not supported")
        access = f"{ORG_ID[:15]}!AQ.{secrets.token_urlsafe(48)}"
        self._store.put("sessions", access, {"opened_us": time.time_ns() // 1000})
        return Answer(
            200,
            {
                "access_token": access,
                "scope": "api",
                "instance_url": self._address(),
                "id": f"https://login.salesforce.com/id/{ORG_ID}/{USER_ID}",
                "token_type": "Bearer",
            },
        )

    def holds(self, access: str) -> bool:
        """Whether the token is good."""
        return self._store.get("sessions", access) is not None

    def expire(self, access: str) -> None:
        """End one session."""
        self._store.delete("sessions", access)

    def _check_assertion(self, assertion: str) -> None:
        try:
            claims = jwt.decode(
                assertion,
                self._key.public,
                algorithms=["RS256"],
                audience=AUDIENCES,
                options={"require": ["iss", "sub", "aud", "exp"]},
            )
        except jwt.InvalidAudienceError as error:
            raise Refused("invalid_grant", "audience is invalid") from error
        except jwt.PyJWTError as error:
            raise Refused("invalid_grant", f"invalid assertion: {error}") from error
        if claims["exp"] > time.time() + LONGEST_JWT_S:
            raise Refused("invalid_grant", "expiration is more than 3 minutes ahead")
        if claims["iss"] != CONSUMER_KEY:
            raise Refused("invalid_client_id", "client identifier invalid")
        if claims["sub"] != USERNAME:
            raise Refused("invalid_grant", NOT_APPROVED)


def _check_credentials(form: Mapping[str, str], authorization: str) -> None:
    pair = (form.get("client_id", ""), form.get("client_secret", ""))
    scheme, _, encoded = authorization.partition(" ")
    if scheme == "Basic":
        try:
            key, _, secret = base64.b64decode(encoded).decode().partition(":")
        except ValueError as error:
            raise Refused("invalid_client", "malformed basic authorization", 401) from error
        pair = (key, secret)
    if pair[0] != CONSUMER_KEY:
        raise Refused("invalid_client_id", "client identifier invalid")
    if not secrets.compare_digest(pair[1], CLIENT_SECRET):
        raise Refused("invalid_client", "invalid client credentials", 401)
