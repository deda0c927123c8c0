"""The table of rules in docs/connectors.md, made from the suite: `python -m tests.rules_table` writes it anew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import getdoc
from pathlib import Path

from connectors.testing.conformance.catalog import GROUPS
from connectors.testing.conformance.rule import Rule

PAGE = Path(__file__).parents[1] / "docs" / "connectors.md"
PART = re.compile(r"(?<=<!-- rules: python -m tests.rules_table -->\n).*(?=<!-- end of rules -->)", re.S)


def table() -> str:
    """Every group with its rules: name, promise, and what happens on the bus otherwise."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    for group in GROUPS:
        yield from ("", f"**{getdoc(group)}**", "", "| rule | promise | otherwise |", "|---|---|---|")
        for each in (found for found in vars(group).values() if isinstance(found, Rule)):
            yield f"| `{each.name}`{' (long)' if each.long else ''} | {_cell(each.what)} | {_cell(each.why)} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(PART.sub(lambda _: table(), PAGE.read_text("utf-8")), "utf-8")
