"""`lineshaft simulate TYPE`: a contract-true stand-in of a far system, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from threading import Event as Flag
from typing import Annotated

import typer

from deploy import output
from deploy.supervisor import PARENT_VARIABLE

LOOK_S = 0.5


def add_to(app: typer.Typer) -> None:
    """Add `simulate`."""
    app.command("simulate")(simulate)


def simulate(
    type_name: Annotated[str, typer.Argument(metavar="TYPE", help="The connector's type, e.g. salesforce.")],
    folder: Annotated[Path, typer.Option(metavar="DIR", help="Where its state is kept; it survives a restart.")],
) -> None:
    """Run the stand-in of a connector's system and print, as JSON, how it is reached.

    `config` is what lineshaft.yaml needs, `control` the base address for scripted faults and a person's edits,
    `person` what a script of the company logs in with.
    """
    from connectors.errors import ConfigError
    from connectors.registry import load

    factory = load(type_name).simulator
    if factory is None:
        raise ConfigError("TYPE", f"the connector {type_name!r} has no stand-in.", "Use the far system itself.")
    folder.mkdir(parents=True, exist_ok=True)
    stop = Flag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    simulator = factory(folder.absolute())
    try:
        output.line(output.dumps(simulator.start()))
        sys.stdout.flush()
        parent = os.environ.get(PARENT_VARIABLE)
        while not stop.wait(LOOK_S) and (parent is None or os.getppid() == int(parent)):
            pass
    finally:
        simulator.stop()
