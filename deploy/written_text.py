"""What a person writes for a command: from a file, from standard input, or in their own editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.exits import FOUND, Refused
from deploy.output import note

STANDARD_INPUT = Path("-")


def from_file(source: Path) -> str:
    """The text in a file, or on standard input where it is called `-`. Raises Refused where there is none."""
    text = sys.stdin.read() if source == STANDARD_INPUT else _read(source)
    if not text.strip():
        raise Refused(f"--from {source}: there is nothing in it.", "Give the whole record as JSON.")
    return text


def _read(source: Path) -> str:
    try:
        return source.read_text("utf-8")
    except FileNotFoundError as error:
        raise Refused(f"--from {source}: there is no such file.", "Name a file with the record as JSON.") from error
    except (UnicodeDecodeError, IsADirectoryError) as error:
        raise Refused(f"--from {source}: this is no text ({error}).", "Save it as UTF-8.") from error


def from_editor(before: str) -> str:
    """What becomes of `before` in the person's editor. Raises Refused where nothing was changed."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        raise Refused("no editor is known.", "Set EDITOR, or give the record as JSON with --from FILE.")
    handle, name = tempfile.mkstemp(prefix="lineshaft-", suffix=".json")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(before + "\n")
    if subprocess.run([*shlex.split(editor), name], check=False).returncode != 0:  # noqa: S603 (the person's own)
        raise Refused(f"the editor {editor} failed.", f"Nothing was sent; the text is in {name}.", FOUND)
    after = _read(Path(name))
    if after.strip() == before.strip():
        Path(name).unlink()
        raise Refused("nothing was changed.", "The record stays parked as it is.", FOUND)
    note(f"what you wrote is kept in {name}")
    return after
