"""How the suite tells what it found, and how it goes on after a rule that failed."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Protocol, runtime_checkable
from xml.etree import ElementTree

import pytest
from rich.console import Console

from connectors.errors import ConfigError
from connectors.testing import benches
from connectors.testing.bench import Facts
from connectors.testing.conformance import Outcome, Rule, Session, as_json, as_junit, as_table, chosen, in_words
from connectors.testing.conformance.desk import Desk
from connectors.testing.conformance.rule import Broken, DoesNotApply
from tests.conformance.shop.bench import ShopBench

OUTCOMES = (
    Outcome("kept", "what", "why", "passed", "", 0.25),
    Outcome("broken", "it is <kept>", "else \x00 all is lost", "failed", "it said & [nothing]\x1b", 1.0),
    Outcome("absent", "what", "why", "does not apply", "there is no webhook", 0.0),
)


def rule(name: str, check: object, **traits: bool) -> Rule:
    return Rule(name, "what", "why", check, "source", **traits)  # type: ignore[arg-type]


def test_a_line_counts_each_verdict() -> None:
    assert in_words(OUTCOMES) == "1 passed, 1 failed, 1 does not apply"


def test_the_table_shows_the_reason_of_what_failed_and_of_what_does_not_apply() -> None:
    shown = StringIO()
    Console(width=200, file=shown).print(as_table("shop", OUTCOMES))
    text = shown.getvalue()
    assert "it said & [nothing]" in text
    assert "there is no webhook" in text


def test_the_json_has_every_rule_with_its_outcome_and_reason() -> None:
    assert [(each["rule"], each["outcome"], each["reason"]) for each in as_json(OUTCOMES)][2] == (
        "absent",
        "does not apply",
        "there is no webhook",
    )


def test_the_junit_report_is_xml_with_one_case_a_rule_and_counts_that_add_up() -> None:
    root = ElementTree.fromstring(as_junit("shop", OUTCOMES))
    suite = root[0]
    assert (root.tag, suite.tag, suite.get("name")) == ("testsuites", "testsuite", "conformance.shop")
    assert [suite.get(name) for name in ("tests", "failures", "skipped", "errors")] == ["3", "1", "1", "0"]
    assert [case.get("name") for case in suite] == ["kept", "broken", "absent"]
    assert [[child.tag for child in case] for case in suite] == [[], ["failure"], ["skipped"]]
    assert suite[1][0].get("message") == "it said & [nothing]?"


def test_a_rule_that_fails_leaves_the_next_one_a_new_far_system(tmp_path: Path) -> None:
    seen: list[object] = []

    def fails(desk: Desk) -> None:
        seen.append(desk.bench)
        desk.bench.stop()
        raise Broken("it is broken")

    def passes(desk: Desk) -> None:
        seen.append(desk.bench)
        desk.make()

    session = Session(ShopBench, tmp_path)
    verdicts = [
        session.run(rule(name, check)).verdict for name, check in (("a", fails), ("b", passes), ("c", passes))
    ]
    session.close()
    assert verdicts == ["failed", "passed", "passed"]
    assert seen[0] is not seen[1]
    assert seen[1] is seen[2]


def test_a_rule_that_is_alone_finds_an_empty_far_system(tmp_path: Path) -> None:
    def full(desk: Desk) -> None:
        desk.make()

    def empty(desk: Desk) -> None:
        with desk.source() as source:
            source.drain()
        assert source.documents == []

    session = Session(ShopBench, tmp_path)
    outcomes = [session.run(rule("full", full)), session.run(rule("empty", empty, alone=True))]
    session.close()
    assert [each.verdict for each in outcomes] == ["passed", "passed"]


def test_an_error_that_is_none_of_the_connectors_is_told_with_its_place(tmp_path: Path) -> None:
    def stumbles(desk: Desk) -> None:
        raise KeyError("id")

    session = Session(ShopBench, tmp_path)
    outcome = session.run(rule("a", stumbles))
    session.close()
    assert "could not be tried: KeyError" in outcome.reason
    assert "test_conformance_report.py" in outcome.reason


def test_a_bench_that_lacks_a_part_of_its_connector_is_told_which(tmp_path: Path) -> None:
    class Half:
        connector = ShopBench.connector
        facts = Facts()

        def __init__(self, folder: Path) -> None:
            pass

        def start(self) -> None: ...

        def stop(self) -> None: ...

        def make(self) -> str:
            return ""

    session = Session(Half, tmp_path)  # type: ignore[arg-type]
    outcome = session.run(rule("a", lambda desk: None))
    session.close()
    assert outcome.verdict == "failed"
    assert "its bench needs change, delete" in outcome.reason


def test_no_far_system_is_started_for_a_rule_that_has_no_object(tmp_path: Path) -> None:
    class Impossible(Protocol):
        def fly(self) -> None: ...

    class Unstartable(ShopBench):
        facts = replace(ShopBench.facts, does_not_apply={"a": "there are no pages"})

        def __init__(self, folder: Path) -> None:
            super().__init__(folder)
            self.start = pytest.fail

    session = Session(Unstartable, tmp_path)
    flying = replace(rule("b", lambda desk: None, alone=True), needs=runtime_checkable(Impossible))
    outcomes = [session.run(each) for each in (rule("a", lambda desk: None, alone=True), flying)]
    session.close()
    assert [each.verdict for each in outcomes] == ["does not apply", "does not apply"]
    assert "the bench has no fly (Impossible" in outcomes[1].reason


def test_what_the_bench_says_has_no_object_is_shown_with_its_reason(tmp_path: Path) -> None:
    def absent(desk: Desk) -> None:
        raise DoesNotApply("there are no pages")

    session = Session(ShopBench, tmp_path)
    outcome = session.run(rule("a", absent))
    session.close()
    assert (outcome.verdict, outcome.reason) == ("does not apply", "there are no pages")


def test_what_waits_for_the_benchs_maker_is_told_as_not_yet(tmp_path: Path) -> None:
    class Unfinished(ShopBench):
        facts = replace(ShopBench.facts, not_yet={"a": "record the answers"})

    session = Session(Unfinished, tmp_path)
    outcome = session.run(rule("a", lambda desk: None))
    session.close()
    assert (outcome.verdict, "record the answers" in outcome.reason) == ("not yet", True)


def test_a_rule_is_chosen_by_its_name_and_long_ones_only_when_asked_for() -> None:
    assert [each.name for each in chosen(names=["a-change-is-told"])] == ["a-change-is-told"]
    assert {each.long for each in chosen()} == {False}
    assert any(each.long for each in chosen(long=True))
    with pytest.raises(ValueError, match="there is no rule a-chnge"):
        chosen(names=["a-chnge"])


def test_a_connector_without_a_bench_is_told_where_to_name_one() -> None:
    with pytest.raises(ConfigError, match=r"no bench is installed for the connector 'nobody'.*lineshaft\.benches"):
        benches.load("nobody")
