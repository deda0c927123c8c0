"""Definition files: those that ship with the bus, those of a project's folders, those of an activation."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from mappings.load import DefinitionKind, head
from mappings.problems import DefinitionError, Problem

SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class DefinitionFile:
    """One definition as written. `file` is only the name that problems show."""

    kind: DefinitionKind
    name: str
    version: int
    text: str
    file: str

    @property
    def content_hash(self) -> str:
        """The hash of the text, by which an activation names it."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def shipped() -> tuple[DefinitionFile, ...]:
    """The definitions that ship with the bus, by file name."""
    folder = files("mappings").joinpath("definitions")
    found = sorted((entry.name, entry) for entry in folder.iterdir() if entry.name.endswith(SUFFIXES))
    return tuple(definition(entry.read_text("utf-8"), f"mappings/definitions/{name}") for name, entry in found)


def read_folder(path: Path) -> tuple[DefinitionFile, ...]:
    """Every YAML file in a folder and those below it, by path. Raises DefinitionError with all that is unreadable."""
    found: list[DefinitionFile] = []
    problems: list[Problem] = []
    if not path.is_dir():
        remedy = "Create it, or correct the folder in lineshaft.yaml."
        raise DefinitionError([Problem(str(path), 1, 1, "", "the folder does not exist", remedy)])
    for file in sorted(each for each in path.rglob("*") if each.suffix in SUFFIXES and each.is_file()):
        try:
            found.append(read_file(file))
        except DefinitionError as error:
            problems.extend(error.problems)
    if problems:
        raise DefinitionError(problems)
    return tuple(found)


def read_file(path: Path) -> DefinitionFile:
    """One file. Raises DefinitionError where it cannot be read."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        problem = Problem(str(path), 1, 1, "", f"the file is not UTF-8 at byte {error.start}", "Save it as UTF-8.")
        raise DefinitionError([problem]) from error
    except OSError as error:
        problem = Problem(
            str(path), 1, 1, "", f"the file cannot be read: {error.strerror}", "Look at path and rights."
        )
        raise DefinitionError([problem]) from error
    return definition(text, str(path))


def definition(text: str, file: str) -> DefinitionFile:
    """The definition that a text is. Raises DefinitionError where it does not say which."""
    kind, name, version = head(text, file)
    return DefinitionFile(kind, name, version, text, file)
