"""The security settings of a cluster as Faust gets them."""

from __future__ import annotations

import ssl

import pytest
from faust.auth import SASLCredentials, SSLCredentials

from streams.views.credentials import credentials_of


def test_a_cluster_without_security_needs_none() -> None:
    assert credentials_of({}) is None
    assert credentials_of({"security.protocol": "PLAINTEXT"}) is None


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_login_over_tls_keeps_mechanism_user_and_password(mechanism: str) -> None:
    found = credentials_of(
        {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": mechanism,
            "sasl.username": "bus",
            "sasl.password": "secret",
        }
    )
    assert isinstance(found, SASLCredentials)
    assert (found.protocol.value, found.mechanism.value) == ("SASL_SSL", mechanism)
    assert (found.username, found.password) == ("bus", "secret")
    assert isinstance(found.ssl_context, ssl.SSLContext)
    assert found.ssl_context.verify_mode == ssl.CERT_REQUIRED


def test_a_login_without_tls_has_no_context() -> None:
    found = credentials_of({"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN"})
    assert isinstance(found, SASLCredentials)
    assert (found.protocol.value, found.ssl_context) == ("SASL_PLAINTEXT", None)


def test_tls_alone_checks_the_broker() -> None:
    found = credentials_of({"security.protocol": "SSL"})
    assert isinstance(found, SSLCredentials)
    assert found.context.check_hostname


def test_a_certificate_authority_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        credentials_of({"security.protocol": "SSL", "ssl.ca.location": "/nowhere/ca.pem"})
