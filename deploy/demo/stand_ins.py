"""The demo's far systems: each stand-in is a process of its own, reached over its public addresses only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from deploy.demo.login import Login
from deploy.supervisor import PARENT_VARIABLE

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

END_S = 15.0


class StandInFailed(Exception):
    """A stand-in did not start; the message says which and shows its last lines."""


@dataclass
class StandInProcess:
    """A running stand-in: the connector's configuration for it, its control address and a script's login."""

    name: str
    process: subprocess.Popen[bytes]
    config: Mapping[str, Json]
    control: str
    login: Login

    @property
    def entry(self) -> Mapping[str, Json]:
        """Its entry in lineshaft.yaml, secrets in clear."""
        return {"type": self.name, **self.config}

    def stop(self) -> None:
        """End it; its state stays on disk."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def start_stand_in(type_name: str, folder: Path, log: Path) -> StandInProcess:
    """Start the stand-in of a connector's type. Raises StandInFailed."""
    command = [sys.executable, "-P", "-m", "deploy.main", "simulate", type_name, "--folder", str(folder)]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as errors:
        process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
            env={**os.environ, PARENT_VARIABLE: str(os.getpid())},
        )
    said = _first_json(process)
    if said is None:
        process.wait(END_S)
        raise StandInFailed(f"the stand-in of {type_name} did not start:\n{log.read_text(errors='replace')[-2000:]}")
    person = {str(name): str(value) for name, value in _table(said["person"]).items()}
    return StandInProcess(
        name=type_name,
        process=process,
        config=_table(said["config"]),
        control=str(said["control"]),
        login=Login(person, Path(str(said["ca_file"]))),
    )


def _table(value: Json) -> Mapping[str, Json]:
    assert isinstance(value, dict)
    return value


def _first_json(process: subprocess.Popen[bytes]) -> Mapping[str, Json] | None:
    """What it prints once it listens; None where it ended before."""
    assert process.stdout is not None
    text = b""
    for line in process.stdout:
        text += line
        if line.startswith(b"}"):
            return _table(json.loads(text))
    return None
