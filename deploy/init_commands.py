"""`lineshaft init [DIR]`: a project of one's own, with everything in it that a person has to look at."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from deploy import output
from deploy.exits import Refused

FOLDER_OF_KIND = {"mapping": "mappings", "codes": "codes", "routes": "routes"}


def add_to(app: typer.Typer) -> None:
    """Add `init`."""
    app.command("init")(init)


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="A new or empty folder; else this one.")] = Path(),
) -> None:
    """Make a project: lineshaft.yaml with every setting explained, definitions to edit, folders for the rest."""
    where = folder.absolute()
    check_empty(folder, where)
    for name in ("reference", "secrets"):
        (where / name).mkdir(parents=True, exist_ok=True)
    (where / "secrets").chmod(0o700)
    for path, text in _contents():
        (where / path).parent.mkdir(parents=True, exist_ok=True)
        (where / path).write_text(text, encoding="utf-8")
    output.line(f"made a project in {where}")
    output.line(f"next: `lineshaft --project {folder} check` says what is still to be filled in")


def check_empty(named: Path, where: Path) -> None:
    """Raises Refused where something is already there: nothing of a person's is ever overwritten."""
    if where.exists() and not where.is_dir():
        raise Refused(f"{named}: is no folder.", "Name a new one.")
    if where.is_dir() and any(where.iterdir()):
        raise Refused(f"{named}: the folder is not empty.", "Name a new one; nothing was changed.")


def _contents() -> Iterator[tuple[str, str]]:
    """Every file of the project with its text."""
    from deploy.template_yaml import lineshaft_yaml
    from mappings import shipped

    template = files("deploy").joinpath("template")
    for source, path in (("README.md", "README.md"), ("gitignore", ".gitignore"), ("secrets-gitignore", SECRETS)):
        yield path, template.joinpath(source).read_text("utf-8")
    yield "lineshaft.yaml", lineshaft_yaml()
    for each in shipped():
        yield f"{FOLDER_OF_KIND[each.kind]}/{Path(each.file).name}", each.text


SECRETS = "secrets/.gitignore"
