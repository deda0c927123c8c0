"""`lineshaft up`: every role as a process of its own, restarted when it dies, ended in order on SIGTERM."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag

from deploy.restarts import failures_after, pause_s
from streams.stopping import MustStop

log = logging.getLogger(__name__)

PARENT_VARIABLE = "LINESHAFT_SUPERVISOR"
END_S = 30.0
LOOK_S = 0.2
WRONG_CONFIG = 2


@dataclass(frozen=True)
class Role:
    """One process: its name, its arguments after `lineshaft`, and where its health page is."""

    name: str
    arguments: tuple[str, ...]
    address: str


class RoleRefused(MustStop):
    """A role ended because its configuration is wrong; restarting it would not help."""


@dataclass
class Process:
    """A role's running process and how often it had to be started again."""

    role: Role
    popen: subprocess.Popen[bytes]
    started_at: float
    failures: int = 0
    restart_at: float | None = None


def _nothing() -> None:
    """Only the roles are kept running."""


@dataclass
class Supervisor:
    """Starts the roles and keeps them running. `log_folder` takes one log file per role.

    `beside` is looked after at every look as well: what the roles need and this process keeps.
    """

    roles: Sequence[Role]
    log_folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    beside: Callable[[], None] = _nothing
    _processes: list[Process] = field(default_factory=list)

    def start(self) -> None:
        """Start every role."""
        self.log_folder.mkdir(parents=True, exist_ok=True)
        self._processes = [Process(role, self._launch(role), time.monotonic()) for role in self.roles]

    def wait_healthy(self, seconds: float, say: Callable[[str], None], stop: Flag) -> None:
        """Return once every role is healthy, or `stop` is set. Raises TimeoutError, naming the ones that are not."""
        waiting, deadline = {role.name: role for role in self.roles}, time.monotonic() + seconds
        while waiting and not stop.wait(LOOK_S):
            self.look()
            for role in list(waiting.values()):
                if _healthy(role):
                    say(f"{role.name} runs")
                    del waiting[role.name]
            if time.monotonic() > deadline:
                raise TimeoutError(f"not healthy after {seconds:.0f} s: {', '.join(waiting)}; see {self.log_folder}")

    def run(self, stop: Flag) -> None:
        """Keep the roles running until `stop` is set. Raises RoleRefused."""
        while not stop.wait(LOOK_S):
            self.look()

    def look(self) -> None:
        """Restart what has died, after a pause that grows while it keeps dying."""
        self.beside()
        now = time.monotonic()
        for process in self._processes:
            if process.restart_at is not None and now >= process.restart_at:
                process.popen, process.started_at, process.restart_at = self._launch(process.role), now, None
            elif process.restart_at is None and process.popen.poll() is not None:
                self._died(process, now)

    def _died(self, process: Process, now: float) -> None:
        code, name = process.popen.returncode, process.role.name
        if code == WRONG_CONFIG:
            raise RoleRefused(f"{name} refused its configuration:\n{self._last_lines(process.role)}")
        process.failures = failures_after(process.failures, now - process.started_at)
        pause = pause_s(process.failures)
        process.restart_at = now + pause
        log.warning("%s ended (exit %s), started again in %.1f s", name, code, pause)

    def _last_lines(self, role: Role) -> str:
        lines = self._log(role).read_text(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-5:])

    def _log(self, role: Role) -> Path:
        return self.log_folder / f"{role.name}.log"

    def _launch(self, role: Role) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **self.environment, PARENT_VARIABLE: str(os.getpid())}
        with self._log(role).open("ab") as out:
            return subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-m", "deploy.main", *role.arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=environment,
                start_new_session=True,
            )

    def pids(self) -> dict[str, int]:
        """The process id of every role."""
        return {process.role.name: process.popen.pid for process in self._processes}

    def begin_again(self) -> None:
        """SIGTERM to every role: it is started again and asks anew for what it was told at its start."""
        for process in self._processes:
            if process.popen.poll() is None:
                process.popen.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """SIGTERM to every role, and SIGKILL to what has not ended after 30 s."""
        for process in self._processes:
            if process.popen.poll() is None:
                process.popen.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + END_S
        for process in self._processes:
            try:
                process.popen.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.error("%s did not end within %.0f s and was killed", process.role.name, END_S)
                process.popen.kill()
                process.popen.wait()


def _healthy(role: Role) -> bool:
    import httpx  # the command imports this module for every sub-command

    try:
        return httpx.get(f"{role.address}/health", timeout=2.0).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
