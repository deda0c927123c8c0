"""The process between us and the broker: it ends the broker when whoever started it is gone, even by SIGKILL.

Run as a script: `guard.py PARENT LOCK_FD command …`. PARENT is the process whose end ends the broker, 0 for a
detached one. Standard input is a pipe that only PARENT holds open. The lock on the data folder is an open file that
guard and broker inherit: it is free exactly when both are gone. Imports the standard library only, to start at once.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
from types import FrameType

PATIENCE_S = 60
PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> int:
    """Run the command until it ends, a signal asks for the end, or the parent is gone. Returns the exit code."""
    parent, lock_fd, command = int(argv[1]), int(argv[2]), argv[3:]
    awake, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    asked: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            asked.append(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, remember)
    broker = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(lock_fd,), preexec_fn=_die_with_guard)  # noqa: S603
    while broker.poll() is None and not asked and not _orphaned(parent, awake):
        pass
    return _end(broker)


def _orphaned(parent: int, awake: int) -> bool:
    """Wait for news, at most a second; true when the parent is gone.

    The pipe tells at once. The look at the parent's id covers a forked child of the parent that still holds the pipe.
    """
    watched = [awake, 0] if parent else [awake]
    ready, _, _ = select.select(watched, [], [], 1.0)
    if awake in ready:
        os.read(awake, 1024)
    return bool(parent) and (0 in ready or os.getppid() != parent)


def _end(broker: subprocess.Popen[bytes]) -> int:
    """The code with which the broker ended by itself, 0 where it was we who ended it."""
    if broker.poll() is not None:
        return broker.returncode
    broker.terminate()
    try:
        broker.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        broker.kill()
        broker.wait()
    return 0


def _die_with_guard() -> None:
    """On Linux the kernel ends the broker should the guard be killed; elsewhere the lock tells the next start."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
