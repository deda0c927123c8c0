"""What lineshaft.yaml may say, field by field. Unknown keys are errors; reference pages follow from these texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

from connectors.config import Secret

EMBEDDED = "embedded"


class Strict(BaseModel):
    """Unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class KafkaCluster(Strict):
    """A Kafka that others run. The security settings have librdkafka's names and go to every client as they are."""

    bootstrap: str = Field(description="host:port of one or more brokers, with commas between them.", min_length=1)
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", alias="security.protocol", description="How connections are made safe."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        None, alias="sasl.mechanism", description="How the bus logs in."
    )
    sasl_username: str | None = Field(None, alias="sasl.username", description="The bus's user.")
    sasl_password: Secret | None = Field(None, alias="sasl.password", description="Its password, as a reference.")
    ssl_ca_location: Path | None = Field(None, alias="ssl.ca.location", description="PEM file of the authority.")
    ssl_certificate_location: Path | None = Field(
        None, alias="ssl.certificate.location", description="PEM file of the bus's own certificate."
    )
    ssl_key_location: Path | None = Field(None, alias="ssl.key.location", description="PEM file of its key.")
    ssl_key_password: Secret | None = Field(
        None, alias="ssl.key.password", description="The password of that key, as a reference."
    )

    @property
    def settings(self) -> dict[str, str]:
        """Everything but the address, under librdkafka's names, secrets in clear."""
        return {
            field.alias: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, field in type(self).model_fields.items()
            if field.alias and (value := getattr(self, name)) is not None
        }


class HttpPorts(Strict):
    """Where the bus's own HTTP servers listen."""

    host: str = Field(default="127.0.0.1", description="The address that they listen on.", min_length=1)
    ingress: int = Field(default=8650, ge=0, le=65535, description="Port of the webhooks; 0 takes a free one.")
    views: int = Field(default=8651, ge=0, le=65535, description="Port of the views; 0 takes a free one.")
    metrics: int = Field(
        default=8660,
        ge=0,
        le=65535,
        description="First port of metrics and health, one for each role; 0 takes free ones.",
    )


def _embedded_or_cluster(value: object) -> object:
    if value == EMBEDDED:
        return None
    if isinstance(value, str | None):
        raise ValueError(f"{value!r} is no Kafka: write `embedded`, or a table such as {{bootstrap: 'broker:9092'}}")
    return value


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Paths = Annotated[tuple[Path, ...], BeforeValidator(_one_or_many)]


class ProjectFile(Strict):
    """The top level of lineshaft.yaml, all but the connectors."""

    kafka: Annotated[KafkaCluster | None, BeforeValidator(_embedded_or_cluster)] = Field(
        None, description="`embedded` (the default) or a table that names a cluster."
    )
    partitions: int = Field(12, ge=1, le=1000, description="Partitions of every topic of orders; fixed for ever.")
    topic_prefix: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]{0,60}$",
        description="Stands before the name of every topic, group and transactional id of this bus.",
    )
    data: Path = Field(Path(".lineshaft"), description="The folder of everything that the bus keeps on this machine.")
    registry: str | None = Field(None, description="Base address of a schema registry with the Confluent API.")
    mappings: Paths = Field((), description="Files or folders of mappings; without it those that ship.")
    codes: Paths = Field((), description="Files or folders of code tables; without it those that ship.")
    routes: Paths = Field((), description="Files or folders of routes; without it those that ship.")
    http: HttpPorts = Field(HttpPorts(), description="Where the bus's own HTTP servers listen.")

    @field_validator("registry")
    @classmethod
    def _is_an_address(cls, address: str | None) -> str | None:
        if address is not None and not address.startswith(("http://", "https://")):
            raise ValueError(f"{address!r} is no address: write it like https://registry.example:8081")
        return address.rstrip("/") if address else address
