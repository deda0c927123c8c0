"""Whatever a person gets wrong: the real command says where and what to do, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
import yaml

from connectors.registry import load
from deploy.demo.stand_ins import StandInProcess, start_stand_in
from deploy.kafka.cache import folder as cache_folder
from tests.bad_input import bad_case
from tests.bad_input.preparations import PREPARATIONS, Scene
from tests.raw_kafka import RawKafka

MARK = "LINESHAFT_BAD_INPUT"
LONGEST_S = 60
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE")

FarSide = Callable[[str], StandInProcess]


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarSide]:
    """The stand-in of a connector's type, started when it is first asked for."""
    with ExitStack() as running:

        @cache
        def started(name: str) -> StandInProcess:
            folder = tmp_path_factory.mktemp(name)
            found = start_stand_in(name, folder, folder / "log")
            running.callback(found.stop)
            return found

        yield started


@pytest.fixture
def case_folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bad_case.HERE / request.param, tmp_path / "case"))


@pytest.fixture
def fill(
    request: pytest.FixtureRequest, far: FarSide, topic_prefix: str, case_folder: Path
) -> Iterator[bad_case.Fill]:
    """Gives placeholders their text; what a case does not name is not started."""
    with ExitStack() as held:

        @cache
        def taken() -> int:
            return int(held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1])

        refusing = cache(_free_port)
        texts: dict[str, Callable[[], object]] = {
            "bootstrap": lambda: request.getfixturevalue("broker").bootstrap,
            "prefix": lambda: topic_prefix,
            "folder": lambda: case_folder,
            "refusing": refusing,
            "taken": taken,
        }

        def text(name: str, left_out: list[str]) -> str:
            return str(texts[name]()) if name in texts else _settings(far(name), case_folder, left_out)

        yield text


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _settings(running: StandInProcess, folder: Path, left_out: list[str]) -> str:
    """The stand-in's settings inside `{…}`, secrets as files."""
    found = {}
    for name, value in running.config.items():
        if name not in left_out:
            found[name] = value
            if "Secret" in str(load(running.name).config.model_fields[name].annotation):
                file = folder / f"secret-{name}"
                file.write_text(str(value))
                found[name] = f"${{file:{file}}}"
    return yaml.safe_dump(found, default_flow_style=True, width=10_000).strip()[1:-1]


@pytest.mark.kafka
@pytest.mark.parametrize("case_folder", bad_case.names(), indirect=True)
def test_bad_input_is_told_plainly_and_leaves_nothing_behind(
    case_folder: Path, fill: bad_case.Fill, far: FarSide, topic_prefix: str, request: pytest.FixtureRequest
) -> None:
    raw = request.getfixturevalue("raw") if bad_case.needs_kafka(case_folder) else None
    bad_case.filled(case_folder, fill)
    case = bad_case.read(case_folder)
    with ExitStack() as undo, pytest.MonkeyPatch.context() as patched:
        for name, value in case.environment.items():
            patched.setenv(name, value)
        for name in case.prepare:
            PREPARATIONS[name](Scene(case_folder, lambda: far("salesforce"), undo))
        before = _topics(raw, topic_prefix)
        mark = uuid.uuid4().hex
        done = _run(case, case_folder, mark)
    said = " ".join(f"{done.stdout}\n{done.stderr}".split())
    assert "Traceback" not in said, done.stderr
    assert [each for each in case.says if " ".join(each.split()) not in said] == [], said
    assert [each for each in case.never if each in said] == [], said
    assert done.returncode == case.exit, said
    assert _left_running(mark) == []
    assert _topics(raw, topic_prefix) == before


def _run(case: bad_case.Case, folder: Path, mark: str) -> subprocess.CompletedProcess[str]:
    """Run the command in the case's folder with a clean environment and a mark that all its children carry."""
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment |= {"LINESHAFT_CACHE": str(cache_folder()), MARK: mark, **case.environment}
    return subprocess.run(
        [sys.executable, "-m", "deploy.main", *case.command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


def _topics(raw: RawKafka | None, prefix: str) -> set[str]:
    """The topics of this case, where it has a Kafka at all."""
    return set() if raw is None else {name for name in raw.topics() if name.startswith(prefix)}


def _left_running(mark: str) -> list[str]:
    """What still runs of the command's children, found by the mark in their environment."""
    wanted = f"{MARK}={mark}".encode()
    return [each.parent.name for each in Path("/proc").glob("[0-9]*/environ") if wanted in _environment(each)]


def _environment(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # the process has ended, or is not ours
        return b""


def test_there_are_cases_of_every_kind() -> None:
    assert len(bad_case.names()) >= 40
