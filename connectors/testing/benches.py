"""Benches are found by the entry-point group `lineshaft.benches`, under the names of their connectors."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import TypeAlias

from connectors.errors import ConfigError
from connectors.testing.bench import Bench

GROUP = "lineshaft.benches"

BenchFactory: TypeAlias = Callable[[Path], Bench]
"""Makes the bench whose far system lives in the folder it is given, which may not be there yet."""


def names() -> list[str]:
    """The connectors that have a bench, sorted."""
    return sorted(point.name for point in entry_points(group=GROUP))


def load(name: str) -> BenchFactory:
    """The bench of that connector. Raises ConfigError where there is none, naming those that are."""
    for point in entry_points(group=GROUP, name=name):
        factory: BenchFactory = point.load()
        return factory
    raise ConfigError(
        "bench",
        f"no bench is installed for the connector {name!r}.",
        f'Name a factory in its package: [project.entry-points."{GROUP}"] {name} = "package.bench:MyBench". '
        f"There are benches for {', '.join(names()) or 'none'}.",
    )


if __name__ == "__main__":
    print(*names())
