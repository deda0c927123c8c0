"""A promise of the design: the test that holds it, and the small change of the source that breaks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

FILE = Path("tests/promises.yaml")


class Edit(BaseModel):
    """One replacement: the text `replace` of `file`, which is there exactly once, becomes `by`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Path
    replace: str = Field(min_length=1)
    by: str


class Promise(BaseModel):
    """One promise, where the design gives it, its tests (one of them must fail), and the patch that breaks it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    promise: str
    design: str
    tests: tuple[str, ...] = Field(min_length=1)
    patch: tuple[Edit, ...] = Field(min_length=1)


def read_promises(file: Path) -> tuple[Promise, ...]:
    """All promises of the file. Raises pydantic's ValidationError, which names the entry and the field."""
    return tuple(Promise.model_validate(each) for each in yaml.safe_load(file.read_text("utf-8")))


class DoesNotApply(Exception):
    """The text that a patch replaces is not in its file, or not only once; the message says which."""


@dataclass(frozen=True)
class Patched:
    """A file's content before and after its edits."""

    file: Path
    before: str
    after: str


def patched(root: Path, promise: Promise) -> Sequence[Patched]:
    """What the patch makes of the sources under `root`, which stay as they are. Raises DoesNotApply."""
    found: dict[Path, Patched] = {}
    for edit in promise.patch:
        known = found.get(edit.file) or _unpatched(root, edit.file)
        times = known.after.count(edit.replace)
        if times != 1:
            raise DoesNotApply(f"{promise.promise}: {edit.file} has {times} times, not once:\n{edit.replace}")
        found[edit.file] = Patched(edit.file, known.before, known.after.replace(edit.replace, edit.by))
    return tuple(found.values())


def _unpatched(root: Path, file: Path) -> Patched:
    text = (root / file).read_text("utf-8")
    return Patched(file, text, text)
