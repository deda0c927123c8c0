"""A real OpenSSH server on a loopback port, with keys and a configuration of its own; it needs no root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from connectors.files import FilesConfig
from connectors.testing import kept_port

SFTP = "internal-sftp"
START_S = 20.0


@dataclass
class SshServer:
    """One server; `folder` is what its only user sees files in."""

    home: Path
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def user(self) -> str:
        return pwd.getpwuid(os.geteuid()).pw_name

    def host_key(self, name: str = "host") -> str:
        kind, code, *_ = (self.home / f"{name}.pub").read_text().split(" ")
        return f"{kind} {code}"

    def config(self, tables: list[dict[str, object]], **changes: object) -> FilesConfig:
        values = {"sftp": self.sftp(**changes), "tables": tables, "poll_interval_s": 0.01}
        return FilesConfig.model_validate(values)

    def sftp(self, **changes: object) -> dict[str, object]:
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "user": self.user,
            "key": f"${{file:{self.home}/user}}",
            "host_keys": [self.host_key()],
            "folder": str(self.folder),
            "timeout_s": 5,
            **changes,
        }

    def start(self) -> None:
        sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
        assert sshd is not None
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # as root it separates privileges there
        log = (self.home / "log").open("ab")
        self.process = subprocess.Popen([sshd, "-D", "-e", "-f", str(self.home / "config")], stderr=log)
        log.close()
        deadline = time.monotonic() + START_S
        while b"Server listening" not in (self.home / "log").read_bytes()[self._logged :]:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.home / "log").read_text())
            time.sleep(0.02)

    _logged: int = 0

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self._logged = (self.home / "log").stat().st_size
        for pid in (self.home / "sessions").glob("*"):
            with suppress(ProcessLookupError):
                os.kill(int(pid.name), 9)
        self.process = None


@contextmanager
def running(home: Path) -> Iterator[SshServer]:
    home.mkdir(parents=True, exist_ok=True)
    folder = home / "drop"
    folder.mkdir()
    for name in ("host", "other", "user", "stranger", "ecdsa"):
        kind = "ecdsa" if name == "ecdsa" else "ed25519"
        command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(home / name)]
        subprocess.run(command, check=True)
    shutil.copy(home / "user.pub", home / "authorized")
    server = SshServer(home, folder, kept_port(home, "ssh"))
    (home / "config").write_text(
        f"Port {server.port}\nListenAddress 127.0.0.1\nHostKey {home}/host\nAuthorizedKeysFile {home}/authorized\n"
        f"PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n"
        f"Subsystem sftp {SFTP}\n"
    )
    server.start()
    try:
        yield server
    finally:
        server.stop()
