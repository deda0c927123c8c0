"""Connectors are found by the entry-point group `lineshaft.connectors`; a third party's plugs in as ours do."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from connectors.contract import Connector
from connectors.errors import ConfigError

GROUP = "lineshaft.connectors"


def names() -> list[str]:
    """The types of all installed connectors, sorted."""
    return sorted(point.name for point in entry_points(group=GROUP))


@cache
def load(type_name: str) -> Connector:
    """The connector of that type. Raises ConfigError where none is installed, naming those that are."""
    for point in entry_points(group=GROUP, name=type_name):
        found = point.load()
        if not isinstance(found, Connector):
            raise ConfigError("type", f"{point.value} is no connectors.contract.Connector.", "Mend the plug-in.")
        return found
    raise ConfigError(
        "type", f"no connector {type_name!r} is installed.", f"Installed: {', '.join(names()) or 'none'}."
    )
