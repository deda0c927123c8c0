"""`lineshaft demo`: real work orders through a CRM, the bus and an MES, then a comparison."""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from importlib.resources import as_file, files
from pathlib import Path
from threading import Event as Flag
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, cast

import typer

from deploy import output
from deploy.exits import FOUND, UNREACHABLE, Refused

if TYPE_CHECKING:
    from deploy.demo.compare import Table
    from deploy.demo.log import WorkOrder
    from deploy.demo.story import Stage

Crm: TypeAlias = Literal["salesforce", "tryton"]
Mes: TypeAlias = Literal["jiandaoyun", "tryton"]

SHOWN = 20


def add_to(app: typer.Typer) -> None:
    """Add `demo`."""
    app.command("demo")(demo)


def demo(
    crm: Annotated[Crm, typer.Option(help="Where the orders are placed.")] = "salesforce",
    mes: Annotated[Mes, typer.Option(help="Where they are made.")] = "jiandaoyun",
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A log of the same form as the shipped one.")
    ] = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the comparison as JSON.")] = None,
    speed: Annotated[
        float | None, typer.Option(min=1, help="Log seconds per second; else half a minute in all.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave all running until Ctrl-C, and say where.")] = False,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where it all lives; else a folder that goes.")
    ] = None,
) -> None:
    """Let real work orders live their whole life; ends with a comparison that no part of the bus computed.

    Salesforce and JianDaoYun are stand-ins on this machine. Tryton is the real server, fetched once from PyPI into an
    environment of its own; with it the story takes minutes. Any CRM goes with any MES.
    Exit 1 where the comparison finds a difference.
    """
    shipped = files("deploy.demo").joinpath("factory_log.csv")
    with as_file(shipped) as own:
        code = _demo(log or own, (crm, mes), report, speed, keep, folder)
    raise typer.Exit(code)


def _demo(
    log: Path,
    sides: tuple[Crm, Mes],
    report: Path | None,
    speed: float | None,
    keep: bool,
    folder: Path | None,
) -> int:
    from deploy.demo.log import LogError, read_log

    if report is not None and not report.absolute().parent.is_dir():
        raise Refused(f"--report {report}: the folder does not exist.", "Create it, or name another file.")
    try:
        orders = read_log(log)
    except LogError as error:
        raise Refused(str(error), "Correct the lines, or leave --log out to use the shipped log.") from error
    where = folder.absolute() if folder else Path(tempfile.mkdtemp(prefix="lineshaft-demo-"))
    if folder and where.exists() and any(where.iterdir()):
        raise Refused(f"--folder {folder}: the folder is not empty.", "Name a new one.")
    where.mkdir(parents=True, exist_ok=True)
    try:
        return _run(where, sides, log, orders, report, speed, keep)
    finally:
        if folder is None and not keep:
            shutil.rmtree(where, ignore_errors=True)


def _run(
    folder: Path,
    sides: tuple[Crm, Mes],
    log: Path,
    orders: list[WorkOrder],
    report: Path | None,
    speed: float | None,
    keep: bool,
) -> int:
    from deploy.demo import story
    from deploy.demo.stand_ins import StandInFailed
    from deploy.tryton_server import EnvironmentFailed, ServerFailed

    interrupted, stop = Flag(), Flag()

    def end(*_: object) -> None:
        interrupted.set()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    begun = time.monotonic()
    output.note(f"demo: {len(orders)} work orders, {sum(len(each.rows) for each in orders)} reports, from {log.name}")
    try:
        with story.stage(folder, orders, stop, *sides) as on:
            output.note(f"demo: Kafka, both systems and the bus run after {time.monotonic() - begun:.1f} s")
            story.tell(on, orders, speed, stop)
            found = story.report(on, log, time.monotonic() - begun)
            _show(found, on)
            if report is not None:
                story.write_report(found, report)
            if keep and not interrupted.is_set():
                _say_where(on, folder)
                on.supervisor.run(interrupted)
    except (StandInFailed, ServerFailed) as error:
        raise Refused(str(error), "Its log says more.", UNREACHABLE) from error
    except EnvironmentFailed as error:
        remedy = "The Tryton server comes from PyPI, once: see that pip reaches it from here (HTTPS_PROXY, pip.conf)."
        raise Refused(f"The Tryton server is not ready. {error}", remedy, UNREACHABLE) from error
    return FOUND if found["differences"] else 0


def _show(found: Table, on: Stage) -> None:
    differences = cast("list[Table]", found["differences"])
    output.record({name: value for name, value in found.items() if name != "differences"}, as_json=False)
    if differences:
        output.line(f"{len(differences)} differences:")
        output.rows(differences[:SHOWN], ["work_order", "where", "field", "expected", "found"], as_json=False)
    else:
        output.line(
            f"every order, quantity and state is the same in the log, in {on.shop.name} and in {on.floor.name}"
        )


def _say_where(on: Stage, folder: Path) -> None:
    output.note(f"demo: all keeps running until Ctrl-C, in {folder}")
    addresses = {
        "Kafka": on.bus.cluster.bootstrap,
        **on.shop.addresses,
        **on.floor.addresses,
        **{role.name: role.address for role in on.roles},
    }
    output.record(addresses, as_json=False)
    output.note(f"demo: try `lineshaft --project {folder} trace {on.shop.books().orders[0].number}`")
