"""Secrets in settings of settings, as the conformance rules find them."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field

from connectors.config import ConnectorConfig, Secret
from connectors.testing.conformance.configuration import IN_CLEAR, in_clear
from connectors.testing.conformance.secrecy import secrets_in


class Login(BaseModel):
    key: Secret


class Deep(ConnectorConfig):
    logins: tuple[Login, ...] = Field(default=(), description="How one logs in.")
    by_name: dict[str, Login] = Field(default={}, description="The same by name.")


def test_a_secret_is_found_at_any_depth_of_a_configuration(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(f"secret-{name}")
    a, b = ({"key": f"${{file:{tmp_path / name}}}"} for name in ("a", "b"))
    found = secrets_in(Deep.model_validate({"logins": [a], "by_name": {"x": b}}))
    assert found == {"secret-a", "secret-b"}


def test_each_reference_in_a_setting_is_written_down_once_and_alone() -> None:
    login = [{"url": "https://x", "key": "${env:A}"}, {"key": "${file:b}"}]
    assert list(in_clear("login", login)) == [
        ("login[0].key", {"login": [{"url": "https://x", "key": IN_CLEAR}, {"key": "${file:b}"}]}),
        ("login[1].key", {"login": [{"url": "https://x", "key": "${env:A}"}, {"key": IN_CLEAR}]}),
    ]
