"""How a script of the company reaches a system: no part of the bus, and no code of it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Login:
    """A system's address, the file of its authority, and what a script logs in with."""

    values: Mapping[str, str]
    ca_file: Path


def trust(ca_file: Path) -> ssl.SSLContext:
    """The TLS context that trusts one authority."""
    return ssl.create_default_context(cafile=str(ca_file))
