"""The installed connectors: what each has, and which package it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from connectors.contract import Connector
from connectors.errors import ConfigError
from connectors.registry import GROUP, load, names
from deploy.exits import FOUND, Refused
from mappings.problems import nearest

SIDES = ("source", "webhook", "sink", "simulator")
"""What a connector may have, in the words of `connectors.contract.Connector`."""


@dataclass(frozen=True)
class Installed:
    """One plug-in by its entry point; without a connector `problem` says why it cannot be used."""

    name: str
    package: str
    version: str
    connector: Connector | None
    problem: str = ""

    @property
    def sides(self) -> list[str]:
        """What it has of `SIDES`."""
        return [side for side in SIDES if getattr(self.connector, side, None) is not None]

    def row(self) -> dict[str, object]:
        """The plug-in as a row."""
        return {
            "name": self.name,
            "sides": self.sides,
            "summary": self.connector.summary if self.connector else "",
            "package": self.package,
            "version": self.version,
            "problem": self.problem,
        }


def installed() -> Iterator[Installed]:
    """Every plug-in, by name; one that cannot be imported stops none of the others."""
    return map(_looked_at, sorted(entry_points(group=GROUP), key=lambda each: each.name))


def _looked_at(point: EntryPoint) -> Installed:
    package, version = (point.dist.name, point.dist.version) if point.dist else ("", "")
    try:
        return Installed(point.name, package, version, load(point.name))
    except ConfigError as error:
        return Installed(point.name, package, version, None, str(error))
    except Exception as error:  # a third party's module may do anything when it is imported
        problem = f"{point.value} cannot be imported: {type(error).__name__}: {error}"
        return Installed(point.name, package, version, None, problem)


def find(name: str) -> tuple[Installed, Connector]:
    """The plug-in of that name. Raises Refused with the nearest name, or with the reason why it cannot be used."""
    found = next(map(_looked_at, entry_points(group=GROUP, name=name)), None)
    if found is None:
        raise Refused(f"no connector {name!r} is installed.", nearest(name, names()))
    if found.connector is None:
        remedy = f"Install {found.package or 'its package'} anew, or report it to its makers."
        raise Refused(f"{name}: {found.problem}", remedy, FOUND)
    return found, found.connector
