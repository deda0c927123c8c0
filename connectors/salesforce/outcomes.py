"""What Salesforce's error codes mean: two tables, one for REST and one for gRPC, and how they are read.

Contract sections 4 and 5. The code decides, not the HTTP status: 403 can mean throttled, 200 can hold failed rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import grpc

from connectors.classification import (
    Answers,
    Meaning,
    Said,
    lost_cursor,
    misconfigured,
    passing,
    permanent,
    refused,
    throttled,
    wished,
)
from connectors.errors import FarError, TransientError


class SessionExpired(FarError):
    """The token is no longer good: mint a new one, retry once. Never leaves this package."""


class SmallerQuery(TransientError):
    """The query took too long (QUERY_TIMEOUT): ask for less at a time."""


def session(said: Said) -> FarError:
    """The row of an expired session."""
    return SessionExpired(said.text)


def smaller(said: Said) -> FarError:
    """The row of a query that took too long."""
    return SmallerQuery(said.text)


CONCURRENT_CALLS_PAUSE_S = 120.0
"""REQUEST_LIMIT_EXCEEDED has no Retry-After; contract section 3: back off minutes."""

DAILY_QUOTA_PAUSE_S = 900.0
"""The quota of deliveries per 24 hours is used up: pause (contract section 5)."""

busy = throttled(CONCURRENT_CALLS_PAUSE_S)
config = misconfigured("topics, pubsub_endpoint", "Check both, and the integration user's rights.")

REST: Mapping[str, Meaning] = {
    "UNABLE_TO_LOCK_ROW": passing,
    "SERVER_UNAVAILABLE": passing,
    "UNKNOWN_EXCEPTION": passing,
    "QUERY_TIMEOUT": smaller,
    "REQUEST_LIMIT_EXCEEDED": busy,
    "TXN_SECURITY_METERING_ERROR": busy,
    "ExceededQuota": busy,
    "INVALID_SESSION_ID": session,
    "invalid_grant": refused(),
    "invalid_client": refused(),
    "invalid_client_id": refused(),
    "inactive_user": refused(),
    "API_DISABLED_FOR_ORG": refused(),
    "DUPLICATE_VALUE": permanent(),
    "DUPLICATES_DETECTED": permanent(),
    "REQUIRED_FIELD_MISSING": permanent(),
    "INVALID_FIELD": permanent(),
    "MALFORMED_QUERY": permanent(),
    "INVALID_TYPE": permanent(),
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": permanent(),
    "STRING_TOO_LONG": permanent(),
    "ENTITY_IS_DELETED": permanent(),
    "NOT_FOUND": permanent(),
    "INSUFFICIENT_ACCESS_OR_READONLY": permanent(),
}

ANSWERS = Answers(dict.fromkeys(range(300, 400), permanent()) | {429: busy}, REST)
"""The contract does not name 429; a gateway before the org may say it. Every write is an upsert that may be repeated,
so a call is judged as one that reads."""

GRPC_PREFIX = "sfdc.platform.eventbus.grpc."

GRPC: Mapping[str, Meaning] = {
    "service.unavailable": passing,
    "topic.api.unavailable": passing,
    "schema.api.unavailable": passing,
    "subscription.internal.error": passing,
    "publish.stream.sweeper.timeout": passing,
    "service.protection.triggered": busy,
    "service.protection.stream.limit.triggered": busy,
    "concurrent.client.limit.exceeded": busy,
    "subscription.limit.exceeded": throttled(DAILY_QUOTA_PAUSE_S),
    "service.auth.error": session,
    "service.auth.headers.invalid": config,
    "topic.not.found": config,
    "topic.meta.permission": config,
    "schema.meta.permission": config,
    "subscription.topic.cannot.subscribe": config,
    "subscription.fetch.requested.events.invalid": permanent(),
    "subscription.fetch.topic.mismatch": permanent(),
    "schema.validation.failed": permanent(),
    "service.tenant.license": config,
    "subscription.fetch.replayid.corrupted": lost_cursor,
    "subscription.fetch.replayid.validation.failed": lost_cursor,
}

GRPC_STATUS: Mapping[grpc.StatusCode, Meaning] = {
    grpc.StatusCode.UNAUTHENTICATED: session,
    grpc.StatusCode.RESOURCE_EXHAUSTED: busy,
    grpc.StatusCode.INVALID_ARGUMENT: permanent(),
    grpc.StatusCode.NOT_FOUND: config,
    grpc.StatusCode.PERMISSION_DENIED: config,
    grpc.StatusCode.UNIMPLEMENTED: config,
}
"""What a gRPC status means where the trailer has no code we know; every other status is transient."""


@dataclass(frozen=True)
class Failure:
    """One error as Salesforce said it. Error bodies call the code `errorCode`, rows of collections `statusCode`."""

    code: str
    message: str
    fields: tuple[str, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether its code says no more than that it will pass."""
        return REST.get(self.code) is passing

    @property
    def error(self) -> FarError:
        """The error of our tree."""
        return REST.get(self.code, permanent())(Said(str(self), self.code, "reads"))

    def __str__(self) -> str:
        about = f" ({', '.join(self.fields)})" if self.fields else ""
        return f"{self.code}: {self.message}{about}"


def failures_of(body: object) -> list[Failure]:
    """The errors in an error body: an array of objects, or an OAuth error object; empty for anything else."""
    if isinstance(body, Mapping) and "error" in body:
        return [Failure(str(body["error"]), str(body.get("error_description", "")))]
    if not isinstance(body, Sequence) or isinstance(body, str | bytes):
        return []
    return [failure_of(item) for item in body if isinstance(item, Mapping)]


def failure_of(item: Mapping[str, object]) -> Failure:
    """One error object of a body or of a row."""
    code = item.get("errorCode") or item.get("statusCode") or "UNKNOWN_CODE"
    fields = item.get("fields")
    names = (
        tuple(str(name) for name in fields) if isinstance(fields, Sequence) and not isinstance(fields, str) else ()
    )
    return Failure(str(code), str(item.get("message", "")), names)


def error_of_answer(status: int, body: object, where: str, wish_s: float | None = None) -> FarError:
    """The error that a bad HTTP answer means; `wish_s` is what its Retry-After asks for."""
    failures = failures_of(body)
    code = next((each.code for each in failures if each.code in REST), failures[0].code if failures else "")
    said = "; ".join(map(str, failures)) if failures else str(body)
    error = ANSWERS.meaning(status, code)(Said(f"{where}: HTTP {status}: {said}", code, "reads"))
    return wished(error, wish_s)


def error_of_rpc(error: grpc.RpcError, where: str) -> FarError:
    """The error that a failed gRPC call means; the trailer `error-code` decides, then the status."""
    code = trailer_code(error)
    suffix = code.removeprefix(GRPC_PREFIX)
    meaning = GRPC.get(suffix) or GRPC_STATUS.get(error.code(), passing)
    said = code or error.code().name
    return meaning(Said(f"{where}: {said}: {error.details() or 'no details'}", suffix, "reads"))


def trailer_code(error: grpc.RpcError) -> str:
    """The value of the trailer `error-code`, empty where there is none."""
    for item in error.trailing_metadata() or ():
        if item.key == "error-code":
            value = cast("str | bytes", item.value)  # text for every key that does not end in -bin
            return value if isinstance(value, str) else value.decode()
    return ""
