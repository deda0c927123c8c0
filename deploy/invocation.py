"""What every sub-command may ask about how the command was called: which project is meant."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from deploy.project import Project


@dataclass(frozen=True)
class Invocation:
    """`named` is the folder given with --project, else None."""

    named: Path | None

    @property
    def folder(self) -> Path:
        """The project's folder: the one that was named, else the nearest upwards, else the working directory."""
        from deploy.project import find_folder

        return self.named.absolute() if self.named else find_folder(Path.cwd()) or Path.cwd()

    @property
    def in_a_project(self) -> bool:
        """Whether there is a lineshaft.yaml at all."""
        from deploy.project_problems import FILE

        return (self.folder / FILE).is_file()


def invocation(context: typer.Context) -> Invocation:
    """How the command was called."""
    found = context.find_object(Invocation)
    return found if isinstance(found, Invocation) else Invocation(None)


def project(context: typer.Context) -> Project:
    """The project that is meant. Raises ProjectError with every problem of its lineshaft.yaml."""
    from deploy.project import load_project

    return load_project(invocation(context).folder)
