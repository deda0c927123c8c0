"""The vendor's rate limits by path (contract 2); the company's own limit is in the configuration."""

from __future__ import annotations

from collections.abc import Mapping

ENDPOINTS: Mapping[str, int] = {
    "/v5/app/list": 30,
    "/v5/app/entry/list": 30,
    "/v5/app/entry/widget/list": 30,
    "/v5/app/entry/data/get": 30,
    "/v5/app/entry/data/list": 30,
    "/v5/app/entry/data/create": 20,
    "/v5/app/entry/data/update": 20,
    "/v5/app/entry/data/delete": 20,
    "/v5/app/entry/data/batch_create": 10,
    "/v5/app/entry/data/batch_update": 10,
    "/v5/app/entry/data/batch_delete": 10,
    "/v5/app/entry/file/get_upload_token": 20,
}
"""Requests per second by path."""
