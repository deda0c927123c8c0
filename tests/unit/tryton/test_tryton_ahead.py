"""The question that is asked ahead."""

from __future__ import annotations

import threading

import pytest

from connectors.errors import TransientError
from connectors.tryton.ahead import Ahead


def unasked() -> str:
    raise AssertionError("it was asked again")


def test_what_was_asked_ahead_is_the_answer_and_is_asked_once() -> None:
    ahead: Ahead[str] = Ahead("test")
    ahead.ask(lambda: "early")
    assert ahead.answer(unasked) == "early"
    assert ahead.answer(lambda: "now") == "now"
    ahead.close()


def test_what_went_wrong_ahead_is_raised_where_the_answer_is_wanted() -> None:
    def fails() -> str:
        raise TransientError("down")

    ahead: Ahead[str] = Ahead("test")
    ahead.ask(fails)
    with pytest.raises(TransientError, match="down"):
        ahead.answer(unasked)
    ahead.close()


def test_a_close_waits_for_the_question_under_way_and_leaves_no_thread() -> None:
    ahead: Ahead[None] = Ahead("asked-ahead")
    cut_off, ended = threading.Event(), threading.Event()

    def waits() -> None:
        cut_off.wait(60)
        ended.set()

    ahead.ask(waits)
    threading.Timer(0.05, cut_off.set).start()
    ahead.close()
    assert ended.is_set()
    assert not [each for each in threading.enumerate() if each.name.startswith("asked-ahead")]


def test_a_closed_one_asks_nothing_ahead_any_more() -> None:
    ahead: Ahead[str] = Ahead("test")
    ahead.close()
    ahead.ask(unasked)
    assert ahead.answer(lambda: "now") == "now"
    ahead.close()
