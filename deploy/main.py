"""The `lineshaft` command: puts the sub-commands together and turns errors into messages and exit codes.

A module with sub-commands has one function `add_to(app)`; it imports what is slow inside its commands.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from deploy import (
    audit_commands,
    check_commands,
    connector_commands,
    demo_commands,
    init_commands,
    kafka_commands,
    mapping_commands,
    parked_commands,
    simulate_commands,
    topic_commands,
    trace_commands,
    up_commands,
)
from deploy.exits import code_of
from deploy.invocation import Invocation
from deploy.output import line, note

COMMANDS: tuple[Callable[[typer.Typer], None], ...] = (
    init_commands.add_to,
    check_commands.add_to,
    up_commands.add_to,
    topic_commands.add_to,
    parked_commands.add_to,
    trace_commands.add_to,
    mapping_commands.add_to,
    connector_commands.add_to,
    audit_commands.add_to,
    demo_commands.add_to,
    simulate_commands.add_to,
    kafka_commands.add_to,
)

app = typer.Typer(
    name="lineshaft",
    help="The integration bus of a manufacturer: CRM orders to the shop floor and back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _say_version(wanted: bool) -> None:
    if wanted:
        line(f"lineshaft {version('lineshaft')}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    project: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder with the lineshaft.yaml; else the nearest upwards.")
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_say_version, help="Say the version and end.")
    ] = False,
) -> None:
    context.obj = Invocation(project)


for _add in COMMANDS:
    _add(app)


def main() -> None:
    """Run the command line. What a person can do something about is told plainly; a defect shows its trace."""
    try:
        app()
    except Exception as error:
        code = code_of(error)
        if code is None or os.environ.get("LINESHAFT_DEBUG") == "1":
            raise
        note(f"lineshaft: {error}")
        sys.exit(code)


if __name__ == "__main__":
    main()
