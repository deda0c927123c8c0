"""A new version of a definition is made live while orders are under way."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import httpx

from deploy.exits import UNREACHABLE
from tests.chaos.kind import Kind, Strike
from tests.chaos.project import write_priorities
from tests.chaos.world import World

USERS = ("source", "pipeline", "sink-crm", "sink-plant-a", "ingress")


def activated(on: World, _: random.Random) -> Strike:
    """The code table of priorities gets a new version."""
    on.definition_version += 1
    write_priorities(on.folder, on.definition_version)
    command = [sys.executable, "-m", "deploy.main", "--project", str(on.folder), "mapping", "activate", "priority"]
    done = subprocess.run([*command, "--yes", "--json"], capture_output=True, text=True, timeout=180, check=False)
    if done.returncode == UNREACHABLE:  # another fault has Kafka at this moment: not felt, and tried again
        return Strike("priority", lambda: "", patience_s=0.0)
    if done.returncode:
        raise RuntimeError(f"mapping activate: exit {done.returncode}: {done.stderr[-500:]}")
    made = str(json.loads(done.stdout)["definition"])

    def felt() -> str:
        using = [role for role in USERS if _definition(on, role) == made]
        return f"{', '.join(using)} use {made}" if len(using) == len(USERS) else ""

    return Strike(f"priority version {on.definition_version}", felt, lasting=True, patience_s=60.0)


def _definition(on: World, role: str) -> str:
    """What a role's health page says it works with."""
    try:
        return str(httpx.get(f"{on.address(role)}/health", timeout=2.0).json().get("definition", ""))
    except (httpx.HTTPError, ValueError):
        return ""


def kinds() -> list[Kind]:
    """Every kind of this module."""
    return [Kind("a new definition made live", ("definitions", "kafka"), activated)]
