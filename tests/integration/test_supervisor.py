"""The supervisor with real role processes on the real Kafka."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Event as Flag

import httpx
import pytest

from deploy.project import load_project
from deploy.supervisor import Role, RoleRefused, Supervisor
from deploy.wiring import bus_of
from mappings import shipped
from streams.definitions import activate
from streams.kafka import topics
from tests.bus_on_kafka import until
from tests.raw_kafka import RawKafka

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def project(raw: RawKafka, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project on the session's broker, its topics made and its definitions live."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "drop").mkdir()
    table = "{document: Item, pattern: '*.csv', key: item, columns: [item]}"
    (folder / "lineshaft.yaml").write_text(
        f"kafka: {{bootstrap: '{raw.bootstrap}'}}\npartitions: 1\ntopic_prefix: supervisor.\n"
        f"connectors:\n  masterdata: {{type: files, folder: drop, tables: [{table}]}}\n"
    )
    bus = bus_of(load_project(folder))
    topics.apply(bus.cluster, bus.topics, bus.groups)
    activate(bus.cluster, [each for each in shipped() if not each.name.startswith("files-")], "a test")
    return folder


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def role(project: Path, *arguments: str) -> Role:
    port = free_port()
    name = "-".join(arguments)
    return Role(name, ("--project", str(project), "run", *arguments, "--port", str(port)), f"http://127.0.0.1:{port}")


@pytest.fixture
def supervisor(project: Path, tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor([role(project, "pipeline"), role(project, "source")], tmp_path / "logs")
    made.start()
    yield made
    made.stop()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def healthy(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def test_a_role_that_was_killed_comes_back_healthy_and_sigterm_leaves_no_process(
    supervisor: Supervisor,
) -> None:
    supervisor.wait_healthy(60, lambda _: None, Flag())
    before = supervisor.pids()
    os.kill(before["pipeline"], signal.SIGKILL)

    def back() -> bool:
        supervisor.look()
        return supervisor.pids()["pipeline"] != before["pipeline"] and healthy(supervisor.roles[0].address)

    until(back, "the pipeline is back")
    assert supervisor.pids()["source"] == before["source"]
    pids = supervisor.pids()
    supervisor.stop()
    assert not [name for name, pid in pids.items() if alive(pid)]
    for each in supervisor.roles:
        assert not healthy(each.address)
        log = (supervisor.log_folder / f"{each.name}.log").read_text()
        assert "stopped" in log
        assert "Traceback" not in log


def test_a_role_whose_configuration_is_wrong_ends_the_bus_with_its_last_lines(project: Path, tmp_path: Path) -> None:
    made = Supervisor([role(project, "sink", "nowhere")], tmp_path / "logs")
    made.start()
    try:
        with pytest.raises(
            RoleRefused, match=r"sink-nowhere refused its configuration:\n(.|\n)*no connector 'nowhere'"
        ):
            made.run(Flag())
    finally:
        made.stop()
    assert not any(alive(pid) for pid in made.pids().values())


def test_a_role_runs_nothing_that_lies_in_the_folder_it_is_started_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "connectors").mkdir()
    (tmp_path / "connectors" / "__init__.py").write_text("raise SystemExit('not ours')")
    monkeypatch.chdir(tmp_path)
    made = Supervisor([Role("list", ("connector", "list"), "")], tmp_path / "logs")
    made.start()
    try:
        assert "salesforce" in until((tmp_path / "logs" / "list.log").read_text, "it has said something")
    finally:
        made.stop()
