"""Who may call: every way of logging in is open at once, with the secrets of this shop."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.rest.simulator.shop import Refused
from connectors.testing import RecordStore
from schemas.document import Fields, Value, from_json

LIFE_S = 3600
CLOCK_S = 300


def made_once(store: RecordStore) -> Fields:
    """The shop's secrets, made on the first start."""
    kept = store.get("settings", "secrets")
    if kept is None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        names = ("api_key", "password", "client_secret", "signing_secret")
        kept = {**{name: secrets.token_urlsafe(18) for name in names}, "private_key": private.decode()}
        store.put("settings", "secrets", kept)
    return kept


class Keys:
    """Gives tokens and sessions, and says whose call it is. Tokens are forgotten by a restart. Thread-safe."""

    def __init__(self, kept: Fields, now: Callable[[], float]) -> None:
        self._kept, self._now = kept, now
        self._lock = threading.Lock()
        self._tokens: set[str] = set()
        self._sessions: dict[str, str] = {}

    def forget(self) -> None:
        """Every token and session has ended."""
        with self._lock:
            self._tokens.clear()
            self._sessions.clear()

    def given(self) -> list[str]:
        """Every token and session that is good now."""
        with self._lock:
            return [*self._tokens, *self._sessions, *self._sessions.values()]

    def token(self, headers: Mapping[str, str], body: bytes) -> Value:
        """POST /oauth/token (RFC 6749 4.4, RFC 7523). Raises Refused as section 5.2 says."""
        form = dict(parse_qsl(body.decode(errors="replace")))
        if not self._is_client(headers, form):
            raise Refused(401, "invalid_client", "unknown client or wrong secret")
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._tokens.add(token)
        return {"access_token": token, "token_type": "Bearer", "expires_in": LIFE_S}

    def session(self, body: bytes) -> tuple[str, str]:
        """POST /session {"username", "password"}: a cookie and a token against forged requests."""
        try:
            said = from_json(body)
        except ValueError:
            said = None
        if said != {"username": "bus", "password": self._kept["password"]}:
            raise Refused(401, "wrong_password", "user or password is wrong")
        cookie, token = secrets.token_urlsafe(18), secrets.token_urlsafe(18)
        with self._lock:
            self._sessions[cookie] = token
        return cookie, token

    def check(
        self, method: str, target: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> None:
        """Raises Refused where no login is good."""
        kind, _, given = headers.get("authorization", "").partition(" ")
        with self._lock:
            good = (
                self._same(headers.get("x-api-key") or query.get("api_key", ""), "api_key")
                or (kind == "Bearer" and (given in self._tokens or self._same(given, "api_key")))
                or (kind == "Basic" and self._is_user(given, "bus", "password"))
                or self._is_signed(method, target, headers, body)
            )
            cookie = headers.get("cookie", "").removeprefix("sid=")
            if not good and cookie in self._sessions:
                if method != "GET" and headers.get("x-csrf-token") != self._sessions[cookie]:
                    raise Refused(
                        403, "csrf", "the token against forged requests is missing", {"x-csrf-token": "Required"}
                    )
                good = True
        if not good:
            raise Refused(401, "invalid_token", "log in")

    def _is_client(self, headers: Mapping[str, str], form: Mapping[str, str]) -> bool:
        if form.get("grant_type") == "client_credentials":
            kind, _, given = headers.get("authorization", "").partition(" ")
            in_body = form.get("client_id") == "bus" and self._same(form.get("client_secret", ""), "client_secret")
            return in_body or (kind == "Basic" and self._is_user(given, "bus", "client_secret"))
        key = serialization.load_pem_private_key(str(self._kept["private_key"]).encode(), None)
        try:
            claims = jwt.decode(form.get("assertion", ""), key.public_key(), ["RS256"], audience="shop")  # type: ignore[arg-type]
        except jwt.PyJWTError:
            return False
        return claims.get("iss") == "bus"

    def _is_user(self, given: str, user: str, secret: str) -> bool:
        try:
            name, _, password = base64.b64decode(given).decode().partition(":")
        except ValueError:
            return False
        return name == user and self._same(password, secret)

    def _is_signed(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> bool:
        time = headers.get("x-timestamp", "")
        if not time.isdecimal() or abs(self._now() - int(time)) > CLOCK_S:
            return False
        text = b"\n".join([time.encode(), method.encode(), target.encode(), body])
        expected = hmac.new(str(self._kept["signing_secret"]).encode(), text, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, headers.get("x-signature", ""))

    def _same(self, given: str, secret: str) -> bool:
        return hmac.compare_digest(given.encode(), str(self._kept[secret]).encode())
