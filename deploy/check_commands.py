"""`lineshaft check`: everything that can be known to be wrong before, or while, the bus runs."""

from __future__ import annotations

import typer

from deploy import output
from deploy.invocation import invocation

COLUMNS = ("check", "of", "result", "message", "remedy")


def add_to(app: typer.Typer) -> None:
    """Add `check`."""
    app.command("check")(check)


def check(context: typer.Context, as_json: output.Json = False) -> None:
    """Check configuration, definitions, far systems, Kafka, clock and open orders; nothing is written anywhere far.

    The exit code is that of the worst finding: 1 something is found, 2 wrong configuration, 3 not reachable.
    """
    from deploy.checks import checked

    found = checked(invocation(context).folder)
    output.rows([each.row() for each in found], COLUMNS, as_json=as_json)
    code = max(each.code for each in found)
    if code:
        raise typer.Exit(code)
