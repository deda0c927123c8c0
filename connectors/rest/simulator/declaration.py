"""The shop's API as an administrator declares it for the connector, in lineshaft.yaml's words."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.document import Fields, Value

FIELDS: Fields = {
    "number": "text",
    "customer": {"at": "customer.name"},
    "amount": "decimal",
    "due": "date",
    "placedAt": "instant",
    "note": "text",
    "lines": {"kind": "list", "fields": {"no": "integer", "item": "text", "quantity": "decimal"}},
}

SINCE: Fields = {"updatedSince": "{since}"}

PAGING: Mapping[str, Fields] = {
    "whole": {"rows": "", "paging": {"type": "whole"}},
    "cursor": {"rows": "data", "paging": {"type": "cursor", "parameter": "cursor", "path": "meta.next"}},
    "offset": {"rows": "items", "paging": {"type": "offset", "more": "hasMore"}},
    "keyset": {
        "rows": "data",
        "paging": {"type": "keyset", "keys": ["updatedAt", "id"], "query": {"after": "{updatedAt},{id}"}},
    },
    "link": {"rows": "", "paging": {"type": "link"}},
    "odata": {
        "rows": "value",
        "since": {},
        "paging": {"type": "link", "path": "@odata.nextLink", "delta": "@odata.deltaLink"},
    },
}
"""By the style that is the first part of the list's path."""


def reading(style: str) -> Fields:
    """How orders are read in one style; deletions in a delta are bare marks with a reason."""
    usual: Fields = {"path": f"/{style}/orders", "since": SINCE, "id": "id", "changed": "updatedAt", "fields": FIELDS}
    return {**usual, "deleted": "reason" if style == "odata" else "deleted", **PAGING[style]}


WRITES: Fields = {
    "Status": {
        "path": "/statuses/{id}",
        "version": "version",
        "fields": {
            "state": "text",
            "percent": "integer",
            "expected": "date",
            "version": "text",
            "quantity": "integer",
            "note": "text",
        },
    },
    "Job": {
        "method": "PATCH",
        "path": "/jobs/{key}",
        "create": "/jobs",
        "look_up": {"path": "/jobs", "query": {"externalId": "{id}"}, "rows": "value"},
        "key_field": "externalId",
        "version": "version",
        "idempotency_header": "Idempotency-Key",
        "fields": {"item": "text", "quantity": "integer", "version": "text", "note": "text"},
    },
}

ERRORS: Fields = {"code": "error.code", "codes": {"0x80044310": "lost"}, "statuses": {"503": "transient"}}


def declaration(address: str, ca_file: str, kept: Fields) -> Mapping[str, Value]:
    """The connector's whole configuration, secrets in clear."""
    return {
        "url": f"{address}/api",
        "login": {
            "type": "client_credentials",
            "token_url": f"{address}/oauth/token",
            "client_id": "bus",
            "client_secret": kept["client_secret"],
        },
        "probe": "/me",
        "reads": {"Order": reading("keyset")},
        "writes": WRITES,
        "errors": ERRORS,
        "poll_interval_s": 1,
        "overlap_s": 60,
        "requests_per_second": 50,
        "ca_file": ca_file,
    }
