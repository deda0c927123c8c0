"""The embedded broker: one real Kafka on one data folder, on loopback, gone when whoever started it is gone."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

from deploy.kafka import machine, settings
from deploy.kafka.artifacts import KAFKA_VERSION
from deploy.kafka.errors import FolderBusy, StartFailed
from deploy.kafka.layout import Layout, Record, is_held, read_record, take
from deploy.kafka.progress import Say, to_stderr

PORT_ATTEMPTS = 3


@dataclass(frozen=True)
class Status:
    """What is known about the broker of a data folder.

    `unresponsive` means that its process lives and its port does not answer. `pid` is the guard's; ending it ends
    the broker. `owner_pid` is the process whose end ends the broker, None where it was started detached.
    """

    folder: Path
    state: Literal["stopped", "starting", "running", "unresponsive"]
    bootstrap: str | None = None
    pid: int | None = None
    owner_pid: int | None = None
    log: Path | None = None
    version: str = KAFKA_VERSION


def status(folder: Path) -> Status:
    """Whether a broker runs on `folder`, and where it listens. Never raises for a folder that does not exist."""
    layout = Layout(folder.absolute())
    record = read_record(layout)
    if not is_held(layout):
        return Status(layout.folder, "stopped")
    if record is None or record.state == "starting":
        return Status(layout.folder, "starting")
    state: Literal["running", "unresponsive"] = "running" if _answers(record.client_port) else "unresponsive"
    return Status(layout.folder, state, record.ports.bootstrap, record.pid, record.owner_pid, layout.log)


def stop(folder: Path) -> bool:
    """End the broker of `folder`, whoever started it; false where none ran. Returns when it is gone.

    Raises StartFailed, naming the process, where it does not end.
    """
    layout = Layout(folder.absolute())
    record = read_record(layout)
    if not is_held(layout):
        return False
    if record is not None and record.pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(record.pid, signal.SIGTERM)
    deadline = time.monotonic() + machine.END_PATIENCE_S
    while is_held(layout):
        if time.monotonic() > deadline:
            who = f"process {record.pid}" if record else "an unknown process"
            raise StartFailed(f"The broker on {layout.folder} ({who}) does not end.", "End that process by hand.")
        time.sleep(0.05)
    return True


class EmbeddedKafka:
    """A real Kafka broker on `folder`, which keeps its data, its log and its ports between starts.

    `heap_mb` is the broker's heap; 128 carries some hundred partitions. A broker that this process does not stop
    ends with this process, unless it is `detached`. Not thread-safe.
    """

    def __init__(self, folder: Path, heap_mb: int = 128, *, detached: bool = False, say: Say = to_stderr) -> None:
        self._layout = Layout(folder.absolute())
        self._heap_mb = heap_mb
        self._detached = detached
        self._say = say
        self._guard: subprocess.Popen[bytes] | None = None
        self._ports: settings.Ports | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def bootstrap(self) -> str:
        """`host:port` for a Kafka client. Only while it runs."""
        if self._ports is None:
            raise RuntimeError("the broker is not started")
        return self._ports.bootstrap

    @property
    def alive(self) -> bool:
        """Whether the broker that was started here has not ended by itself since."""
        return self._guard is not None and self._guard.poll() is None

    @property
    def log(self) -> Path:
        """The broker's log file."""
        return self._layout.log

    def start(self) -> None:
        """Return once the broker takes requests; the first start on a machine fetches about 45 MB.

        One that has died is started again, at its old ports where they are free.

        Raises FolderBusy where a broker holds the folder, and the other BrokerErrors where it cannot start.
        """
        lock = take(self._layout)
        if lock is None:
            raise _busy(self._layout)
        with lock:
            if self._guard is not None:
                machine.end(self._guard)
            java = machine.ready(self._say)
            for attempt in range(1, PORT_ATTEMPTS + 1):
                known = read_record(self._layout) if attempt == 1 else None
                ports = settings.free_ports(known.ports if known else None)
                try:
                    self._launch(java, ports, lock)
                except StartFailed:
                    taken = "Address already in use" in self._layout.last_words()
                    if not taken or attempt == PORT_ATTEMPTS:
                        raise
                    continue
                return

    def stop(self) -> None:
        """End the broker in order; its data stays. Does nothing where it is not running."""
        process, self._guard, self._ports = self._guard, None, None
        if process is None:
            return
        machine.end(process)

    def wait(self) -> int:
        """Block until the broker ends by itself or is stopped by somebody else; its exit code."""
        if self._guard is None:
            raise RuntimeError("the broker is not started")
        return self._guard.wait()

    def _launch(self, java: machine.Machine, ports: settings.Ports, lock: IO[bytes]) -> None:
        owner = None if self._detached else os.getpid()
        record = Record("starting", 0, owner, ports.client, ports.controller)
        record.write(self._layout)
        machine.prepare(java, self._layout, ports, self._heap_mb)
        command = java.command(self._layout, self._heap_mb, "kafka.Kafka", str(self._layout.settings))
        process = self._guard = machine.run_guarded(command, self._layout, lock.fileno(), owner)
        record = replace(record, pid=process.pid)
        record.write(self._layout)
        try:
            machine.wait_until_started(self._layout, process.poll)
        except BaseException:
            self.stop()
            raise
        self._ports = ports
        replace(record, state="running").write(self._layout)


def _busy(layout: Layout) -> FolderBusy:
    known = status(layout.folder)
    who = f", started by process {known.owner_pid}" if known.owner_pid else ""
    where = f" at {known.bootstrap}" if known.bootstrap else ""
    return FolderBusy(
        f"A broker is already {known.state} on {layout.folder}{where}{who}.",
        f"Use that one, stop it with `lineshaft kafka stop --folder {layout.folder}`, or take another folder.",
    )


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
    except OSError:
        return False
