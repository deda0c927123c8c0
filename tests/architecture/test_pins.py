"""constraints.txt pins everything that `make setup` installs, so that two machines get the same."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.source_tree import ROOT

EXTRAS = frozenset({"kafka", "sftp", "sql", "dev"})
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([A-Za-z0-9.!+_-]+)$")


def pins() -> dict[str, str]:
    """The pinned version of every distribution."""
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    matches = [PIN.match(line) for line in lines]
    assert all(matches), f"not an exact pin: {[line for line, m in zip(lines, matches, strict=True) if not m]}"
    return {canonicalize_name(found[1]): found[2] for found in matches if found}


def installed(name: str, extras: frozenset[str], seen: set[tuple[str, str]]) -> set[str]:
    """Every distribution that installing `name` with `extras` brings here, itself left out."""
    found = set()
    for text in requires(name) or ():
        requirement = Requirement(text)
        marker = requirement.marker
        wanted = [
            extra for extra in ("", *extras) if not marker or marker.evaluate({**environment(), "extra": extra})
        ]
        key = (canonicalize_name(requirement.name), ",".join(sorted(requirement.extras)))
        if wanted and key not in seen:
            seen.add(key)
            found |= {key[0]} | installed(requirement.name, frozenset(requirement.extras), seen)
    return found


def environment() -> dict[str, str]:
    return {name: str(value) for name, value in default_environment().items()}


def test_everything_that_setup_installs_is_pinned() -> None:
    assert installed("lineshaft", EXTRAS, set()) - set(pins()) == set()


def test_what_is_installed_is_what_is_pinned() -> None:
    differs = {}
    for name, pinned in pins().items():
        try:
            found = version(name)
        except PackageNotFoundError:
            continue  # a pin for another Python version
        if found != pinned:
            differs[name] = (found, pinned)
    assert differs == {}


def test_no_index_address_is_written_down() -> None:
    assert "://" not in (ROOT / "constraints.txt").read_text()
