"""Which signed pushes are taken as documents, and which documents are pushed where."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from connectors.config import REFERENCE, CaFile, ConnectorConfig, Secret, Settings, TimeoutS, resolve_secret
from connectors.record_fields import Shape, Times
from connectors.signatures import Digest, Encoding, standard_key


def _address(text: object) -> object:
    """An address may hold its own secret, as those of many tools do: then it is written as a reference."""
    found = resolve_secret(text) if isinstance(text, str) and REFERENCE.match(text) else text
    if not isinstance(found, str) or not found.startswith("https://"):
        raise ValueError("it has to be an address that begins with https://, or a reference to one: ${file:path}")
    return found


def _is_standard(secret: SecretStr) -> SecretStr:
    standard_key(secret.get_secret_value())
    return secret


StandardSecret = Annotated[Secret, AfterValidator(_is_standard)]


class HeaderSignature(Settings):
    """The HMAC of the raw body in one header."""

    header: str = Field(min_length=1, description="Name of the header, e.g. X-Hub-Signature-256.")
    digest: Digest = Field(default="sha256", description="sha1, sha256 or sha512.")
    encoding: Encoding = Field(default="hex", description="hex or base64.")
    prefix: str = Field(default="", description="What stands before it, e.g. sha256=.")


class Receiving(Settings):
    """One kind of record in the pushes that come."""

    document: str = Field(min_length=1, description="Name of the document type that mappings read, e.g. Order.")
    events: Sequence[str] = Field(
        default=(), description="The events that tell of it; all without. Others are left out."
    )
    deletions: Sequence[str] = Field(default=(), description="The events that tell that it was deleted.")
    records: str = Field(default="data", description="Where the record, or the list of records, is; empty: the body.")
    id: str = Field(default="id", description="Where a record's own id is.")
    changed: str = Field(min_length=1, description="Where the moment of a record's last change is.")
    deleted: str = Field(default="", description="Where a record says that it is deleted: not false, 0 or nothing.")
    fields: Shape = Field(min_length=1, description="The fields to read: name: kind, or name: {kind, at, fields}.")


class Sending(Settings):
    """One kind of document that is pushed."""

    document: str = Field(min_length=1, description="Name of the document type that mappings write, e.g. WorkOrder.")
    event: str = Field(pattern=r"^\w+(\.\w+)*$", description="What the push says it is, e.g. workorder.changed.")
    fields: Shape = Field(min_length=1, description="The fields to send: name: kind, or name: {kind, at, fields}.")

    @model_validator(mode="after")
    def _leaves_ours_alone(self) -> Self:
        taken = {(column.at or name).partition(".")[0] for name, column in self.fields.items()} & {"id", "version"}
        if taken:
            raise ValueError(f"the bus fills {' and '.join(sorted(taken))} itself: give the field another name")
        return self


class WebhookConfig(ConnectorConfig):
    """Signed pushes in, at the ingress, and out, to one address."""

    model_config = ConfigDict(hide_input_in_errors=True)  # an address may be a secret

    receive: tuple[Receiving, ...] = Field(default=(), description="What is taken; the first that fits takes a push.")
    event: str = Field(default="type", description="Where a push says what has happened.")
    times: Times = Field(default="iso", description="How moments are written: iso, epoch_s or epoch_ms.")
    signature: HeaderSignature | Literal["standard"] = Field(
        default="standard", description="How pushes are signed: standard (Standard Webhooks), or {header: …}."
    )
    receive_secret: Secret | None = Field(default=None, description="The sender's secret, as a reference.")
    receive_secret_before: Secret | None = Field(
        default=None, description="Another one that is good as well while the secret is being changed."
    )
    send: tuple[Sending, ...] = Field(default=(), description="What is pushed.")
    url: Annotated[SecretStr, BeforeValidator(_address)] | None = Field(
        default=None, description="Where to, with https; a reference where the address is itself a secret."
    )
    send_secret: StandardSecret | None = Field(
        default=None, description="The secret whsec_… that signs what is sent, as a reference."
    )
    allow: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(), description="Networks inside the company that may be called, e.g. 10.1.0.0/16; none without."
    )
    requests_per_second: int = Field(default=10, ge=1, description="Pushes that are sent in one second.")
    ca_file: CaFile = None
    timeout_s: TimeoutS = 10.0

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.receive and self.receive_secret is None:
            raise ValueError("receive_secret is missing: an unsigned push could come from anybody")
        if self.send and (self.url is None or self.send_secret is None):
            raise ValueError("url and send_secret are needed to send: name both")
        names = [*(each.document for each in self.receive), *(each.document for each in self.send)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands there twice: give each document a name of its own")
        if self.signature == "standard":
            for secret in self.verifying:
                standard_key(secret)
        return self

    @property
    def verifying(self) -> list[str]:
        """The secrets that pushes may be signed with."""
        found = (self.receive_secret, self.receive_secret_before)
        return [each.get_secret_value() for each in found if each is not None]
