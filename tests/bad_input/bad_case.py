"""A case of bad input: its folder, what `case.yaml` says of it, and the text that its files get at run time.

case.yaml:

    command: check --json           after `lineshaft`, as a shell splits it; runs in a copy of the folder
    environment: {NAME: value}      on top of a clean one
    prepare: [corrupt_jar]          names of tests/bad_input/preparations.py, in order
    exit: 2                         the exit code
    says: [a, b]                    fragments of what is written, to standard output or standard error
    never: [c]                      fragments that must not be there

In all of its text files `{{name}}` is replaced: `{{bootstrap}}` and `{{prefix}}` (the session's Kafka and this case's
own topics), `{{refusing}}` (a port where nobody listens), `{{taken}}` (one where the test does), `{{folder}}`, and
`{{salesforce}}` or `{{jiandaoyun}}`: all settings of a running stand-in as YAML, without those named after a minus
sign (`{{salesforce -private_key}}`).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

HERE = Path(__file__).parent
PLACEHOLDER = re.compile(r"\{\{(\w+)((?: -\w+)*)\}\}")

Fill = Callable[[str, list[str]], str]
"""The text for a placeholder's name and the settings that are left out."""


@dataclass(frozen=True)
class Case:
    """What one case.yaml says."""

    command: list[str]
    exit: int
    says: list[str]
    never: list[str] = field(default_factory=list)
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: list[str] = field(default_factory=list)


def names() -> list[str]:
    """Every case by the name of its folder."""
    return sorted(each.parent.name for each in HERE.glob("*/case.yaml"))


def needs_kafka(folder: Path) -> bool:
    """Whether a case names the session's Kafka."""
    return any(b"{{bootstrap}}" in each.read_bytes() for each in folder.rglob("*") if each.is_file())


def filled(folder: Path, fill: Fill) -> None:
    """Replace the placeholders in every text file below a folder."""
    for path in folder.rglob("*"):
        if path.is_file():
            try:
                text = path.read_text("utf-8")
            except UnicodeDecodeError:
                continue
            path.write_text(PLACEHOLDER.sub(lambda found: fill(found[1], _left_out(found[2])), text), "utf-8")


def _left_out(text: str) -> list[str]:
    return [each.removeprefix("-") for each in text.split()]


def read(folder: Path) -> Case:
    """The case in a folder whose placeholders have been replaced."""
    said = yaml.safe_load((folder / "case.yaml").read_text("utf-8"))
    return Case(**{**said, "command": shlex.split(said["command"])})
