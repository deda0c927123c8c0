"""Logins against a server that checks them: kept, renewed once for all threads, and never shown."""

from __future__ import annotations

import hashlib
import hmac
import json as json_module
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.responses import Response

from connectors.errors import AuthError, ConfigError, FarError, Throttled, TransientError
from connectors.http import send
from connectors.logins import Key, Pass, Renewable, Renewing, Signed, csrf_missing
from connectors.oauth import JWT_GRANT, TokenEndpoint, assertion
from tests.unit.connectors.far_server import Asked, Far, json

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLIC_PEM = (
    KEY.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
SECRET = "s3cr3t-of-the-client"
NOW = 1_777_622_400


def get(far: Far, auth: httpx.Auth, path: str = "/orders") -> httpx.Response:
    with far.client(auth) as http:
        return send(http, http.build_request("GET", f"{far.url}{path}"), "reads")


class TokenServer:
    """Gives a new token at each login and accepts the newest only; `lives` is how many calls a token is good for."""

    def __init__(self, lives: int = 1_000_000) -> None:
        self.lives, self.logins, self.left = lives, 0, 0
        self.lock = threading.Lock()

    def __call__(self, asked: Asked) -> Response:
        with self.lock:
            if asked.path == "/token":
                self.logins, self.left = self.logins + 1, self.lives
                return json({"access_token": f"t{self.logins}", "token_type": "Bearer", "expires_in": 3599})
            self.left -= 1
            good = asked.headers.get("authorization") == f"Bearer t{self.logins}" and self.left >= 0
        return json([]) if good else json({"error": "invalid_token"}, 401)


def credentials(far: Far) -> TokenEndpoint:
    form = {"grant_type": "client_credentials", "client_id": "bus", "client_secret": SECRET, "scope": "orders"}
    return TokenEndpoint(far.client(), f"{far.url}/token", lambda: form)


def test_a_key_goes_out_in_a_header_or_in_the_query_beside_what_is_asked(far: Far) -> None:
    far.answers = lambda asked: json([])
    get(far, Key({"X-Api-Key": "k3y"}))
    get(far, Key.bearer("k3y"))
    get(far, Key(query={"code": "k3y"}), "/orders?top=5")
    first, second, third = far.asked
    assert first.headers["x-api-key"] == "k3y"
    assert second.headers["authorization"] == "Bearer k3y"
    assert third.query == {"top": "5", "code": "k3y"}


def test_client_credentials_are_exchanged_once_for_many_calls(far: Far) -> None:
    far.answers = server = TokenServer()
    auth = Renewing(credentials(far).log_in)
    assert [get(far, auth).status_code for _ in range(3)] == [200, 200, 200]
    assert server.logins == 1
    assert parse_qs(far.asked[0].body.decode())["scope"] == ["orders"]


def test_credentials_may_go_in_the_header_instead(far: Far) -> None:
    far.answers = TokenServer()
    basic = httpx.BasicAuth("bus", SECRET)
    endpoint = TokenEndpoint(far.client(), f"{far.url}/token", lambda: {"grant_type": "client_credentials"}, basic)
    endpoint.ask()
    assert far.asked[0].headers["authorization"].startswith("Basic ")
    assert SECRET not in far.asked[0].body.decode()


def test_an_assertion_is_signed_by_the_key_and_lives_less_than_three_minutes(far: Far) -> None:
    far.answers = TokenServer()
    claims = {"iss": "app", "sub": "bus@acme.example", "aud": "https://login.example.com"}

    def form() -> dict[str, str]:
        return {"grant_type": JWT_GRANT, "assertion": assertion(claims, PEM, "private_key", lambda: NOW)}

    TokenEndpoint(far.client(), f"{far.url}/token", form).ask()
    sent = parse_qs(far.asked[0].body.decode())
    found = jwt.decode(
        sent["assertion"][0], KEY.public_key(), ["RS256"], options={"verify_exp": False, "verify_aud": False}
    )
    assert sent["grant_type"] == [JWT_GRANT]
    assert found.items() >= claims.items()
    assert 0 < found["exp"] - NOW <= 180


@pytest.mark.parametrize("key", ["not a key", PUBLIC_PEM])
def test_a_key_that_is_none_names_its_setting(key: str) -> None:
    with pytest.raises(ConfigError, match=r"^private_key: is no RSA private key"):
        assertion({}, key, "private_key")


def test_a_token_that_ended_before_its_time_is_made_anew_and_the_call_repeated(far: Far) -> None:
    far.answers = server = TokenServer(lives=2)
    auth = Renewing(credentials(far).log_in)
    assert [get(far, auth).status_code for _ in range(5)] == [200] * 5
    assert server.logins == 3


def test_a_refused_write_is_repeated_with_its_body(far: Far) -> None:
    far.answers = TokenServer(lives=1)
    with far.client(Renewing(credentials(far).log_in)) as http:
        for number in (1, 2):
            request = http.build_request("POST", f"{far.url}/orders", json={"number": number})
            assert send(http, request, "writes").status_code == 200
    assert [json_module.loads(each.body)["number"] for each in far.asked if each.path == "/orders"] == [1, 2, 2]


def test_a_login_that_is_refused_right_after_it_was_made_is_an_auth_error_and_no_loop(far: Far) -> None:
    far.answers = server = TokenServer(lives=0)
    with pytest.raises(AuthError, match="made anew a moment ago"):
        get(far, Renewing(credentials(far).log_in))
    assert server.logins == 2


def test_many_threads_that_find_a_login_ended_make_one_new_one(far: Far) -> None:
    far.answers = server = TokenServer()
    auth, gate = Renewing(credentials(far).log_in), threading.Barrier(8)
    assert get(far, auth).status_code == 200

    def expired(asked: Asked) -> Response:
        if asked.path != "/token" and asked.headers.get("authorization") == "Bearer t1":
            return json({}, 401)
        return server(asked)

    def call(_: int) -> int:
        gate.wait()
        return get(far, auth).status_code

    far.answers = expired
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(call, range(8))) == [200] * 8
    assert server.logins == 2


