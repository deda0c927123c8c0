"""The token request and its answer."""

from __future__ import annotations

from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError

from connectors.errors import AuthError, ConfigError
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.login import jwt_of, token_of

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NOW = 1_777_622_400


def config(folder: Path, **changes: object) -> SalesforceConfig:
    pem = KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(pem)
    (folder / "secret").write_text("s3cret")
    values = {"consumer_key": "3MVG9", "username": "bus@acme.example", "private_key": secret(folder, "key.pem")}
    given = {name: value for name, value in (values | changes).items() if value is not None}
    return SalesforceConfig.model_validate(given)


def secret(folder: Path, name: str) -> str:
    return f"${{file:{folder / name}}}"


def test_the_assertion_is_signed_by_the_key_and_lives_less_than_three_minutes(tmp_path: Path) -> None:
    text = jwt_of(config(tmp_path), lambda: NOW)
    claims = jwt.decode(text, KEY.public_key(), ["RS256"], options={"verify_exp": False, "verify_aud": False})
    assert claims["iss"] == "3MVG9"
    assert claims["sub"] == "bus@acme.example"
    assert claims["aud"] == "https://login.salesforce.com"
    assert 0 < claims["exp"] - NOW <= 180


def test_a_sandbox_login_is_its_own_audience(tmp_path: Path) -> None:
    assert config(tmp_path, login_url="https://test.salesforce.com").jwt_audience == "https://test.salesforce.com"


def test_a_my_domain_login_keeps_the_production_audience_unless_one_is_given(tmp_path: Path) -> None:
    mine = "https://acme.my.salesforce.com"
    assert config(tmp_path, login_url=mine).jwt_audience == "https://login.salesforce.com"
    assert config(tmp_path, login_url=mine, audience="https://test.salesforce.com").jwt_audience.endswith(
        "test.salesforce.com"
    )


def test_a_key_that_is_none_is_named_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("not a key")
    with pytest.raises(ConfigError, match="private_key"):
        jwt_of(config(tmp_path, private_key=secret(tmp_path, "bad.pem")), lambda: NOW)


@pytest.mark.parametrize(
    "body", [None, "x", {}, {"access_token": "a", "instance_url": "b", "id": "https://x/short/y"}]
)
def test_an_answer_without_a_token_is_an_auth_error(body: object) -> None:
    with pytest.raises(AuthError):
        token_of(body)


def test_a_token_is_never_printed() -> None:
    token = token_of(
        {"access_token": "00D!AQ", "instance_url": "https://a", "id": "https://l/id/00Dxx0000001gEREAY/005"}
    )
    assert "AQ" not in repr(token)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"username": None}, "flow jwt needs username and private_key"),
        ({"flow": "client_credentials"}, "needs client_secret"),
        ({"login_url": "http://acme.my.salesforce.com"}, "bare https address"),
        ({"login_url": "https://acme.my.salesforce.com/services"}, "without a path"),
        ({"pubsub_endpoint": "api.pubsub.salesforce.com"}, "host:port"),
        ({"topics": ["OrderChangeEvent"]}, "no change topic"),
        ({"topics": ["/data/A", "/data/A"]}, "named twice"),
        ({"order_fields": ["Id", "OrderNumber"]}, "needs SystemModstamp, IsDeleted of Order"),
        ({"line_fields": ["Id", "Id; DROP"]}, "no field of OrderItem"),
        ({"api_version": "62"}, "api_version"),
        ({"private_key": "-----BEGIN"}, "never written down"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_a_wrong_configuration_is_refused_with_what_to_do(
    tmp_path: Path, changes: dict[str, object], told: str
) -> None:
    with pytest.raises(ValidationError, match=told):
        config(tmp_path, **changes)


@pytest.mark.parametrize("address", ["https://login.salesforce.com", "https://test.salesforce.com"])
def test_client_credentials_are_refused_at_the_shared_login_addresses(tmp_path: Path, address: str) -> None:
    with pytest.raises(ValidationError, match="My Domain"):
        config(
            tmp_path,
            flow="client_credentials",
            login_url=address,
            username=None,
            private_key=None,
            client_secret=secret(tmp_path, "secret"),
        )
