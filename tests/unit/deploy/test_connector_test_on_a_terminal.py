"""`lineshaft connector test` before a person's eyes."""

from __future__ import annotations

import sys

import pytest

from connectors.testing.conformance import Outcome
from deploy.making_commands import _tell


def test_a_connector_that_keeps_every_promise_is_told_so_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    _tell("shop", [Outcome("kept", "what", "why", "passed", "", 0.1)])  # an Exit here would be taken for a finding
    assert "shop: 1 passed" in capsys.readouterr().out