def test_a_renewal_by_somebody_else_is_used_and_not_repeated() -> None:
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    login = Renewable(make)
    stale = login.current
    assert login.renewed(stale) is login.renewed(stale) is login.current
    assert len(made) == 2


def test_a_renewal_that_fails_is_tried_again_by_the_next_call() -> None:
    answers: list[object] = ["t1", TransientError("down"), "t2"]

    def make() -> object:
        answer = answers.pop(0)
        if isinstance(answer, FarError):
            raise answer
        return answer

    login = Renewable(make)
    with pytest.raises(TransientError):
        login.renewed(login.current)
    assert login.current == "t2"


def test_a_session_is_logged_in_by_a_call_and_carried_as_cookie_and_token(far: Far) -> None:
    """SAP Gateway: a token with cookies, fetched by a call, and a 403 that asks for new ones (its contract, 1)."""
    sessions: list[str] = []

    def answers(asked: Asked) -> Response:
        if asked.headers.get("x-csrf-token") == "Fetch":
            sessions.append(f"s{len(sessions) + 1}")
            return json({}, X_CSRF_Token=sessions[-1], Set_Cookie=f"SAP_SESSIONID={sessions[-1]}; path=/")
        good = sessions[-1] if len(sessions) > 1 else "another node's"
        carried = asked.headers.get("x-csrf-token"), asked.headers.get("cookie")
        return json({}) if carried == (good, f"SAP_SESSIONID={good}") else json({}, 403, X_CSRF_Token="Required")

    def log_in() -> Pass:
        with far.client() as http:
            request = http.build_request("GET", f"{far.url}/service", headers={"X-CSRF-Token": "Fetch"})
            response = send(http, request, "reads")
        return Pass({"X-CSRF-Token": response.headers["X-CSRF-Token"]}, dict(response.cookies))

    far.answers = answers
    assert get(far, Renewing(log_in, csrf_missing)).status_code == 200
    assert sessions == ["s1", "s2"]


def test_a_signed_request_is_the_one_that_was_signed_with_its_time_query_and_body(far: Far) -> None:
    def checks(asked: Asked) -> Response:
        text = b"\n".join([str(NOW).encode(), asked.method.encode(), b"/orders?a=%C3%A4", asked.body])
        expected = hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest()
        good = asked.headers["x-signature"] == expected and asked.headers["x-time"] == str(NOW)
        return json({}, 200 if good else 401)

    far.answers = checks
    with far.client(Signed(SECRET, "X-Signature", "X-Time", now=lambda: NOW)) as http:
        request = http.build_request("POST", f"{far.url}/orders", params={"a": "ä"}, json={"number": 1})
        assert send(http, request, "writes").status_code == 200


REFUSALS: list[tuple[Callable[[], Response], type[FarError]]] = [
    (lambda: json({"error": "invalid_client", "error_description": "unknown client"}, 401), AuthError),
    (lambda: json({"error": "temporarily_unavailable"}, 400), TransientError),
    (lambda: json({}, 429, Retry_After="7"), Throttled),
    (lambda: json({"error": "slow_down"}, 429), Throttled),
    (lambda: json({"error": "server_error"}, 503), TransientError),
    (lambda: json({"error": "unheard_of"}, 422), AuthError),
    (lambda: Response("<h1>Bad gateway</h1>", 502), TransientError),
    (lambda: Response("<h1>Welcome</h1>", 200), TransientError),
    (lambda: json({"token": "t1"}), AuthError),
]


@pytest.mark.parametrize(("answer", "kind"), REFUSALS)
def test_what_a_token_endpoint_answers_is_never_a_record_s_fault(
    far: Far, answer: Callable[[], Response], kind: type[FarError]
) -> None:
    far.answers = lambda asked: answer()
    with far.client(Renewing(credentials(far).log_in)) as http, pytest.raises(kind) as raised:
        send(http, http.build_request("POST", f"{far.url}/orders"), "writes")
    assert type(raised.value) is kind
    assert SECRET not in str(raised.value)
    assert far.paths() == ["/token"]


def test_no_secret_is_shown_by_any_login(far: Far) -> None:
    shown = [
        Key.bearer(SECRET),
        Key(query={"code": SECRET}),
        Pass({"Authorization": SECRET}, {"sid": SECRET}),
        credentials(far),
        Signed(SECRET, "X-Signature", "X-Time"),
        Renewing(lambda: Pass({"Authorization": SECRET})),
        httpx.BasicAuth("bus", SECRET),
    ]
    assert not [each for each in shown if SECRET in repr(each) or SECRET in str(each)]
