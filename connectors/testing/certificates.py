"""A certificate authority of a stand-in's own, and its server certificate for this machine's loopback names."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = datetime.timedelta(days=3650)
RENEW_BEFORE = datetime.timedelta(days=30)


@dataclass(frozen=True)
class Certificates:
    """PEM files: `ca` is what a client trusts; `certificate` and its private `key` are what the server shows."""

    ca: Path
    certificate: Path
    key: Path


def issue(folder: Path) -> Certificates:
    """The certificates kept in `folder`, made on the first call; clients may trust `ca` across restarts."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    if not _usable(kept):
        _make(kept)
    return kept


def _usable(kept: Certificates) -> bool:
    """The server's certificate is written last, so it stands for all three."""
    if not (kept.certificate.exists() and kept.key.exists() and kept.ca.exists()):
        return False
    certificate = x509.load_pem_x509_certificate(kept.certificate.read_bytes())
    return certificate.not_valid_after_utc > _now() + RENEW_BEFORE


def _make(kept: Certificates) -> None:
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _authority(ca_key)
    server_key = ec.generate_private_key(ec.SECP256R1())
    server = _server(server_key, ca, ca_key)
    kept.ca.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    kept.key.touch(mode=0o600)
    kept.key.write_bytes(_pem(server_key))
    kept.certificate.write_bytes(server.public_bytes(serialization.Encoding.PEM))


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _name("Lineshaft stand-in CA")
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        _blank(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePrivateKey, ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    return (
        _blank(_name("localhost"), ca.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(authority, critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def _blank(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    """A builder with what both certificates share; an hour of grace for clocks that go behind."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - datetime.timedelta(hours=1))
        .not_valid_after(_now() + VALID)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
