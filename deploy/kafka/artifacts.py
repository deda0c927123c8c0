"""The pinned class path of the broker: every jar by its Maven coordinates and sha256."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

KAFKA_VERSION = "4.3.1"


@dataclass(frozen=True)
class Artifact:
    """One file as pinned, a jar unless `packaging` says otherwise; `sha256` is what its bytes must hash to."""

    group: str
    name: str
    version: str
    sha256: str
    packaging: str = "jar"
    classifier: str = ""

    @property
    def coordinates(self) -> str:
        """`group:name:version`, as a person would search for it, and `:packaging:classifier` where it is no jar."""
        kind = f":{self.packaging}:{self.classifier}" if self.classifier else ""
        return f"{self.group}:{self.name}:{self.version}{kind}"

    @property
    def path(self) -> Path:
        """Where a Maven repository keeps it, relative to the repository's root."""
        suffix = f"-{self.classifier}" if self.classifier else ""
        file = f"{self.name}-{self.version}{suffix}.{self.packaging}"
        return Path(*self.group.split("."), self.name, self.version, file)


def pinned() -> Sequence[Artifact]:
    """The jars of the broker that ships, sorted: class archives demand the same order on every start."""
    return parse((files("deploy.kafka") / f"kafka-{KAFKA_VERSION}.artifacts").read_text())


def parse(text: str) -> Sequence[Artifact]:
    """The artifacts that a list names: `group:name:version[:packaging:classifier] sha256` on each line."""
    rows = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return sorted((_artifact(*row) for row in rows), key=lambda artifact: artifact.coordinates)


def _artifact(coordinates: str, digest: str) -> Artifact:
    group, name, version, *kind = coordinates.split(":")
    return Artifact(group, name, version, digest, *kind)


def fingerprint(artifacts: Sequence[Artifact]) -> str:
    """A short key that changes with any jar of the list."""
    return hashlib.sha256("".join(artifact.sha256 for artifact in artifacts).encode()).hexdigest()[:12]


def sha256(path: Path) -> str:
    """The hash of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
