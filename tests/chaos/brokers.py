"""One broker or three as real processes, each on a small file system of its own that can be filled up.

The embedded broker's jars, Java and guard are used; settings for several nodes stand here. Clients come in through a
proxy (`advertised.listeners`), the brokers talk to each other directly.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from deploy.kafka import machine, settings
from deploy.kafka.layout import Layout, take
from tests.chaos.ports import LOOPBACK, free_ports
from tests.chaos.proxy import Proxies

HEAP_MB = 256
SPACE_MB = 512
FILLER = "filler"
BLOCK = 1 << 20

THREE: Mapping[str, str] = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
    # with the default of 9 s a killed leader's partitions have none for that long
    "broker.session.timeout.ms": "4000",
    "broker.heartbeat.interval.ms": "500",
}


@dataclass(frozen=True)
class Ports:
    """The three ports of one node; clients are told the proxy's port instead of `client`."""

    client: int
    internal: int
    controller: int


@dataclass
class Node:
    """One broker: its folder, its ports, and the guard's process while it runs."""

    number: int
    layout: Layout
    ports: Ports
    advertised: int
    guard: subprocess.Popen[bytes] | None = None
    limited: bool = False
    starts: int = 0

    @property
    def name(self) -> str:
        """How it is called in the schedule."""
        return f"broker-{self.number}"

    @property
    def alive(self) -> bool:
        """Whether its processes are there."""
        return self.guard is not None and self.guard.poll() is None


@dataclass
class Brokers:
    """The cluster. `space` says how a full disk is made: `tmpfs` or, where nothing can be mounted, `prlimit`."""

    folder: Path
    count: int
    proxies: Proxies
    space: str = "tmpfs"
    nodes: list[Node] = field(default_factory=list)
    _java: machine.Machine | None = None

    def __enter__(self) -> Brokers:
        self._java = machine.ready(lambda text: print(text, flush=True))
        try:
            self._start_all()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start_all(self) -> None:
        for number in range(1, self.count + 1):
            ports = Ports(*free_ports(3))
            layout = Layout(self.folder / f"broker-{number}")
            layout.folder.mkdir(parents=True)
            link = self.proxies.add(f"kafka-{number}", LOOPBACK, ports.client)
            self.nodes.append(Node(number, layout, ports, link.port, limited=self._mount(layout.folder)))
        cluster = machine.cluster_id()
        with ThreadPoolExecutor(self.count) as pool:
            list(pool.map(lambda node: self._prepare(node, cluster), self.nodes))
            list(pool.map(self.start, self.nodes))

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            if node.guard is not None:
                self.signal(node, signal.SIGKILL)
                node.guard.wait()
        for node in self.nodes:
            _keep_evidence(node, self.folder / f"{node.name}-kept")
            if node.limited:
                subprocess.run(["umount", "-l", str(node.layout.folder)], check=False)
        self.nodes.clear()

    @property
    def bootstrap(self) -> str:
        """What the bus is told: the proxies' addresses."""
        return ",".join(f"{LOOPBACK}:{node.advertised}" for node in self.nodes)

    @property
    def direct(self) -> str:
        """The brokers behind the proxies."""
        return ",".join(f"{LOOPBACK}:{node.ports.client}" for node in self.nodes)

    def start(self, node: Node) -> None:
        """Start a node that is not running; returns when it says so. Raises StartFailed."""
        assert self._java is not None
        lock = take(node.layout)
        assert lock is not None, f"{node.name} is still running"
        with lock:
            command = self._java.command(node.layout, HEAP_MB, "kafka.Kafka", str(node.layout.settings))
            node.guard = machine.run_guarded(command, node.layout, lock.fileno(), os.getpid())
        machine.wait_until_started(node.layout, node.guard.poll)
        node.starts += 1

    def signal(self, node: Node, number: int) -> None:
        """A signal to the broker and its guard."""
        if node.guard is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(node.guard.pid, number)

    def kill(self, node: Node) -> None:
        """SIGKILL; returns when it is gone."""
        self.signal(node, signal.SIGKILL)
        if node.guard is not None:
            node.guard.wait()

    def fill(self, node: Node) -> None:
        """Take all the space that is left for the node."""
        if not node.limited:
            self._limit(node)
            return
        with (node.layout.folder / FILLER).open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                if file.write(bytes(BLOCK)) < BLOCK:
                    break

    def free(self, node: Node) -> None:
        """Give the space back."""
        (node.layout.folder / FILLER).unlink(missing_ok=True)

    def _limit(self, node: Node) -> None:
        """No file of the broker may grow from now on; the limit goes with the process."""
        assert node.guard is not None
        for pid in _children(node.guard.pid):
            subprocess.run(["prlimit", f"--pid={pid}", "--fsize=4096"], check=True)

    def _mount(self, folder: Path) -> bool:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SPACE_MB}m", "lineshaft-chaos", str(folder)],
            check=False,
            capture_output=True,
        )
        self.space = "tmpfs" if done.returncode == 0 else "prlimit"
        return done.returncode == 0

    def _prepare(self, node: Node, cluster: str) -> None:
        assert self._java is not None
        layout = node.layout
        layout.logging.write_text(settings.LOGGING.format(log=layout.log))
        layout.settings.write_text(self._properties(node))
        command = self._java.command(
            layout, HEAP_MB, "kafka.tools.StorageTool", "format", "--cluster-id", cluster,
            "--config", str(layout.settings),
        )  # fmt: skip
        with layout.output.open("wb") as output:
            subprocess.run(command, stdout=output, stderr=output, check=True, timeout=60)

    def _properties(self, node: Node) -> str:
        own = {
            "node.id": str(node.number),
            "listener.security.protocol.map": "CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "INTERNAL",
            "controller.quorum.voters": _voters(self.nodes),
            "listeners": f"CLIENT://{LOOPBACK}:{node.ports.client},INTERNAL://{LOOPBACK}:{node.ports.internal},"
            f"CONTROLLER://{LOOPBACK}:{node.ports.controller}",
            "advertised.listeners": f"CLIENT://{LOOPBACK}:{node.advertised},"
            f"INTERNAL://{LOOPBACK}:{node.ports.internal}",
            "log.dirs": str(node.layout.data),
        }
        several = THREE if self.count > 1 else {}
        return "".join(f"{key}={value}\n" for key, value in {**settings.SETTINGS, **several, **own}.items())


def _keep_evidence(node: Node, folder: Path) -> None:
    """The broker's log and its books of offsets and transactions: without them nobody finds out why a group stood."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in node.layout.folder.glob("broker.log*"):
        shutil.copy(file, folder)
    for books in node.layout.data.glob("__*"):
        shutil.copytree(books, folder / books.name, dirs_exist_ok=True)


def _voters(nodes: Sequence[Node]) -> str:
    return ",".join(f"{node.number}@{LOOPBACK}:{node.ports.controller}" for node in nodes)


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(each) for each in text.split()]
