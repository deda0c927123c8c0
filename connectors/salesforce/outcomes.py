"""What Salesforce's error codes mean: two tables, one for REST and one for gRPC, and how they are read.

Contract sections 4 and 5. The code decides, not the HTTP status: 403 can mean throttled, 200 can hold failed rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

import grpc

from connectors.errors import AuthError, ConfigError, DataError, FarError, LostCursor, Throttled, TransientError

CONCURRENT_CALLS_PAUSE_S = 120.0
"""REQUEST_LIMIT_EXCEEDED has no Retry-After; contract section 3: back off minutes."""

TOO_MANY_REQUESTS = 429
"""The contract does not name it; a gateway before the org may say it."""

DAILY_QUOTA_PAUSE_S = 900.0
"""The quota of deliveries per 24 hours is used up: pause (contract section 5)."""

Kind: TypeAlias = Literal["transient", "smaller", "throttled", "session", "auth", "permanent", "config", "cursor"]

REST: Mapping[str, Kind] = {
    "UNABLE_TO_LOCK_ROW": "transient",
    "SERVER_UNAVAILABLE": "transient",
    "UNKNOWN_EXCEPTION": "transient",
    "QUERY_TIMEOUT": "smaller",
    "REQUEST_LIMIT_EXCEEDED": "throttled",
    "TXN_SECURITY_METERING_ERROR": "throttled",
    "ExceededQuota": "throttled",
    "INVALID_SESSION_ID": "session",
    "invalid_grant": "auth",
    "invalid_client": "auth",
    "invalid_client_id": "auth",
    "inactive_user": "auth",
    "API_DISABLED_FOR_ORG": "auth",
    "DUPLICATE_VALUE": "permanent",
    "DUPLICATES_DETECTED": "permanent",
    "REQUIRED_FIELD_MISSING": "permanent",
    "INVALID_FIELD": "permanent",
    "MALFORMED_QUERY": "permanent",
    "INVALID_TYPE": "permanent",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "permanent",
    "STRING_TOO_LONG": "permanent",
    "ENTITY_IS_DELETED": "permanent",
    "NOT_FOUND": "permanent",
    "INSUFFICIENT_ACCESS_OR_READONLY": "permanent",
}

GRPC_PREFIX = "sfdc.platform.eventbus.grpc."

GRPC: Mapping[str, Kind] = {
    "service.unavailable": "transient",
    "topic.api.unavailable": "transient",
    "schema.api.unavailable": "transient",
    "subscription.internal.error": "transient",
    "publish.stream.sweeper.timeout": "transient",
    "service.protection.triggered": "throttled",
    "service.protection.stream.limit.triggered": "throttled",
    "concurrent.client.limit.exceeded": "throttled",
    "subscription.limit.exceeded": "throttled",
    "service.auth.error": "session",
    "service.auth.headers.invalid": "config",
    "topic.not.found": "config",
    "topic.meta.permission": "config",
    "schema.meta.permission": "config",
    "subscription.topic.cannot.subscribe": "config",
    "subscription.fetch.requested.events.invalid": "permanent",
    "subscription.fetch.topic.mismatch": "permanent",
    "schema.validation.failed": "permanent",
    "service.tenant.license": "config",
    "subscription.fetch.replayid.corrupted": "cursor",
    "subscription.fetch.replayid.validation.failed": "cursor",
}

GRPC_STATUS: Mapping[grpc.StatusCode, Kind] = {
    grpc.StatusCode.UNAUTHENTICATED: "session",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "throttled",
    grpc.StatusCode.INVALID_ARGUMENT: "permanent",
    grpc.StatusCode.NOT_FOUND: "config",
    grpc.StatusCode.PERMISSION_DENIED: "config",
    grpc.StatusCode.UNIMPLEMENTED: "config",
}
"""What a gRPC status means where the trailer has no code we know; every other status is transient."""


class SessionExpired(FarError):
    """The token is no longer good: mint a new one, retry once. Never leaves this package."""


class SmallerQuery(TransientError):
    """The query took too long (QUERY_TIMEOUT): ask for less at a time."""


@dataclass(frozen=True)
class Failure:
    """One error as Salesforce said it. Error bodies call the code `errorCode`, rows of collections `statusCode`."""

    code: str
    message: str
    fields: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind | None:
        """What the code means; None for a code that is in no table."""
        return REST.get(self.code)

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
    known = [failure for failure in failures if failure.kind] or failures
    kind = (known[0].kind if known else None) or _kind_of_status(status)
    said = "; ".join(map(str, failures)) if failures else str(body)
    error = error_of_kind(kind, f"{where}: HTTP {status}: {said}", known[0].code if known else "")
    if wish_s is not None and isinstance(error, TransientError):
        error.retry_after_s = wish_s
    return error


def _kind_of_status(status: int) -> Kind:
    """What an answer means whose code is in no table."""
    if status == TOO_MANY_REQUESTS:
        return "throttled"
    return "transient" if status >= 500 else "permanent"


def error_of_kind(kind: Kind, message: str, code: str) -> FarError:
    """One error of our tree."""
    if kind == "throttled":
        pause = DAILY_QUOTA_PAUSE_S if code == "subscription.limit.exceeded" else CONCURRENT_CALLS_PAUSE_S
        return Throttled(message, pause)
    if kind == "config":
        return ConfigError("salesforce", message, "Check topics, pubsub_endpoint and the integration user's rights.")
    simple: Mapping[Kind, type[FarError]] = {
        "transient": TransientError,
        "smaller": SmallerQuery,
        "session": SessionExpired,
        "auth": AuthError,
        "cursor": LostCursor,
    }
    return simple[kind](message) if kind in simple else DataError(message, code)


def error_of_rpc(error: grpc.RpcError, where: str) -> FarError:
    """The error that a failed gRPC call means; the trailer `error-code` decides, then the status."""
    code = trailer_code(error)
    suffix = code.removeprefix(GRPC_PREFIX)
    kind = GRPC.get(suffix) or GRPC_STATUS.get(error.code(), "transient")
    said = code or error.code().name
    return error_of_kind(kind, f"{where}: {said}: {error.details() or 'no details'}", suffix)


def trailer_code(error: grpc.RpcError) -> str:
    """The value of the trailer `error-code`, empty where there is none."""
    for item in error.trailing_metadata() or ():
        if item.key == "error-code":
            value = cast("str | bytes", item.value)  # text for every key that does not end in -bin
            return value if isinstance(value, str) else value.decode()
    return ""
