"""`lineshaft kafka start|stop|status`: the embedded broker by hand."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from deploy import kafka, output
from deploy.exits import FOUND, Refused
from deploy.invocation import invocation

PAUSE_S = 0.1

Folder = Annotated[
    Path | None, typer.Option(metavar="DIR", help="The broker's data folder; else the project's, .lineshaft/kafka.")
]


def add_to(app: typer.Typer) -> None:
    """Add the group `kafka`."""
    group = typer.Typer(help="The embedded Kafka of this project.", no_args_is_help=True)
    group.command("start")(start)
    group.command("stop")(stop)
    group.command("status")(show_status)
    app.add_typer(group, name="kafka")


def start(
    context: typer.Context,
    folder: Folder = None,
    detach: Annotated[bool, typer.Option("--detach", help="Leave it running and return.")] = False,
    heap_mb: Annotated[int, typer.Option(min=64, help="The broker's heap in megabytes.")] = 128,
    as_json: output.Json = False,
) -> None:
    """Start it and wait until Ctrl-C; where it runs already, say where."""
    where = _folder(context, folder)
    running = _settled(where)
    if running.state != "stopped":
        output.note(f"kafka: already {running.state}")
        _show(running, as_json)
        return
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell starts what is in its background deaf to the first
        signal.signal(number, _interrupt)
    broker = kafka.EmbeddedKafka(where, heap_mb, detached=detach, say=output.note)
    try:
        broker.start()
        _show(kafka.status(where), as_json)
        if not detach:
            _attend(broker)
    except KeyboardInterrupt:
        output.note("kafka: stopping")
    finally:
        if not detach:
            broker.stop()


def stop(context: typer.Context, folder: Folder = None) -> None:
    """Stop it, whoever started it. Its data stays."""
    where = _folder(context, folder)
    output.note("kafka: stopped" if kafka.stop(where) else f"kafka: nothing runs on {where}")


def show_status(context: typer.Context, folder: Folder = None, as_json: output.Json = False) -> None:
    """Say whether it runs and where; exit code 1 where it does not."""
    found = kafka.status(_folder(context, folder))
    _show(found, as_json)
    if found.state != "running":
        raise typer.Exit(FOUND)


def _attend(broker: kafka.EmbeddedKafka) -> None:
    """Wait for the broker's end. Raises Refused when it ended by itself."""
    output.note("kafka: Ctrl-C stops it")
    code = broker.wait()
    if code:
        raise Refused(f"The broker ended by itself with code {code}.", f"Its log says why: {broker.log}")
    output.note("kafka: stopped by another process")


def _settled(where: Path) -> kafka.Status:
    """The status once nobody else is just starting or stopping the broker."""
    while (found := kafka.status(where)).state == "starting":
        time.sleep(PAUSE_S)
    return found


def _show(found: kafka.Status, as_json: bool) -> None:
    fields = {
        "state": found.state,
        "bootstrap": found.bootstrap,
        "version": found.version,
        "folder": found.folder,
        "log": found.log,
        "pid": found.pid,
        "owner_pid": found.owner_pid,
    }
    output.record(fields if as_json else {name: each for name, each in fields.items() if each}, as_json=as_json)


def _folder(context: typer.Context, named: Path | None) -> Path:
    from deploy.project import data_folder

    return named.absolute() if named else data_folder(invocation(context).folder) / "kafka"


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
