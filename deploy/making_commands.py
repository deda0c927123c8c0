"""`lineshaft connector new|test`: the package of a new connector, and whether it keeps every promise."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from deploy import output
from deploy.exits import FOUND, Refused

if TYPE_CHECKING:
    from connectors.testing.benches import BenchFactory
    from connectors.testing.conformance import Outcome, Rule


def add_to(group: typer.Typer) -> None:
    """Add the commands to the group `connector`."""
    group.command("new")(new)
    group.command("test")(test)


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its type in lineshaft.yaml, e.g. acme-shop.")],
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A new or empty folder; else lineshaft-NAME here.")
    ] = None,
) -> None:
    """Make the package of a new connector, which runs as it is, against a stand-in, and says what to fill in."""
    from deploy.connector_skeleton import checked, contents
    from deploy.init_commands import check_empty

    names = checked(name)
    named = folder or Path(names.distribution)
    where = named.absolute()
    check_empty(named, where)
    for path, text in contents(names):
        (where / path).parent.mkdir(parents=True, exist_ok=True)
        (where / path).write_text(text, encoding="utf-8")
    output.line(f"made the package {names.distribution} in {where}")
    output.line(
        f"next: pip install -e '{named}[dev]' && lineshaft connector test {name}; its README.md says the rest"
    )


def test(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The connector's type, e.g. acme-shop.")],
    rule: Annotated[list[str] | None, typer.Option(metavar="RULE", help="Only this rule; may be repeated.")] = None,
    long: Annotated[bool, typer.Option("--long", help="The rules that take their time as well.")] = False,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Write a report for a CI server as well.")
    ] = None,
    as_json: output.Json = False,
) -> None:
    """Try every promise of a connector against its bench, rule by rule; exit 1 where one is broken.

    A rule that is broken says what came, what to change, and what happens on the bus otherwise.
    """
    from connectors.testing import benches
    from connectors.testing.conformance import as_json as in_json
    from connectors.testing.conformance import as_junit
    from deploy.connector_listing import find
    from schemas.document import to_json

    find(name)
    rules = _chosen(rule or (), long)
    if junit is not None and not junit.absolute().parent.is_dir():
        raise Refused(f"--junit {junit}: there is no such folder.", "Make it first.")
    outcomes = _outcomes(benches.load(name), rules)
    if junit is not None:
        junit.write_text(as_junit(name, outcomes), encoding="utf-8")
    if as_json:
        output.line(to_json(in_json(outcomes), indent=2))
    else:
        _tell(name, outcomes)
    if any(each.verdict == "failed" for each in outcomes):
        raise typer.Exit(FOUND)


def _chosen(wanted: Sequence[str], long: bool) -> Sequence[Rule]:
    from connectors.testing.conformance import RULES, chosen
    from mappings.problems import nearest

    names = [each.name for each in RULES]
    for each in wanted:
        if each not in names:
            raise Refused(f"there is no rule {each!r}.", nearest(each, names))
    return chosen(long=long, names=wanted)


def _outcomes(factory: BenchFactory, rules: Sequence[Rule]) -> list[Outcome]:
    """What became of each rule. On a terminal each is named when it has been tried: all of them take a minute."""
    from connectors.testing.conformance import Session

    logging.getLogger().addHandler(logging.NullHandler())  # warnings of scripted faults are no result
    outcomes: list[Outcome] = []
    with TemporaryDirectory(prefix="lineshaft-bench-") as folder:
        session = Session(factory, Path(folder))
        try:
            for each in rules:
                outcomes.append(session.run(each))
                if sys.stderr.isatty():
                    output.note(f"{outcomes[-1].verdict:<15} {each.name}")
        finally:
            session.close()
    return outcomes


def _tell(name: str, outcomes: Sequence[Outcome]) -> None:
    """A table on a terminal, columns in a pipe; what is broken says why it matters."""
    from connectors.testing.conformance import as_table, in_words

    if sys.stdout.isatty():
        from rich.console import Console

        Console().print(as_table(name, outcomes))
        return
    rows = [{"rule": each.rule, "outcome": each.verdict, "reason": _reason(each)} for each in outcomes]
    output.rows(rows, ("rule", "outcome", "reason"), as_json=False)
    output.note(f"{name}: {in_words(outcomes)}")


def _reason(outcome: Outcome) -> str:
    return f"{outcome.reason} Why: {outcome.why}" if outcome.verdict == "failed" else outcome.reason
