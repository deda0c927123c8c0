"""What an administrator says about a Salesforce org."""

from __future__ import annotations

import re
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from connectors.config import CaFile, ConnectorConfig, Secret, TimeoutS

PRODUCTION_LOGIN = "https://login.salesforce.com"
SANDBOX_LOGIN = "https://test.salesforce.com"

ORDER_FIELDS = (
    "Id",
    "OrderNumber",
    "Status",
    "Type",
    "EffectiveDate",
    "AccountId",
    "Account.Name",
    "Work_Order__c",
    "Priority__c",
    "Requested_Delivery__c",
    "SystemModstamp",
    "CreatedDate",
    "LastModifiedDate",
    "IsDeleted",
)
LINE_FIELDS = (
    "Id",
    "OrderItemNumber",
    "OrderId",
    "Product2Id",
    "Product2.ProductCode",
    "Product2.Name",
    "Quantity",
    "ServiceDate",
    "Description",
    "Unit__c",
    "SystemModstamp",
    "IsDeleted",
)
TOPICS = ("/data/OrderChangeEvent", "/data/OrderItemChangeEvent")

NEEDED_OF_ORDERS = ("Id", "OrderNumber", "SystemModstamp", "IsDeleted")
NEEDED_OF_LINES = ("Id", "OrderId", "SystemModstamp", "IsDeleted")

FIELD_PATH = re.compile(r"^[A-Za-z]\w*(\.[A-Za-z]\w*)?$")
OBJECT_NAME = re.compile(r"^[A-Za-z]\w*$")
TOPIC = re.compile(r"^/data/[A-Za-z]\w*$")
ENDPOINT = re.compile(r"^[A-Za-z0-9.-]+:\d{1,5}$")


class SalesforceConfig(ConnectorConfig):
    """One org: how to log in, which changes to follow, which fields to read, where to write production status."""

    login_url: str = Field(
        PRODUCTION_LOGIN,
        description="Where tokens are fetched: https://login.salesforce.com, https://test.salesforce.com (sandbox) "
        "or the org's My Domain address, which client_credentials needs.",
    )
    flow: Literal["jwt", "client_credentials"] = Field(
        "jwt", description="How to log in: a signed JWT for a user, or the app's own key and secret."
    )
    consumer_key: str = Field(description="The consumer key of the External Client App (or connected app).")
    username: str | None = Field(None, description="jwt only: the integration user, e.g. bus@acme.example.")
    private_key: Secret | None = Field(None, description="jwt only: the RSA private key as PEM, as a reference.")
    client_secret: Secret | None = Field(
        None, description="client_credentials only: the consumer secret, as a reference."
    )
    audience: str | None = Field(
        None, description="jwt only: the claim `aud`; by default the production or the sandbox login address."
    )
    api_version: str = Field("62.0", description="The REST API version, pinned.", pattern=r"^\d{2}\.0$")
    pubsub_endpoint: str = Field(
        "api.pubsub.salesforce.com:7443", description="host:port of the Pub/Sub API (gRPC with TLS)."
    )
    ca_file: CaFile = None
    timeout_s: TimeoutS = 12.0
    client_name: str = Field(
        "Lineshaft",
        pattern=r"^[A-Za-z0-9_.-]{1,64}$",
        description="Our marker in the org (Sforce-Call-Options); change events carry it back as a hint.",
    )
    topics: tuple[str, ...] = Field(
        TOPICS, min_length=1, description="Change topics, or one custom channel such as /data/Orders__chn."
    )
    order_fields: tuple[str, ...] = Field(
        ORDER_FIELDS, description="Fields of Order to read; Account.Name is a path."
    )
    line_fields: tuple[str, ...] = Field(LINE_FIELDS, description="Fields of OrderItem to read.")
    status_object: str = Field("MES_Status__c", description="The object that production status is written to.")
    status_external_id: str = Field("MES_Key__c", description="Its external id field, unique.")

    @field_validator("login_url", "audience")
    @classmethod
    def _bare_https_address(cls, address: str | None) -> str | None:
        if address is None:
            return None
        parts = urlsplit(address)
        if parts.scheme != "https" or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError(
                f"{address!r} is no bare https address; write it like {PRODUCTION_LOGIN}, without a path"
            )
        return address.rstrip("/")

    @field_validator("pubsub_endpoint")
    @classmethod
    def _host_and_port(cls, endpoint: str) -> str:
        if not ENDPOINT.match(endpoint):
            raise ValueError(f"{endpoint!r} is not host:port; the public one is api.pubsub.salesforce.com:7443")
        return endpoint

    @field_validator("topics")
    @classmethod
    def _change_topics(cls, topics: tuple[str, ...]) -> tuple[str, ...]:
        for topic in topics:
            if not TOPIC.match(topic):
                raise ValueError(f"{topic!r} is no change topic; write it like {TOPICS[0]} or /data/Orders__chn")
        if len(set(topics)) < len(topics):
            raise ValueError("a topic is named twice; keep it once")
        return topics

    @field_validator("order_fields")
    @classmethod
    def _fields_of_orders(cls, fields: tuple[str, ...]) -> tuple[str, ...]:
        return checked_fields("Order", fields, NEEDED_OF_ORDERS)

    @field_validator("line_fields")
    @classmethod
    def _fields_of_lines(cls, fields: tuple[str, ...]) -> tuple[str, ...]:
        return checked_fields("OrderItem", fields, NEEDED_OF_LINES)

    @field_validator("status_object", "status_external_id")
    @classmethod
    def _api_name(cls, name: str) -> str:
        if not OBJECT_NAME.match(name):
            raise ValueError(f"{name!r} is no API name; write it as Setup shows it, e.g. MES_Status__c")
        return name

    @model_validator(mode="after")
    def _login_is_whole(self) -> Self:
        problem = self._jwt_problem() if self.flow == "jwt" else self._credentials_problem()
        if problem:
            raise ValueError(problem)
        return self

    def _jwt_problem(self) -> str | None:
        if not self.username or self.private_key is None:
            return "flow jwt needs username and private_key: set both, or set flow to client_credentials"
        if self.client_secret is not None:
            return "client_secret belongs to flow client_credentials: remove it, or change flow"
        return None

    def _credentials_problem(self) -> str | None:
        if self.client_secret is None:
            return "flow client_credentials needs client_secret: set it, or set flow to jwt"
        if self.username or self.private_key is not None or self.audience:
            return "username, private_key and audience belong to flow jwt: remove them, or change flow"
        if self.login_url in (PRODUCTION_LOGIN, SANDBOX_LOGIN):
            return (
                f"flow client_credentials is not offered at {self.login_url}: "
                "set login_url to the My Domain address, e.g. https://acme.my.salesforce.com"
            )
        return None

    @property
    def jwt_audience(self) -> str:
        """The claim `aud` (contract section 1)."""
        return self.audience or (SANDBOX_LOGIN if self.login_url == SANDBOX_LOGIN else PRODUCTION_LOGIN)


def checked_fields(of: str, fields: tuple[str, ...], needed: tuple[str, ...]) -> tuple[str, ...]:
    """The fields as they are; raises ValueError for one that is no field path, doubled, or missing."""
    for name in fields:
        if not FIELD_PATH.match(name):
            raise ValueError(f"{name!r} is no field of {of}: write an API name, or Relation.Field")
    if len(set(fields)) < len(fields):
        raise ValueError(f"a field of {of} is named twice; keep it once")
    missing = [name for name in needed if name not in fields]
    if missing:
        raise ValueError(f"the connector itself needs {', '.join(missing)} of {of}; add them")
    return fields
