"""Sending: what the network does becomes the error that says what it means."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.errors import ConfigError, TransientError
from connectors.http import connect, send
from tests.unit.connectors.far_server import Far, json


def test_a_server_that_nobody_trusts_says_what_to_name(far: Far) -> None:
    with connect(5.0, None) as stranger, pytest.raises(TransientError, match="ca_file"):
        send(stranger, stranger.build_request("GET", far.url), "reads")


def test_a_redirect_is_an_answer_and_is_not_followed(far: Far) -> None:
    far.answers = lambda asked: json({}, 302, Location="https://elsewhere.example/")
    client = far.client()
    assert send(client, client.build_request("GET", far.url), "reads").status_code == 302


def test_a_file_of_no_certificates_names_its_setting(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("none")
    for file in (tmp_path / "ca.pem", tmp_path / "gone.pem"):
        with pytest.raises(ConfigError, match=r"^ca_file: .*PEM file"):
            connect(5.0, file)
