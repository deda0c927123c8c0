"""The package that `lineshaft connector new` writes: files that ship as text, with the new names put in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec

from connectors.registry import names
from deploy.exits import Refused

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_NAME = 40

FILES: Mapping[str, str] = {
    "pyproject.toml.txt": "pyproject.toml",
    "README.md.txt": "README.md",
    "CONTRACT.md.txt": "CONTRACT.md",
    "gitignore.txt": ".gitignore",
    "workflow.yml.txt": ".github/workflows/test.yml",
    "init.py.txt": "src/{package}/__init__.py",
    "config.py.txt": "src/{package}/config.py",
    "documents.py.txt": "src/{package}/documents.py",
    "source.py.txt": "src/{package}/source.py",
    "sink.py.txt": "src/{package}/sink.py",
    "bench.py.txt": "src/{package}/bench.py",
    "simulator/init.py.txt": "src/{package}/simulator/__init__.py",
    "simulator/shop.py.txt": "src/{package}/simulator/shop.py",
    "simulator/wire.py.txt": "src/{package}/simulator/wire.py",
    "simulator/books.py.txt": "src/{package}/simulator/books.py",
    "simulator/gate.py.txt": "src/{package}/simulator/gate.py",
    "simulator/stand_in.py.txt": "src/{package}/simulator/stand_in.py",
    "test_conformance.py.txt": "tests/test_conformance.py",
}
"""Where each file goes. They end in .txt, for as Python they are nobody's here."""


@dataclass(frozen=True)
class Names:
    """What one connector is called: `acme-shop` is its name and its type in lineshaft.yaml."""

    name: str

    @property
    def distribution(self) -> str:
        """The package as pip knows it."""
        return f"lineshaft-{self.name}"

    @property
    def package(self) -> str:
        """The package as Python imports it."""
        return self.distribution.replace("-", "_")

    def put_into(self, text: str) -> str:
        """A text of the template with these names in the place of its own."""
        words = self.name.split("-")
        own = {
            "acme-shop": self.name,
            "acme_shop": "_".join(words),
            "ACME_SHOP": "_".join(words).upper(),
            "Acme Shop": " ".join(word.capitalize() for word in words),
            "@LINESHAFT@": version("lineshaft"),
        }
        return re.sub("|".join(map(re.escape, own)), lambda found: own[found.group()], text)


def checked(name: str) -> Names:
    """The names of a new connector. Raises Refused for one that cannot be, or that is taken on this machine."""
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise Refused(
            f"{name!r} is no name for a connector.",
            f"Use small letters, digits and single hyphens, a letter first, at most {LONGEST_NAME}: it becomes the "
            "type in lineshaft.yaml and part of a package's name.",
        )
    found = Names(name)
    if name in names():
        raise Refused(f"a connector {name!r} is installed already.", "Choose another name.")
    if find_spec(found.package) is not None:
        raise Refused(f"a package {found.package} is installed already.", "Choose another name.")
    return found


def contents(found: Names) -> Iterator[tuple[str, str]]:
    """Every file of the package: its path and its text."""
    template = files("deploy").joinpath("connector_template")
    for source, path in FILES.items():
        yield path.format(package=found.package), found.put_into(template.joinpath(source).read_text("utf-8"))
    yield f"src/{found.package}/py.typed", ""
