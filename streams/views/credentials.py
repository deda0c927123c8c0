"""The cluster's security settings, which have librdkafka's names, as Faust wants them."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

from faust.auth import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT


def credentials_of(settings: Mapping[str, str]) -> CredentialsT | None:
    """How Faust logs in; None for a cluster without security. Raises OSError for a PEM file that is not there."""
    protocol = settings.get("security.protocol", "PLAINTEXT").upper()
    context = _tls(settings) if protocol.endswith("SSL") else None
    if protocol.startswith("SASL"):
        return SASLCredentials(
            mechanism=settings.get("sasl.mechanism", "PLAIN"),
            username=settings.get("sasl.username"),
            password=settings.get("sasl.password"),
            ssl_context=context,
        )
    return None if context is None else SSLCredentials(context)


def _tls(settings: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.get("ssl.ca.location"))
    own = settings.get("ssl.certificate.location")
    if own is not None:
        context.load_cert_chain(own, settings.get("ssl.key.location"), settings.get("ssl.key.password"))
    return context
