"""Recorded contract samples from a YAML file: a list of objects with the names of `Sample`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

import yaml

from connectors.testing.abilities import Sample


def samples_in(package: str, name: str) -> Sequence[Sample]:
    """The samples in a file beside a package's modules. Raises TypeError for one with another name or without one."""
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    return [Sample(**each) for each in yaml.safe_load(text)]
