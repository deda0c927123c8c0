"""How to log in, as an administrator writes it under `login`, and the httpx.Auth that it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

import httpx
from pydantic import Field

from connectors.classification import Answers, passing, refused, throttled
from connectors.config import Address, Secret, Settings
from connectors.errors import AuthError
from connectors.http import send
from connectors.json_path import text_at
from connectors.logins import Key, Part, Pass, Renewing, Signed, csrf_missing
from connectors.oauth import JWT_GRANT, TokenEndpoint, assertion


class KeyLogin(Settings):
    """A key that never ends."""

    type: Literal["key"] = Field(description="A key that goes along with every call.")
    key: Secret = Field(description="The key, as a reference to a secret.")
    header: str = Field(default="Authorization", description="The header that it goes in.")
    prefix: str = Field(default="Bearer ", description="What stands before it in the header.")
    query: str = Field(default="", description="The query's parameter that it goes in, in the place of the header.")

    def auth(self, http: httpx.Client) -> httpx.Auth:
        """The login; `http` calls without one."""
        secret = self.key.get_secret_value()
        return Key(query={self.query: secret}) if self.query else Key({self.header: f"{self.prefix}{secret}"})


class BasicLogin(Settings):
    """User and password with every call."""

    type: Literal["basic"] = Field(description="User and password with every call (RFC 7617).")
    user: str = Field(min_length=1, description="The bus's own user.")
    password: Secret = Field(description="Its password, as a reference to a secret.")

    def auth(self, http: httpx.Client) -> httpx.Auth:
        """See KeyLogin."""
        return httpx.BasicAuth(self.user, self.password.get_secret_value())


class CredentialsLogin(Settings):
    """OAuth 2.0 client credentials."""

    type: Literal["client_credentials"] = Field(description="A token for a client's id and secret (RFC 6749 4.4).")
    token_url: Address = Field(description="The token endpoint's address.")
    client_id: str = Field(min_length=1, description="The client's id.")
    client_secret: Secret = Field(description="Its secret, as a reference.")
    scope: str = Field(default="", description="What is asked for, where the endpoint wants it said.")
    send: Literal["body", "header"] = Field(default="body", description="Where id and secret go.")

    def auth(self, http: httpx.Client) -> httpx.Auth:
        """See KeyLogin."""
        secret = self.client_secret.get_secret_value()
        in_body = {"client_id": self.client_id, "client_secret": secret} if self.send == "body" else {}
        form = {"grant_type": "client_credentials", **in_body, **({"scope": self.scope} if self.scope else {})}
        basic = None if self.send == "body" else httpx.BasicAuth(self.client_id, secret)
        return Renewing(TokenEndpoint(http, self.token_url, lambda: form, basic).log_in)


class JwtLogin(Settings):
    """OAuth 2.0 JWT bearer."""

    type: Literal["jwt"] = Field(description="A token for a text that we sign (RFC 7523).")
    token_url: Address = Field(description="The token endpoint's address.")
    issuer: str = Field(min_length=1, description="Claim iss: the app's id.")
    subject: str = Field(min_length=1, description="Claim sub: the bus's own user.")
    audience: str = Field(min_length=1, description="Claim aud: whom the text is for.")
    private_key: Secret = Field(description="The RSA key that the app's certificate belongs to, PEM, as a reference.")

    def auth(self, http: httpx.Client) -> httpx.Auth:
        """See KeyLogin."""
        return Renewing(TokenEndpoint(http, self.token_url, self._form).log_in)

    def _form(self) -> Mapping[str, str]:
        claims = {"iss": self.issuer, "sub": self.subject, "aud": self.audience}
        signed = assertion(claims, self.private_key.get_secret_value(), "login.private_key")
        return {"grant_type": JWT_GRANT, "assertion": signed}


class SessionLogin(Settings):
    """A session: a call gives cookies, a token or both, until they end."""

    type: Literal["session"] = Field(description="A call that logs in; its cookies go along with every other call.")
    login_url: Address = Field(description="The address that logs in.")
    method: Literal["GET", "POST"] = Field(default="POST", description="The method of that call.")
    user: str = Field(min_length=1, description="The bus's own user.")
    password: Secret = Field(description="Its password, as a reference to a secret.")
    send: Literal["json", "form", "basic"] = Field(default="json", description="How user and password go.")
    user_field: str = Field(default="username", description="What the body calls the user.")
    password_field: str = Field(default="password", description="What the body calls the password.")
    headers: Mapping[str, str] = Field(default={}, description="Headers of that call, e.g. X-CSRF-Token: Fetch.")
    token: str = Field(default="", description="Where the answer's body has a token, e.g. data.token.")
    token_header: str = Field(default="", description="The answer's header that has a token, e.g. X-CSRF-Token.")
    header: str = Field(default="Authorization", description="The header in which a token goes along with calls.")
    prefix: str = Field(default="Bearer ", description="What stands before it there.")

    def auth(self, http: httpx.Client) -> httpx.Auth:
        """See KeyLogin."""
        return Renewing(lambda: self._log_in(http), csrf_missing)

    def _log_in(self, http: httpx.Client) -> Pass:
        http.cookies.clear()
        response = send(http, self._request(http), "reads")
        body = LOGIN_ANSWERS.read(response, "reads")
        found = text_at(body, self.token) if self.token else response.headers.get(self.token_header, "")
        if not found and (self.token or self.token_header):
            where = self.token or self.token_header
            raise AuthError(f"{self.login_url} answered without a token at {where}: look at login.token")
        return Pass({self.header: f"{self.prefix}{found}"} if found else {}, dict(response.cookies))

    def _request(self, http: httpx.Client) -> httpx.Request:
        secret = self.password.get_secret_value()
        said = {self.user_field: self.user, self.password_field: secret}
        if self.send == "json":
            return http.build_request(self.method, self.login_url, headers=self.headers, json=said)
        if self.send == "form":
            return http.build_request(self.method, self.login_url, headers=self.headers, data=said)
        request = http.build_request(self.method, self.login_url, headers=self.headers)
        return next(httpx.BasicAuth(self.user, secret).sync_auth_flow(request))


LOGIN_ANSWERS = Answers(
    dict.fromkeys(range(400, 500), refused("look at the settings under login"))
    | {408: passing, 429: throttled(None), 503: passing}
)
"""What a login's address says is never a record's fault."""


class SignedLogin(Settings):
    """Every call signed."""

    type: Literal["signed"] = Field(description="Every call signed by a secret that both sides know (HMAC, in hex).")
    secret: Secret = Field(description="The secret, as a reference.")
    header: str = Field(default="X-Signature", description="The header of the signature.")
    time_header: str = Field(default="X-Timestamp", description="The header of the time, seconds since 1970.")
    parts: tuple[Part, ...] = Field(
        default=("timestamp", "method", "path", "body"), min_length=1, description="What is signed, in this order."
    )
    separator: str = Field(default="\n", description="What stands between the parts.")
    digest: Literal["sha256", "sha512", "sha1"] = Field(default="sha256", description="The hash function.")

    def auth(self, http: httpx.Client) -> httpx.Auth:
        """See KeyLogin."""
        secret = self.secret.get_secret_value()
        return Signed(secret, self.header, self.time_header, self.parts, self.separator, self.digest)


Login: TypeAlias = Annotated[
    KeyLogin | BasicLogin | CredentialsLogin | JwtLogin | SessionLogin | SignedLogin, Field(discriminator="type")
]
