"""One way to run the broker's Java: class path, flags and the class archive that makes a start three times faster."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.kafka import artifacts, cache, guard, jars, java, settings
from deploy.kafka.errors import StartFailed
from deploy.kafka.layout import Layout
from deploy.kafka.progress import Say

START_TIMEOUT_S = 90
FORMAT_TIMEOUT_S = 60
END_PATIENCE_S = guard.PATIENCE_S + 10.0

# the oldest Java that knows the archive, how it is made at exit, how it is used, the file's suffix
ARCHIVES = (
    (25, "-XX:AOTCacheOutput={}", "-XX:AOTCache={}", "aot"),
    (17, "-XX:ArchiveClassesAtExit={}", "-XX:SharedArchiveFile={}", "jsa"),
)


@dataclass(frozen=True)
class Machine:
    """A Java and the broker's jars, checked and ready; `archive` holds the flags for the class archive, if any."""

    java: java.Java
    class_path: Sequence[Path]
    archive: Sequence[str] = ()

    def command(self, layout: Layout, heap_mb: int, main: str, *arguments: str) -> Sequence[str]:
        """The command that runs `main` of the broker's jars with the files of `layout`."""
        flags = settings.java_flags(heap_mb, layout.logging)
        path = ":".join(map(str, self.class_path))
        return (str(self.java.executable), *self.archive, *flags, "-cp", path, main, *arguments)


def ready(say: Say) -> Machine:
    """Java found, jars fetched and checked, class archive made. Raises BrokerError with the remedy."""
    found, where, pinned = java.find(), cache.folder(), artifacts.pinned()
    with cache.lock(where, say) as lock_fd:
        machine = Machine(found, jars.ensure(pinned, where, say))
        for oldest, making, using, suffix in ARCHIVES:
            if found.major >= oldest:
                archive = where / f"kafka-{artifacts.fingerprint(pinned)}-java-{found.major}-{found.build}.{suffix}"
                if not archive.exists():
                    _train(machine, making, archive, lock_fd, say)
                flags = (using.format(archive),) if archive.exists() else ()
                return Machine(found, machine.class_path, flags)
    return machine


def format_once(machine: Machine, layout: Layout, heap_mb: int) -> None:
    """Give the folder a cluster id, unless it has one. It is done aside and moved: half a format is none."""
    if layout.data.exists():
        return
    with tempfile.TemporaryDirectory(dir=layout.folder, prefix="format-") as aside:
        draft, config = Path(aside) / "data", Path(aside) / "server.properties"
        config.write_text(settings.properties(settings.free_ports(None), draft))
        command = machine.command(
            layout,
            heap_mb,
            "kafka.tools.StorageTool",
            "format",
            "--cluster-id",
            cluster_id(),
            "--config",
            str(config),
        )
        with layout.output.open("wb") as output:
            done = subprocess.run(command, stdout=output, stderr=output, timeout=FORMAT_TIMEOUT_S, check=False)  # noqa: S603
        if done.returncode:
            raise StartFailed(
                f"The broker's folder {layout.folder} could not be formatted (exit code {done.returncode}).",
                f"Its last words say why; mend that and start again.\n{layout.last_words()}",
            )
        draft.rename(layout.data)


def cluster_id() -> str:
    """A new id in Kafka's form, none that begins with a hyphen: the formatter would take it for an option."""
    while (text := urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return text


def wait_until_started(layout: Layout, ended: Callable[[], int | None]) -> None:
    """Return once the broker takes requests. Raises StartFailed when it ends first or takes too long."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while settings.STARTED not in layout.output.read_text(errors="replace"):
        code = ended()
        if code is not None:
            raise StartFailed(
                f"The broker on {layout.folder} ended with code {code} before it was ready.",
                f"Its last words say why; mend that and start again.\n{layout.last_words()}",
            )
        if time.monotonic() > deadline:
            raise StartFailed(
                f"The broker on {layout.folder} was not ready after {START_TIMEOUT_S} s.",
                f"Is the machine overloaded or its disk full? Its last words:\n{layout.last_words()}",
            )
        time.sleep(0.02)


def run_guarded(command: Sequence[str], layout: Layout, lock_fd: int, owner: int | None) -> subprocess.Popen[bytes]:
    """Run `command` under a guard that ends it when process `owner` is gone; both hold the lock `lock_fd`.

    It gets a session of its own: Ctrl-C on the terminal reaches only us, and we end it in order.
    """
    with layout.output.open("wb") as output:
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", guard.__file__, str(owner or 0), str(lock_fd), *command],
            stdin=subprocess.PIPE if owner else subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(lock_fd,),
            start_new_session=True,
        )


def end(guarded: subprocess.Popen[bytes]) -> None:
    """End a guarded command in order, and in disorder where that takes longer than its guard allows."""
    if guarded.stdin is not None:
        guarded.stdin.close()
    guarded.terminate()
    try:
        guarded.wait(END_PATIENCE_S)
    except subprocess.TimeoutExpired:
        os.killpg(guarded.pid, signal.SIGKILL)
        guarded.wait()


def _train(machine: Machine, making: str, archive: Path, lock_fd: int, say: Say) -> None:
    """Start and end a broker once, so that its Java writes down the classes it loaded."""
    say("kafka: preparing quick starts (about ten seconds, only this once)")
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix="train-") as aside:
        layout, draft = Layout(Path(aside)), Path(aside) / archive.name
        prepare(machine, layout, settings.free_ports(None), heap_mb=128)
        training = Machine(machine.java, machine.class_path, (making.format(draft),))
        command = training.command(layout, 128, "kafka.Kafka", str(layout.settings))
        broker = run_guarded(command, layout, lock_fd, owner=os.getpid())
        try:
            wait_until_started(layout, broker.poll)
        finally:
            end(broker)
        if draft.exists():
            draft.replace(archive)
        else:
            say(f"kafka: Java {machine.java.major} wrote no class archive; starts take some seconds longer")


def prepare(machine: Machine, layout: Layout, ports: settings.Ports, heap_mb: int) -> None:
    """Write the files that the broker reads and format its folder once."""
    layout.logging.write_text(settings.LOGGING.format(log=layout.log))
    format_once(machine, layout, heap_mb)
    layout.settings.write_text(settings.properties(ports, layout.data))
