"""`lineshaft up` runs the whole bus on one machine; `lineshaft run …` runs one role of it."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer

from deploy import output
from deploy.invocation import project as project_of

if TYPE_CHECKING:
    from deploy.kafka import EmbeddedKafka
    from deploy.project import Project
    from deploy.roles import Listening
    from deploy.supervisor import Role
    from streams.bus import Bus

HEALTHY_S = 120.0

Port = Annotated[int | None, typer.Option(help="Port of metrics and health; else the project's `http.metrics`.")]


def add_to(app: typer.Typer) -> None:
    """Add `up` and the group `run`."""
    app.command("up")(up)
    group = typer.Typer(help="Run one role of the bus until SIGTERM.", no_args_is_help=True)
    group.command("source")(run_source)
    group.command("pipeline")(run_pipeline)
    group.command("sink")(run_sink)
    group.command("ingress")(run_ingress)
    group.command("views")(run_views)
    app.add_typer(group, name="run")


def up(context: typer.Context, as_json: output.Json = False) -> None:
    """Start Kafka where it is embedded, make topics, activate what has no live version, and run every role."""
    from deploy import audit_heads
    from deploy.topic_commands import apply_topics
    from deploy.wiring import activate_new, bus_of, check_new

    logs_to_stderr()
    project, stop = project_of(context), _stop_flag()
    with running_kafka(project) as broker:
        bus = bus_of(project)
        roles = roles_of(project, bus)
        check_ports(roles)
        check_new(bus, project)
        apply_topics(bus, project)
        activate_new(bus, project, output.note)
        heads = (bus.cluster, project.data / audit_heads.FILE, stop)
        Thread(target=audit_heads.keep_publishing, args=heads, name="audit-heads", daemon=True).start()
        _supervise(project, roles, broker, stop, as_json)


def check_ports(roles: Sequence[Role]) -> None:
    """Raise PortTaken where something else listens on the address of a role; better before anything was made."""
    from deploy.http import PortTaken

    for role in roles:
        host, _, port = role.address.removeprefix("http://").rpartition(":")
        try:
            with socket.create_server((host, int(port))):
                pass
        except OSError as error:
            raise PortTaken(role.name, role.address) from error


def _supervise(
    project: Project, roles: Sequence[Role], broker: EmbeddedKafka | None, stop: Flag, as_json: bool
) -> None:
    from deploy.kafka_keeper import KafkaKeeper
    from deploy.supervisor import Supervisor

    supervisor = Supervisor(roles, project.data / "logs")
    if broker is not None:
        supervisor.beside = KafkaKeeper(broker, supervisor.begin_again).look
    supervisor.start()
    try:
        supervisor.wait_healthy(HEALTHY_S, output.note, stop)
        found = [{"role": role.name, "pid": supervisor.pids()[role.name], "health": role.address} for role in roles]
        output.rows(found, ["role", "pid", "health"], as_json=as_json)
        supervisor.run(stop)
    finally:
        supervisor.stop()


@contextmanager
def running_kafka(project: Project) -> Iterator[EmbeddedKafka | None]:
    """The embedded Kafka of the project while the block runs; None where it runs already or is somebody else's."""
    from deploy.kafka import EmbeddedKafka, status

    if project.cluster is not None or status(project.kafka_folder).state == "running":
        yield None
        return
    with EmbeddedKafka(project.kafka_folder, say=output.note) as broker:
        yield broker


def roles_of(project: Project, bus: Bus) -> list[Role]:
    """Every role of the bus on one machine, with the port of its health page."""
    from deploy.supervisor import Role

    names = ["source", "pipeline", *(f"sink {name}" for name in bus.sinks), "views"]
    if bus.webhooks:
        names.append("ingress")
    ports = {"ingress": project.http.ingress, "views": project.http.views}
    first, found = project.http.metrics, []
    for index, name in enumerate(names):
        wished = ports.get(name, first + index if first else 0)
        port = wished or _free_port(project.http.host)
        arguments = ("--project", str(project.folder), "run", *name.split(), "--port", str(port))
        found.append(Role(name.replace(" ", "-"), arguments, f"http://{project.http.host}:{port}"))
    return found


def _free_port(host: str) -> int:
    with socket.socket() as taken:
        taken.bind((host, 0))
        return int(taken.getsockname()[1])


def run_source(
    context: typer.Context,
    port: Port = None,
    adopt: Annotated[list[str] | None, typer.Option(help="Take over another far system's position.")] = None,
) -> None:
    """Run every source whose position this process comes to own."""
    from deploy import roles
    from deploy.wiring import bus_with_topics
    from streams.bus import source_names

    logs_to_stderr()
    project = project_of(context)
    for name in adopt or ():
        _check_named(name, source_names(project.connectors), "adopt", "source")
    roles.run_source(bus_with_topics(project), _listening(project, port), adopt or ())


def _check_named(name: str, known: Sequence[str], field: str, side: str) -> None:
    """Raise ConfigError for a connector that has no such side: a typing error must not look like one that has."""
    from connectors.errors import ConfigError

    if name not in known:
        remedy = f"There are: {', '.join(known) or 'none'}."
        raise ConfigError(field, f"no connector {name!r} with a {side}.", remedy)


def run_pipeline(
    context: typer.Context,
    port: Port = None,
    slot: Annotated[int, typer.Option(help="The process's place, the same after a restart.", min=0)] = 0,
) -> None:
    """Run one member of the pipeline."""
    from deploy import roles
    from deploy.wiring import bus_with_topics

    logs_to_stderr()
    project = project_of(context)
    roles.run_pipeline(bus_with_topics(project), _listening(project, port), slot)


def run_sink(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The connector's name in lineshaft.yaml.")],
    port: Port = None,
) -> None:
    """Run one member of a sink's group."""
    from deploy import roles
    from deploy.wiring import bus_with_topics
    from streams.bus import sink_names

    logs_to_stderr()
    project = project_of(context)
    _check_named(name, sink_names(project.connectors), "sink", "sink")
    roles.run_sink(bus_with_topics(project), _listening(project, port), name)


def run_ingress(context: typer.Context, port: Port = None) -> None:
    """Run the webhooks of all connectors."""
    from deploy import roles
    from deploy.wiring import bus_with_topics

    logs_to_stderr()
    project = project_of(context)
    roles.run_ingress(bus_with_topics(project), _listening(project, port or project.http.ingress))


def run_views(context: typer.Context, port: Port = None) -> None:
    """Run the Faust views: KPIs as JSON over HTTP."""
    from deploy import roles
    from deploy.wiring import bus_with_topics

    logs_to_stderr()
    project = project_of(context)
    roles.run_views(bus_with_topics(project), _listening(project, port or project.http.views), project.data / "views")


def _listening(project: Project, port: int | None) -> Listening:
    from deploy.roles import Listening

    return Listening(project.http.host, project.http.metrics if port is None else port)


def _stop_flag() -> Flag:
    stop = Flag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def logs_to_stderr() -> None:
    """One plain line per event; LINESHAFT_LOG=DEBUG says more."""
    level = os.environ.get("LINESHAFT_LOG", "INFO").upper()
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(message)s")
    for name in ("httpx", "httpcore", "faust", "mode", "aiokafka"):
        logging.getLogger(name).setLevel(logging.WARNING)
