"""What the rule of made-up texts tells when a text went wrong once and not when it was tried again."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any, cast

import pytest

from connectors.testing.conformance import values
from connectors.testing.conformance.desk import Desk
from connectors.testing.conformance.rule import Broken


def test_what_went_wrong_once_is_told_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = itertools.count()

    def once(*_: Any) -> None:
        if next(tries) == 0:
            raise Broken("it was lost")

    monkeypatch.setattr(values, "check_texts", once)
    desk = cast("Desk", SimpleNamespace(facts=SimpleNamespace(longest_text=5, trims_text=False)))
    with pytest.raises(Broken, match="it was lost"):
        values.any_text_is_read_as_it_was_entered.check(desk)
