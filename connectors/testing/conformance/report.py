"""Outcomes as a table for a person, as JSON, and as JUnit XML for a CI server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree

from rich.markup import escape
from rich.table import Table

from connectors.testing.conformance.session import Outcome, Verdict
from schemas.document import Fields, from_json

COLOURS: dict[Verdict, str] = {"passed": "green", "failed": "red", "not yet": "yellow", "does not apply": "dim"}


def as_table(connector: str, outcomes: Sequence[Outcome]) -> Table:
    """One row per rule; a failed one shows the promise, what is wrong and why it matters."""
    table = Table(title=f"{connector}: {in_words(outcomes)}", show_lines=False)
    for column in ("rule", "outcome", "reason"):
        table.add_column(column, overflow="fold")
    for each in outcomes:
        reason = escape(each.reason)
        why = f"{reason}\n[dim]{escape(each.why)}[/dim]" if each.verdict == "failed" else reason
        table.add_row(each.rule, f"[{COLOURS[each.verdict]}]{each.verdict}[/]", why)
    return table


def as_json(outcomes: Sequence[Outcome]) -> list[Fields]:
    """One object per rule: rule, what, why, outcome, reason, seconds."""
    return [
        {
            "rule": each.rule,
            "what": each.what,
            "why": each.why,
            "outcome": each.verdict,
            "reason": each.reason,
            "seconds": from_json(f"{each.seconds:.3f}"),
        }
        for each in outcomes
    ]


def as_junit(connector: str, outcomes: Sequence[Outcome]) -> str:
    """One testsuite; a rule that does not apply, or not yet, is a skipped case."""
    counts = Counter(each.verdict for each in outcomes)
    skipped = counts["does not apply"] + counts["not yet"]
    totals = {"tests": len(outcomes), "failures": counts["failed"], "errors": 0}
    attributes = {name: str(count) for name, count in totals.items()}
    attributes["time"] = f"{sum(each.seconds for each in outcomes):.3f}"
    root = ElementTree.Element("testsuites", {"name": "conformance", **attributes})
    suite = ElementTree.SubElement(
        root, "testsuite", {"name": f"conformance.{connector}", "skipped": str(skipped), **attributes}
    )
    for each in outcomes:
        named = {"classname": f"conformance.{connector}", "name": each.rule, "time": f"{each.seconds:.3f}"}
        case = ElementTree.SubElement(suite, "testcase", named)
        if each.verdict == "failed":
            failure = ElementTree.SubElement(case, "failure", {"message": clean(each.reason), "type": "Broken"})
            failure.text = clean(f"{each.what}\n{each.reason}\n{each.why}")
        elif each.verdict != "passed":
            ElementTree.SubElement(case, "skipped", {"message": clean(f"{each.verdict}: {each.reason}")})
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def in_words(outcomes: Sequence[Outcome]) -> str:
    """The counts as one line."""
    counts = Counter(each.verdict for each in outcomes)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in COLOURS if counts[verdict])


def clean(text: str) -> str:
    """The text in characters that XML 1.0 may hold."""
    return "".join(each if each in "\t\n\r" or "\x20" <= each < "\ufffe" or each > "\uffff" else "?" for each in text)
