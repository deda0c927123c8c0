"""One running Tryton server with any number of systems, each a copy of the template company's database."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from importlib.resources import as_file
from pathlib import Path
from types import TracebackType
from typing import TypeAlias, cast

import httpx

from connectors.testing import kept_port
from deploy.tryton_server.environment import HERE, Environment, ensure, write_configuration

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

START_S = 60.0
END_S = 10.0
LOOK_S = 0.05


class ServerFailed(Exception):
    """The server did not start; the message shows its last lines."""


class TrytonServer:
    """A server on loopback in a process group of its own; the folder holds its databases and its log.

    `systems` are names of databases; each is a company of its own, and stays in the folder. Where it is `patient`, a
    confirmed sale waits to be processed, and may be changed for so long. Use it as a context.
    """

    def __init__(
        self, folder: Path, *systems: str, say: Callable[[str], None] = lambda _: None, patient: bool = False
    ) -> None:
        self._folder, self._systems, self._say, self._patient = folder, systems, say, patient
        self._process: subprocess.Popen[bytes] | None = None
        self._environment: Environment | None = None
        self.facts: Mapping[str, Json] = {}
        self.url = ""

    def __enter__(self) -> TrytonServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def key(self) -> str:
        """The application key of the bus's user, the same in every system."""
        return str(self.facts["key"])

    @property
    def log(self) -> Path:
        """What the server says."""
        return self._folder / "tryton.log"

    def start(self) -> None:
        """Start it and wait until it answers. Raises EnvironmentFailed or ServerFailed."""
        environment = self._environment = ensure(self._say)
        self._folder.mkdir(parents=True, exist_ok=True)
        self.facts = cast("Mapping[str, Json]", json.loads(environment.facts.read_text()))
        for name in self._systems:
            self.add(name)
        port = kept_port(self._folder, "tryton")
        self.url = f"http://127.0.0.1:{port}"
        configuration = write_configuration(self._folder / "trytond.conf", self._folder, port, self._patient)
        with self.log.open("ab") as log, as_file(HERE.joinpath("serve.py")) as script:
            self._process = subprocess.Popen(  # noqa: S603
                [str(environment.python), str(script), "-c", str(configuration), "-d", *self._systems],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=environment.variables(),
            )
        self._wait()

    def stop(self) -> None:
        """End its whole process group. Safe twice."""
        process, self._process = self._process, None
        if process is None:
            return
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def add(self, name: str) -> None:
        """Make one more system, where there is none of that name yet."""
        place = self._folder / f"{name}.sqlite"
        if not place.exists():
            shutil.copyfile((self._environment or ensure(self._say)).database, place)

    def _wait(self) -> None:
        assert self._process is not None
        version = {"id": 1, "method": "common.server.version", "params": []}
        with httpx.Client(timeout=START_S, trust_env=False) as http:
            for _ in range(int(START_S / LOOK_S)):
                if self._process.poll() is not None:
                    break
                try:
                    if http.post(f"{self.url}/rpc/", json=version).is_success:
                        return
                except httpx.TransportError:
                    time.sleep(LOOK_S)
        self.stop()
        raise ServerFailed(f"Tryton did not start:\n{self.log.read_text(errors='replace')[-2000:]}")
