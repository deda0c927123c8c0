"""A PostgreSQL server of one's own in a folder, for tests and for the bench: real, on loopback, gone when stopped.

It needs the server's programs (Debian: the package `postgresql`). The server refuses to be root: then it runs as the
package's own user, who is given the right to reach a folder that is closed to others.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from connectors.errors import ConfigError
from connectors.testing import kept_port

USER, PASSWORD = "lineshaft", "a password worth nothing"
PROGRAMS = Path("/usr/lib/postgresql")
SERVICE_USER = "postgres"
SETTINGS = "-c fsync=off -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=20"


class PostgresServer:
    """One cluster with the database `postgres`; what it holds stays in the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._data = self._folder / "data"
        self._programs = _programs()
        self.port = 0

    @property
    def url(self) -> str:
        """SQLAlchemy's address, without the password."""
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Return once it answers; at the same port as the last time."""
        self.port = kept_port(self._folder, "postgres")
        if not self._data.exists():
            self._initialise()
        log = self._data / "server.log"
        self._run("pg_ctl", "-w", "-D", self._data, "-l", log, "-o", f"-p {self.port} {SETTINGS}", "start")

    def stop(self, mode: str = "fast") -> None:
        """End it; `immediate` as a power cut does. Safe twice."""
        if (self._data / "postmaster.pid").exists():
            self._run("pg_ctl", "-w", "-D", self._data, "-m", mode, "stop")

    def _initialise(self) -> None:
        self._data.mkdir(parents=True)
        words = self._folder / "password"
        words.write_text(PASSWORD)
        if os.geteuid() == 0:
            owner = pwd.getpwnam(SERVICE_USER)
            os.chown(self._data, owner.pw_uid, owner.pw_gid)
        arguments = ("-U", USER, "--auth=scram-sha-256", f"--pwfile={words}", "-E", "UTF8", "--locale=C", "-N")
        self._run("initdb", "-D", self._data, *arguments)

    def _run(self, program: str, *arguments: object) -> None:
        command = [*_as_service_user(), str(self._programs / program), *map(str, arguments)]
        done = subprocess.run(  # noqa: S603 - a program of the package, by its whole path
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/"
        )
        if done.returncode:
            log = self._data / "server.log"
            said = f"{done.stdout}\n{log.read_text() if log.exists() else ''}"
            raise ConfigError("postgres", f"{program} failed: {said.strip()[-800:]}", "See what it says.")


def _programs() -> Path:
    found = sorted(PROGRAMS.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        remedy = "Install it: on Debian or Ubuntu apt-get install postgresql."
        raise ConfigError("postgres", f"there is no PostgreSQL server in {PROGRAMS}.", remedy)
    return found[-1].parent


def _as_service_user() -> Sequence[str]:
    """Only root needs another user; the capability lets that one pass through folders that are root's own."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        return ()
    owner = pwd.getpwnam(SERVICE_USER)
    capability = "+dac_override"
    return (
        *(setpriv, f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"),
        *(f"--inh-caps={capability}", f"--ambient-caps={capability}"),
    )
